"""Decode the output of YOLOX: one row for each cell of three grids."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STRIDES = (8, 16, 32)


@lru_cache(maxsize=16)
def grid(size_wh: tuple[int, int]) -> Array:
    """Return column, row and stride of each cell (cells, 3) float32: finest grid first, row by row."""
    cells = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size_wh[1] // stride, : size_wh[0] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    made = np.concatenate(cells).astype(np.float32)
    made.flags.writeable = False
    return made


def boxes_of(rows: Array, cells: Array) -> Array:
    """Return the boxes (K, 4) float32 xyxy of raw rows, pixels of the input.

    Args:
        rows: (K, 4 or more) centre x and y from the corner of the cell, and logarithms of width and height, all in
            strides.
        cells: (K, 3) column, row and stride of their cells.
    """
    with np.errstate(over="ignore"):  # a size beyond all numbers is no box, which the caller leaves out
        half = np.exp(rows[:, 2:4]) * cells[:, 2:] * np.float32(0.5)
    middle = (rows[:, :2] + cells[:, :2]) * cells[:, 2:]
    return np.concatenate([middle - half, middle + half], axis=1)
