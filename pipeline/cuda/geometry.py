"""Where the pixels of a model input lie in the planes of a picture: whole pictures and parts of them, one mechanism.

An axis of a plane is first halved, each sample the mean of two, and what is left is covered in even steps: see
`pipeline.cuda.structs.AXIS`. This says for many images at once what `pipeline.pictures` does for one, step by step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.cuda.structs import AXIS

Array = np.ndarray[Any, np.dtype[Any]]


def whole(plane_wh: Array, size_wh: Array, *, linear: bool, apart: bool) -> Array:
    """Return the axes (N, 2) AXIS, as x, y, of planes that are stretched to a size, as `pictures.resized` does it.

    Args:
        plane_wh: (N, 2) int, samples.
        size_wh: (N, 2) int, pixels, 1 or more.
        linear: what is left after halving is shrunk linearly and not by area.
        apart: an axis is halved also where the other one is not.
    """
    halvings = np.zeros_like(plane_wh)
    left = plane_wh
    while (goes_on := (left >= 2 * size_wh).all(axis=1) & (left != 2 * size_wh).any(axis=1)).any():
        halvings += goes_on[:, None]
        left = plane_wh >> halvings
    while apart and (more := left > 2 * size_wh).any():
        halvings += more
        left = plane_wh >> halvings
    step = left / size_wh
    # What enlarges is linear, on both axes even where one of them shrinks.
    by_area = (step >= 1).all(axis=1, keepdims=True) & (not linear)
    return _axes(np.zeros(step.shape), step, np.where(by_area, step, 1), left, halvings)


def part(plane_wh: Array, box_px: Array, size_wh: Array) -> tuple[Array, Array]:
    """Return windows of planes and their axes, for boxes that are stretched to a size, as `pictures.cropped` does it.

    Args:
        plane_wh: (N, 2) int, samples.
        box_px: (N, 4) float64 x1, y1, x2, y2, samples of the plane, not empty; may reach beyond it.
        size_wh: (N, 2) int, pixels, 1 or more.

    Returns:
        (N, 2) int64 the first column and row of the window, and (N, 2) AXIS, as x, y.
    """
    low, high = box_px[:, :2], box_px[:, 2:]
    # One sample more on each side is what the linear step at the edge of the box looks at.
    first = np.clip(np.floor(low) - 1, 0, plane_wh - 1).astype(np.int64)
    last = np.clip(np.ceil(high) + 1, first + 1, plane_wh).astype(np.int64)
    halvings = np.zeros_like(plane_wh)
    length = high - low
    while (more := (length >= 2 * size_wh) & ((last - first) >> halvings >= 2)).any():
        halvings += more
        length = (high - low) / 2.0**halvings
    origin = (low - first) / 2.0**halvings
    return first, _axes(origin, length / size_wh, np.array(1), (last - first) >> halvings, halvings)


def lying(boxes: Array, rotation_deg: Array) -> Array:
    """Return boxes (N, 4) of upright pictures as boxes of the planes that a clockwise turn makes upright.

    Args:
        boxes: (N, 4) x1, y1, x2, y2, fractions.
        rotation_deg: (N,) 0, 90, 180 or 270.
    """
    x1, y1, x2, y2 = boxes.T
    turns = rotation_deg // 90
    each = [(x1, y1, x2, y2), (y1, 1 - x2, y2, 1 - x1), (1 - x2, 1 - y2, 1 - x1, 1 - y1), (1 - y2, x1, 1 - y1, x2)]
    return np.stack([np.choose(turns, corner) for corner in zip(*each, strict=True)], axis=1)


def _axes(origin: Array, step: Array, span: Array, count: Array, halvings: Array) -> Array:
    axes = np.zeros(step.shape, AXIS)
    axes["origin"], axes["step"], axes["span"] = origin, step, span
    axes["count"], axes["halvings"] = count, halvings
    return axes
