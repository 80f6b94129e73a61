"""Rows of one value found in another, by frame and track."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def places(frame_row: Array, track_id: Array, other_frame_row: Array, other_track_id: Array) -> Array:
    """Return where each of N rows stands among M others: (N,) int64, -1 where it does not.

    Args:
        frame_row: (N,).
        track_id: (N,).
        other_frame_row: (M,).
        other_track_id: (M,); no two others are of the same frame and track.
    """
    keys = np.stack([np.concatenate([frame_row, other_frame_row]), np.concatenate([track_id, other_track_id])])
    _, number = np.unique(keys, axis=1, return_inverse=True)
    number = number.reshape(-1)
    place = np.full(len(number) + 1, -1, np.int64)
    place[number[len(frame_row) :]] = np.arange(len(other_frame_row))
    return place[number[: len(frame_row)]]
