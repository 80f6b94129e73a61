"""Rotations and directions: x right, y down, z forward."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]


def unit(vector: Floats) -> Floats:
    """Scale a (3,) vector to length one."""
    return vector / math.sqrt(float(vector @ vector))


def cross(a: Floats, b: Floats) -> Floats:
    """Return the cross product of two (3,) vectors; numpy's is slow for single ones."""
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def direction(azimuth_rad: float, elevation_rad: float) -> Floats:
    """Return the (3,) unit vector of an azimuth (0 = +z, grows towards +x) and an elevation (+ = up)."""
    flat = math.cos(elevation_rad)
    return np.array([math.sin(azimuth_rad) * flat, -math.sin(elevation_rad), math.cos(azimuth_rad) * flat])


def azimuth_elevation(vector: Floats) -> tuple[float, float]:
    """Return azimuth and elevation of a (3,) vector in radians; undoes `direction`."""
    x, y, z = (float(v) for v in unit(vector))
    return math.atan2(x, z), math.asin(min(1.0, max(-1.0, -y)))


def along(axis: Floats) -> Floats:
    """Return some (3, 3) rotation whose second column is the unit vector `axis`."""
    x = unit(cross(axis, np.array([0.31, 0.2, 0.93])))
    return np.stack([x, axis, cross(x, axis)], axis=1)


def looking_along(forward: Floats, roll_rad: float = 0.0) -> Floats:
    """Return the (3, 3) rotation whose columns are the right, down and forward axes of something facing `forward`.

    Roll turns it about its forward axis: positive lowers its right side. Straight up or down, right stays +x.
    """
    z = unit(forward)
    x = np.array([z[2], 0.0, -z[0]])
    length = math.hypot(float(x[0]), float(x[2]))
    x = x / length if length > 1e-4 else np.array([1.0, 0.0, 0.0])
    y = cross(z, x)
    cos, sin = math.cos(roll_rad), math.sin(roll_rad)
    return np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=1)


def yaw_pitch_roll_deg(ray_from_head: Floats) -> Floats:
    """Return (3,) yaw, pitch, roll in degrees of a head's (3, 3) rotation in its camera-ray frame."""
    nose = ray_from_head[:, 2]
    level = looking_along(nose)
    right = ray_from_head[:, 0]
    yaw = math.degrees(math.atan2(nose[0], -nose[2]))
    pitch = math.degrees(math.asin(min(1.0, max(-1.0, -float(nose[1])))))
    roll = math.degrees(math.atan2(float(right @ level[:, 1]), float(right @ level[:, 0])))
    return np.array([yaw, pitch, roll])


def wrapped(angle_rad: float) -> float:
    """Bring an angle into (-pi, pi]."""
    return math.pi - (math.pi - angle_rad) % (2 * math.pi)
