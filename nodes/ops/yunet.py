"""Decode the outputs of YuNet: scores and boxes for each cell of three grids."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STRIDES = (8, 16, 32)


def scores_of(of_class: Array, of_object: Array) -> Array:
    """Return the scores (...) of faces: the geometric mean of what both outputs say, each held within 0 to 1."""
    return np.asarray(np.sqrt(np.clip(of_class, 0, 1) * np.clip(of_object, 0, 1)))


def boxes_of(rows: Array, cell: Array, stride: int, columns: int) -> Array:
    """Return the boxes (K, 4) float32 xyxy of raw rows, pixels of the input.

    Args:
        rows: (K, 4) centre x and y from the corner of the cell, and logarithms of width and height, all in strides.
        cell: (K,) number of the cell in its grid, row by row.
        stride: side of a cell, pixels.
        columns: of the grid.
    """
    corner = np.stack([cell % columns, cell // columns], axis=1).astype(np.float32)
    with np.errstate(over="ignore"):  # a size beyond all numbers is no box, which the caller leaves out
        half = np.exp(rows[:, 2:]) * np.float32(0.5)
    middle = rows[:, :2] + corner
    return np.concatenate([middle - half, middle + half], axis=1) * np.float32(stride)
