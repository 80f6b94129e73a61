"""Which rows of the frames of a tick a model is asked about, where it costs something for each."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def best_of_frames(frame_row: Array, score: Array, worth: Array, most: int) -> Array:
    """Return the rows (K,) int64, rising, that are worth asking about and among the best of their frame.

    Args:
        frame_row: (N,) the frame of each row.
        score: (N,); of equal scores the earlier row is better.
        worth: (N,) bool.
        most: rows of one frame.
    """
    rows = np.flatnonzero(worth)
    if len(rows) <= most:
        return rows
    order = rows[np.lexsort((-score[rows], frame_row[rows]))]  # by frame, best first; sorts keep the order of equals
    _, first, count = np.unique(frame_row[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, count)
    return np.sort(order[rank < most])
