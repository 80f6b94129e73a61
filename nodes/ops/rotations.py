"""Rotations of heads: yaw, pitch and roll, matrices, quaternions, rotation vectors. One convention for all of them.

Axes of the picture: x to its right, y down, z away from the camera. A head at rest faces the camera: its nose points
along -z and its crown along -y. A rotation R (3, 3) turns that head into the one seen, as columns `R @ vector`.

Yaw: 0 to the camera, +90 nose to image-right, ±180 away. Pitch: nose up positive. Roll: about the head's own nose,
clockwise in the image positive for a head that faces the camera. The head is first rolled, then pitched, then yawed:

    R = Ry(-yaw) · Rx(-pitch) · Rz(roll)         nose = (sin yaw · cos pitch, -sin pitch, -cos yaw · cos pitch)

Yaw comes last, so it alone says where the nose points on the floor, all the way round, and heads seen from the side
have no special case; the one there is lies straight up and down, where roll is taken to be 0. A mirrored picture has
the sign of yaw and roll changed, and that of pitch kept.

Quaternions are (w, x, y, z) of length 1 with w ≥ 0. Angles are degrees, float64; rotation vectors radians.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

Order = Literal["yxz", "xyz", "zyx"]
"""Axes of yaw (y), pitch (x) and roll (z) from the last turn to the first, each fixed in the picture; `yxz` is ours."""

SHORTEST = 1e-8
"""Vectors shorter than this count as this long, where a length is divided by."""


def matrices(yaw_pitch_roll_deg: Array, order: Order = "yxz") -> Array:
    """Return rotations (N, 3, 3) of yaw, pitch and roll (N, 3) degrees, put together in an order of axes."""
    yaw, pitch, roll = np.radians(np.asarray(yaw_pitch_roll_deg, np.float64).reshape(-1, 3)).T
    turns = {"y": _about(1, -yaw), "x": _about(0, -pitch), "z": _about(2, roll)}
    last, middle, first = (turns[axis] for axis in order)
    return np.asarray(last @ middle @ first)


def yaw_pitch_roll(rotations: Array) -> Array:
    """Return yaw, pitch and roll (N, 3) in degrees of rotations (N, 3, 3): yaw and roll in (-180, 180], pitch ±90.

    Undoes `matrices` in our order.
    """
    r = np.asarray(rotations, np.float64)
    level = np.hypot(r[:, 0, 2], r[:, 2, 2])
    upright = level > 1e-6
    yaw = np.where(upright, np.arctan2(-r[:, 0, 2], r[:, 2, 2]), np.arctan2(r[:, 2, 0], r[:, 0, 0]))
    roll = np.where(upright, np.arctan2(r[:, 1, 0], r[:, 1, 1]), 0.0)
    pitch = np.arctan2(r[:, 1, 2], level)
    # -180 is 180; -0.0 is 0.
    angles = 180.0 - np.mod(180.0 - np.degrees(np.stack([yaw, pitch, roll], axis=1)), 360.0)
    return np.asarray(angles)


def towards(noses: Array) -> Array:
    """Return rotations (N, 3, 3) without roll of noses that point along vectors (N, 3) of any length.

    Those of vectors of no length, or that are not finite, are NaN.
    """
    length = np.linalg.norm(noses, axis=1)
    x, y, z = np.asarray(noses, np.float64).T
    angles = np.degrees(np.stack([np.arctan2(x, -z), np.arctan2(-y, np.hypot(x, z)), np.zeros_like(x)], axis=1))
    known = np.isfinite(length) & (length > SHORTEST)
    return matrices(np.where(known[:, None], angles, np.nan))


def noses(yaw_pitch_roll_deg: Array) -> Array:
    """Return where noses point, unit vectors (N, 3) to image-right, down and away from the camera."""
    return np.asarray(-matrices(yaw_pitch_roll_deg)[:, :, 2])


def angle_between(a: Array, b: Array) -> Array:
    """Return the angle (N,) in degrees, 0 to 180, of the turn that leads from rotations a to b, (N, 3, 3) both.

    The geodesic distance on the rotations.
    """
    return np.asarray(np.degrees(np.linalg.norm(vectors(quaternions(np.swapaxes(a, -1, -2) @ b)), axis=1)))


def mean(rotations: Array) -> Array:
    """Return the means (N, 3, 3) of K rotations each, (K, N, 3, 3): the rotations nearest to the mean matrices.

    Of opposite ones, which have no mean, some rotation between them is returned.
    Ref: Moakher, "Means and averaging in the group of rotations", SIAM J. Matrix Anal. Appl. 2002 (projected mean).
    """
    u, _, vt = np.linalg.svd(np.asarray(rotations, np.float64).mean(axis=0))
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    return np.asarray(u @ vt)


def from_six(six: Array) -> Array:
    """Return rotations (N, 3, 3) of their 6-D form (N, 6), two vectors of three, as networks put them out.

    The first becomes the first column; the third is at a right angle to both, and the second to these.
    Ref: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019, in the order of
    Hempel et al., "6D Rotation Representation for Unconstrained Head Pose Estimation", ICIP 2022.
    """
    one, two = (np.asarray(six, np.float64)[:, part] for part in (slice(0, 3), slice(3, 6)))
    x = _unit(one)
    z = _unit(np.cross(x, two))
    return np.stack([x, np.cross(z, x), z], axis=2)


def quaternions(rotations: Array) -> Array:
    """Return quaternions (N, 4) of rotations (N, 3, 3), by the largest of their four parts, so that none is lost."""
    r = np.asarray(rotations, np.float64)
    xx, yy, zz = r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]
    # Four times the product of each two parts; row k is the quaternion times 4 of its part k.
    wx, wy, wz = r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
    xy, xz, yz = r[:, 1, 0] + r[:, 0, 1], r[:, 0, 2] + r[:, 2, 0], r[:, 2, 1] + r[:, 1, 2]
    products = np.array(
        [
            [1 + xx + yy + zz, wx, wy, wz],
            [wx, 1 + xx - yy - zz, xy, xz],
            [wy, xy, 1 - xx + yy - zz, yz],
            [wz, xz, yz, 1 - xx - yy + zz],
        ]
    )
    largest = np.diagonal(products).argmax(axis=1)
    return _halved(_unit(products[largest, :, np.arange(len(r))]))


def from_quaternions(quaternions: Array) -> Array:
    """Return rotations (N, 3, 3) of quaternions (N, 4)."""
    w, v = quaternions[:, :1, None], quaternions[:, 1:]
    outer = v[:, :, None] * v[:, None, :]
    square = (v * v).sum(axis=1)[:, None, None]
    return np.asarray((w * w - square) * np.eye(3) + 2 * outer + 2 * w * _crossing(v))


def product(a: Array, b: Array) -> Array:
    """Return the quaternions (N, 4) of the turns b followed by the turns a."""
    # Part by part, because `cross` costs more than all of this.
    (aw, ax, ay, az), (bw, bx, by, bz) = a.T, b.T
    parts = (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
    return _halved(np.stack(parts, axis=1))


def undone(quaternions: Array) -> Array:
    """Return the quaternions (N, 4) of the turns that undo others."""
    return np.asarray(quaternions * np.array([1.0, -1.0, -1.0, -1.0]))


def vectors(quaternions: Array) -> Array:
    """Return rotation vectors (N, 3) of quaternions (N, 4): along the axis, as long as the angle, 0 to π."""
    w, v = quaternions[:, 0], quaternions[:, 1:]
    sine = np.linalg.norm(v, axis=1)
    angle = 2 * np.arctan2(sine, w)
    # The angle over the sine of its half; 2 where both vanish.
    scale = np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > SHORTEST)
    return np.asarray(v * scale[:, None])


def from_vectors(vectors: Array) -> Array:
    """Return quaternions (N, 4) of rotation vectors (N, 3)."""
    half = np.linalg.norm(vectors, axis=1, keepdims=True) / 2
    return _halved(np.concatenate([np.cos(half), vectors * (np.sinc(half / np.pi) / 2)], axis=1))


def _about(axis: int, angle_rad: Array) -> Array:
    """Return right-handed turns (N, 3, 3) about an axis of the picture."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    made = np.zeros((len(angle_rad), 3, 3))
    made[:, axis, axis] = 1
    made[:, one, one] = made[:, other, other] = cos
    made[:, other, one], made[:, one, other] = sin, -sin
    return made


def _crossing(v: Array) -> Array:
    """Return the matrices (N, 3, 3) that take a vector to its cross product with v (N, 3), v first."""
    made = np.zeros((len(v), 3, 3))
    made[:, 0, 1], made[:, 0, 2], made[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    return made - np.swapaxes(made, 1, 2)


def _halved(quaternions: Array) -> Array:
    """Return of each quaternion and its negative, which are one turn, that with w ≥ 0."""
    return np.where(quaternions[:, :1] < 0, -quaternions, quaternions)


def _unit(v: Array) -> Array:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), SHORTEST))
