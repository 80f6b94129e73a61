"""Where the face of a head is in the picture, and how much of it is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.head import SKULL_M
from scenes.looks import Looks
from scenes.pose import Pose

Floats = NDArray[np.float64]


def _oval(rings: int = 6, spokes: int = 20) -> Floats:
    """Return (K, 3) points of the face in skull radii, forehead to chin: x to the person's right, y down, z ahead."""
    share, angle = np.meshgrid((np.arange(rings) + 0.5) / rings, np.arange(spokes) * 2 * np.pi / spokes)
    share = np.sqrt(share)  # rings of equal area
    x, y = 0.72 * share * np.cos(angle), 0.22 + 0.78 * share * np.sin(angle)
    # The skull ends above the chin; the jaw carries the face on at about the same depth.
    z = np.sqrt(np.maximum(0.0, 1 - x**2 - (0.72 * y) ** 2))
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


_POINTS = _oval()
_NORMALS = _POINTS / np.linalg.norm(_POINTS, axis=1, keepdims=True)
_SKIN_M = 0.06
"""Noses, beards and masks may stand this much before the skull and still be the face."""


def face_of(canvas: Canvas, looks: Looks, pose: Pose, head_centre: Floats, owner: int) -> tuple[Floats, float]:
    """Return the box (4,) about what faces the camera of a face, pixels, and the share of the face that is seen.

    A face covered by a mask or glasses counts as seen. A head from behind has no face: nan and 0.

    Args:
        canvas: with everything drawn.
        looks: of the person.
        pose: of the person.
        head_centre: (3,) world point.
        owner: number of the head's pixels on the canvas.
    """
    points = head_centre + (_POINTS * SKULL_M * looks.head_scale) @ pose.head.T
    pixels, depth = canvas.camera.project(points)
    towards = ((canvas.camera.position - points) * (_NORMALS @ pose.head.T)).sum(axis=1) > 0
    facing = towards & (depth > 0.05)
    if not facing.any():
        return np.full(4, np.nan), 0.0
    width, height = canvas.camera.size_wh
    box = np.concatenate([pixels[facing].min(axis=0), pixels[facing].max(axis=0)])
    column, row = np.floor(np.nan_to_num(pixels, nan=-1.0)).astype(int).T
    inside = facing & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = column.clip(0, width - 1), row.clip(0, height - 1)
    own = np.isin(canvas.owner[row, column], (owner - 1, owner)) & (canvas.depth[row, column] > depth - 0.25)
    front = canvas.depth[row, column] > depth - _SKIN_M  # else hair or a hand of one's own is before it
    return box, float((inside & own & front).mean())
