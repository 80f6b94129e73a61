"""Which share of each cell of a map lies in an area or a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nodes.ops.polygon import inside
from pipeline.namespaces import namespace

Array = np.ndarray[Any, np.dtype[Any]]

PER_CELL = 8
"""Points along each side of a cell at which an area is looked up; a share is exact to about 1 in 64."""


def area_masks(areas: Sequence[Sequence[Array]], levels: Sequence[int], shape_hw: tuple[int, int]) -> Array:
    """Tell, for points spread evenly over the frame, which areas they are in.

    Where areas of different levels overlap, only the highest has the point; areas of one level share it.

    Args:
        areas: of each of A areas its outline and its holes, (K, 2) vertices in fractions of the frame.
        levels: of each area.
        shape_hw: rows and columns of the map.

    Returns:
        (A, h · PER_CELL, w · PER_CELL) bool.
    """
    y, x = ((np.arange(count * PER_CELL) + 0.5) / (count * PER_CELL) for count in shape_hw)
    masks = np.zeros((len(areas), len(y), len(x)), np.bool_)
    for mask, (outline, *holes) in zip(masks, areas, strict=True):
        mask[:] = _inside(x, y, outline)
        for hole in holes:
            mask &= ~_inside(x, y, hole)
    covered = np.zeros((len(y), len(x)), np.bool_)
    for level in sorted(set(levels), reverse=True):
        own = np.flatnonzero(np.array(levels) == level)
        masks[own] &= ~covered
        covered |= masks[own].any(axis=0)
    return masks


def cell_shares(masks: Array) -> Array:
    """Return the share (A, h, w) float64 of each cell that is in each area, from `area_masks`."""
    count, rows, columns = masks.shape
    cells = masks.reshape(count, rows // PER_CELL, PER_CELL, columns // PER_CELL, PER_CELL)
    return np.asarray(cells.mean(axis=(2, 4)))


def shared(masks: Array) -> Array:
    """Return how much areas lie in each other, (A, A) float64: what two share over the smaller of them, 0 to 1."""
    flat = masks.reshape(len(masks), masks.shape[1] * masks.shape[2]).astype(np.float64)
    both, own = flat @ flat.T, flat.sum(axis=1)
    return np.asarray(both / np.maximum(np.minimum(own[:, None], own), 1))


def box_shares(boxes: Any, shape_hw: tuple[int, int]) -> tuple[Any, Any]:
    """Return the share of each row (M, h) and of each column (M, w) of a map that lies in each box (M, 4).

    The share of a cell is the product of that of its row and that of its column.
    """
    return _along(boxes[:, 1], boxes[:, 3], shape_hw[0]), _along(boxes[:, 0], boxes[:, 2], shape_hw[1])


def uncovered(boxes: Any, shape_hw: tuple[int, int]) -> Any:
    """Return the share (h, w) of each cell that no box (M, 4) covers, as if boxes within a cell lay at random."""
    rows, columns = box_shares(boxes, shape_hw)
    return namespace(boxes).prod(1 - rows[:, :, None] * columns[:, None, :], axis=0)


def _along(low: Any, high: Any, count: int) -> Any:
    xp = namespace(low)
    edges = xp.arange(count + 1, dtype=xp.float64) / count
    within = xp.minimum(high[:, None], edges[1:]) - xp.maximum(low[:, None], edges[:-1])
    return xp.maximum(within, 0.0) * count


def _inside(x: Array, y: Array, ring: Array) -> Array:
    """Tell which points of a grid are in a polygon, (rows, columns) bool.

    Only those in its bounding box are asked about: a graph that runs waits while an area of it is changed.

    Args:
        x: of the columns, rising.
        y: of the rows, rising.
        ring: (K, 2) vertices.
    """
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    columns = slice(np.searchsorted(x, left), np.searchsorted(x, right, side="right"))
    rows = slice(np.searchsorted(y, top), np.searchsorted(y, bottom, side="right"))
    across, down = np.meshgrid(x[columns], y[rows])
    made = np.zeros((len(y), len(x)), np.bool_)
    made[rows, columns] = inside(np.stack([across.ravel(), down.ravel()], axis=1), ring).reshape(across.shape)
    return made
