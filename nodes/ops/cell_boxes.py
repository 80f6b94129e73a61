"""Boxes that a detector tells for each cell of three grids, as YOLOX and YuNet do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STRIDES = (8, 16, 32)
"""Sides of the cells of each grid, pixels of the input."""


@lru_cache(maxsize=16)
def cells(size_wh: tuple[int, int]) -> Array:
    """Return column, row and stride of each cell (cells, 3) float32: finest grid first, row by row. Do not write."""
    made = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size_wh[1] // stride, : size_wh[0] // stride]
        made.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    table = np.concatenate(made).astype(np.float32)
    table.flags.writeable = False
    return table


def boxes_of(rows: Array, cells: Array) -> Array:
    """Return the boxes (K, 4) float32 xyxy of raw rows, pixels of the input.

    Args:
        rows: (K, 4) centre x and y from the corner of the cell, and logarithms of width and height, all in strides.
        cells: (K, 3) column, row and stride of their cells.
    """
    stride = cells[:, 2:]
    with np.errstate(over="ignore"):  # a size beyond all numbers is no box, which the caller leaves out
        half = np.exp(rows[:, 2:]) * (stride * np.float32(0.5))
    middle = (rows[:, :2] + cells[:, :2]) * stride
    return np.concatenate([middle - half, middle + half], axis=1)
