"""Decode the outputs of SCRFD: scores and boxes for each anchor of three or five grids."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LAYOUTS = {6: ((8, 16, 32), 2), 9: ((8, 16, 32), 2), 10: ((8, 16, 32, 64, 128), 1), 15: ((8, 16, 32, 64, 128), 1)}
"""Strides, and anchors for each cell, by the number of outputs: scores and boxes, or these and points, per stride."""


@lru_cache(maxsize=64)
def anchors(size_wh: tuple[int, int], stride: int, each: int) -> Array:
    """Return the centres (anchors, 2) float32 of one grid, pixels of the input.

    They lie in the upper left corners of the cells, row by row; those of one cell follow each other.
    """
    columns, rows = -(-size_wh[0] // stride), -(-size_wh[1] // stride)
    y, x = np.mgrid[:rows, :columns].astype(np.float32) * np.float32(stride)
    made = np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0)
    made.flags.writeable = False
    return made


def boxes_of(rows: Array, centres: Array, stride: int) -> Array:
    """Return the boxes (K, 4) float32 xyxy of raw rows, pixels of the input.

    Args:
        rows: (K, 4) distances from the anchor to the left, upper, right and lower edge, in strides.
        centres: (K, 2) of their anchors.
        stride: of their grid, pixels.
    """
    reach = rows * np.float32(stride)
    return np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
