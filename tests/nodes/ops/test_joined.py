"""Rows found by frame and track."""

import numpy as np

from nodes.ops.joined import places


def test_rows_are_found_by_frame_and_track() -> None:
    rows = np.array([[0, 1], [0, 2], [1, 1], [2, 5]]).T
    others = np.array([[1, 1], [0, 2], [0, 7], [1, 5]]).T

    assert places(*rows, *others).tolist() == [-1, 1, 0, -1]


def test_nothing_is_found_among_nothing() -> None:
    none = np.zeros(0, np.int64)

    assert places(np.array([0]), np.array([1]), none, none).tolist() == [-1]
    assert places(none, none, np.array([0]), np.array([1])).tolist() == []
