"""Boxes `x1, y1, x2, y2` as arrays (N, 4): overlap, clipping, shapes.

A box with a NaN is no box: it overlaps nothing. Units are the caller's; fractions of the frame unless said.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def centres(boxes: Array) -> Array:
    """Return the centres (N, 2) of boxes (N, 4)."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) * boxes.dtype.type(0.5))


def sizes(boxes: Array) -> Array:
    """Return width and height (N, 2) of boxes (N, 4)."""
    return boxes[:, 2:] - boxes[:, :2]


def areas(boxes: Array) -> Array:
    """Return the areas (N,) of boxes (N, 4); 0 where a box is turned inside out, NaN where it is no box."""
    return np.asarray(np.maximum(sizes(boxes), 0).prod(axis=1))


def clip_to_frame(boxes: Array) -> Array:
    """Return boxes (N, 4), fractions of the frame, cut off at its edges."""
    return np.minimum(np.maximum(boxes, 0), 1)


def intersections(a: Array, b: Array) -> Array:
    """Return the shared areas (N, M) of boxes (N, 4) and (M, 4); 0 where either is no box."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.nan_to_num(np.maximum(high - low, 0).prod(axis=2)))


def iou(a: Array, b: Array) -> Array:
    """Return intersection over union (N, M) of boxes (N, 4) and (M, 4): 0 apart or no box, 1 equal."""
    shared = intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def share_inside(inner: Array, outer: Array) -> Array:
    """Return which share (N, M) of each inner box (N, 4) lies in each outer box (M, 4): 0 outside, 1 wholly inside."""
    shared = intersections(inner, outer)
    area = np.broadcast_to(areas(inner)[:, None], shared.shape)
    return np.asarray(np.divide(shared, area, out=np.zeros_like(shared), where=area > 0))


def to_anchored(boxes: Array) -> Array:
    """Return boxes (..., 4) as centre x, top y, width, height.

    People are held by their top: what hides them, or ends the picture, mostly does so from below.
    """
    anchored = np.empty_like(boxes)
    anchored[..., 0] = (boxes[..., 0] + boxes[..., 2]) / 2
    anchored[..., 1] = boxes[..., 1]
    anchored[..., 2:] = boxes[..., 2:] - boxes[..., :2]
    return anchored


def from_anchored(anchored: Array) -> Array:
    """Return centre x, top y, width, height (..., 4) as boxes `x1, y1, x2, y2`."""
    boxes = np.empty_like(anchored)
    boxes[..., 0] = anchored[..., 0] - anchored[..., 2] / 2
    boxes[..., 1] = anchored[..., 1]
    boxes[..., 2:] = boxes[..., :2] + anchored[..., 2:]
    return boxes


def held_by_cells(boxes: Array, cells_wh: tuple[int, int]) -> Array:
    """Return boxes (N, 4), fractions of the frame, none of which vanishes when its edges are rounded to a grid.

    An axis whose two edges round to the same line of the grid is widened to just over one cell about its centre, and
    moved inside the frame. Everything else stays as it is, cut off at the frame.

    Args:
        boxes: (N, 4) float32, not NaN.
        cells_wh: columns and rows of the grid.
    """
    boxes = clip_to_frame(boxes)
    cells = np.array(cells_wh, boxes.dtype)
    low, high = boxes[:, :2], boxes[:, 2:]
    vanishes = np.rint(low * cells) == np.rint(high * cells)
    side = np.minimum(boxes.dtype.type(1.01) / cells, 1)  # over 1, so that two edges never round to one line
    start = np.clip((low + high) * boxes.dtype.type(0.5) - side / 2, 0, 1 - side)
    return np.concatenate([np.where(vanishes, start, low), np.where(vanishes, start + side, high)], axis=1)


def crops_around(boxes: Array, aspect: Array, scale: float = 1.0, down: float = 0.0, square: bool = False) -> Array:
    """Return what to cut out around boxes: (N, 4) float64 boxes, which may reach beyond the frame.

    Args:
        boxes: (N, 4) fractions of the frame.
        aspect: (N,) width of each frame over its height.
        scale: sides of what is cut out, in those of the box.
        down: how far its centre lies below that of the box, in heights of the box.
        square: make both sides, in pixels, as long as the longer one.
    """
    boxes = boxes.astype(np.float64)
    side, middle = sizes(boxes), centres(boxes)
    middle[:, 1] += down * side[:, 1]
    if square:
        high = np.maximum(side[:, 0] * aspect, side[:, 1])
        side = np.stack([high / aspect, high], axis=1)
    half = side * (scale / 2)
    return np.concatenate([middle - half, middle + half], axis=1)
