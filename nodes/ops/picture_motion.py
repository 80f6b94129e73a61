"""How a picture moved as a whole: corners all over it, where they went, and the shift, zoom and turn most agree on.

Pictures are grey (H, W) u8; points are pixels x, y, whole numbers at the centres of pixels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FEWEST = 8
"""Points below which nothing is said: a few agree by chance."""

_WEAKEST = 1e-4
"""Strength of a corner of 5 grey levels; the noise of a dim camera (2 levels) stays just below it."""
_MARGIN = 8
"""Pixels at the edges of the picture without corners: what is there may have left the next picture."""
_ENOUGH = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_WINDOW: dict[str, Any] = {"winSize": (11, 11), "maxLevel": 3, "criteria": _ENOUGH}
_follow: Any = cv2.calcOpticalFlowPyrLK  # its types ask for the array that it makes
_SAME_POINT = 0.5
"""Pixels by which a point may miss itself when it is followed there and back."""
_AGREES = 0.5
"""Pixels by which a point may miss where a motion of the whole picture puts it."""
_STILL_BEFORE_MOVING = 0.5
"""The picture stands still when this share of the points that agree on a motion, in number, stand still."""


def corners(grey: Array, hidden: Array, cell: int) -> Array:
    """Return the strongest corner (K, 2) float32 of each square cell that has one.

    One from each cell, so that a person full of corners speaks no louder than the floor around.

    Args:
        grey: the picture.
        hidden: (N, 4) boxes x1, y1, x2, y2 in pixels in which corners do not count; NaN is no box.
        cell: side of the cells in pixels.
    """
    height, width = grey.shape
    rows, columns = (max(extent - 2 * _MARGIN, 0) // cell for extent in (height, width))
    if not rows * columns:
        return np.zeros((0, 2), np.float32)
    strength: Array = cv2.cornerMinEigenVal(grey, 5, ksize=3)
    boxes = hidden[~np.isnan(hidden).any(axis=1)]
    low, high = np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:]) + 1
    for x1, y1, x2, y2 in np.clip(np.concatenate([low, high], axis=1), 0, (width, height) * 2).astype(int):
        strength[y1:y2, x1:x2] = 0
    top, left = (height - rows * cell) // 2, (width - columns * cell) // 2
    inner = strength[top : top + rows * cell, left : left + columns * cell].reshape(rows, cell, columns, cell)
    cells = inner.transpose(0, 2, 1, 3).reshape(rows * columns, cell * cell)
    best = cells.argmax(axis=1)
    found = np.flatnonzero(cells[np.arange(len(cells)), best] > _WEAKEST)
    y = top + found // columns * cell + best[found] // cell
    x = left + found % columns * cell + best[found] % cell
    return np.stack([x, y], axis=1).astype(np.float32)


def followed(before: Array, now: Array, points: Array) -> tuple[Array, Array]:
    """Follow points from one picture to the next, and back.

    Args:
        before: the picture that the points are of.
        now: a picture of the same size.
        points: (K, 2) float32.

    Returns:
        The points that were found again, and led back to themselves, (L, 2), and where they are now, (L, 2).

    Ref: Lucas and Kanade 1981, pyramids after Bouguet 2000; there and back after Kalal et al., ICPR 2010.
    """
    if not len(points):
        return points, points
    there, found, _ = _follow(before, now, points[:, None], None, **_WINDOW)
    back, again, _ = _follow(now, before, there, None, **_WINDOW)
    missed = np.linalg.norm(back[:, 0] - points, axis=1)
    sure = (found[:, 0] > 0) & (again[:, 0] > 0) & (missed < _SAME_POINT)
    return points[sure], there[sure, 0]


def common_motion(points: Array, there: Array, still_px: float, min_share: float) -> Array | None:
    """Return the shift, zoom and turn (2, 3) float64 that most points agree on.

    Args:
        points: (L, 2) pixels.
        there: (L, 2) where they are now.
        still_px: a point that moved less stands still.
        min_share: share of the points that must agree.

    Returns:
        The identity, exactly, where the picture stands still; None where too few points agree on anything.
    """
    if len(points) < FEWEST:
        return None
    motion, agree = cv2.estimateAffinePartial2D(
        points, there, method=cv2.RANSAC, ransacReprojThreshold=_AGREES, maxIters=300, confidence=0.99, refineIters=5
    )  # its random numbers begin anew with every call
    agreeing = 0 if motion is None else int(agree.sum())
    still = int((np.linalg.norm(there - points, axis=1) < still_px).sum())
    if still >= max(FEWEST, _STILL_BEFORE_MOVING * agreeing, _STILL_BEFORE_MOVING * min_share * len(points)):
        return np.eye(2, 3)
    return motion if agreeing >= max(FEWEST, min_share * len(points)) else None


def in_fractions(motion: Array, size_wh: tuple[int, int]) -> Array:
    """Return a motion (2, 3) of pixels, whole at their centres, as one of fractions of the picture."""
    scale = np.diag([*size_wh, 1.0])
    scale[:2, 2] = -0.5
    whole: Array = np.linalg.inv(scale) @ np.vstack([motion, [0, 0, 1]]) @ scale
    return whole[:2]
