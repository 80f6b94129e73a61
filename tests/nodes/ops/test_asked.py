"""Whom a model is asked about."""

import numpy as np

from nodes.ops.asked import best_of_frames


def test_the_best_of_each_frame_are_asked_about() -> None:
    frame = np.array([0, 0, 0, 0, 2, 2])
    score = np.array([0.5, 0.9, 0.8, 0.95, 0.2, 0.4])
    worth = np.array([True, True, True, False, True, True])

    assert best_of_frames(frame, score, worth, 2).tolist() == [1, 2, 4, 5]
    assert best_of_frames(frame, score, worth, 1).tolist() == [1, 5]
    assert best_of_frames(frame, score, np.zeros(6, bool), 1).tolist() == []


def test_of_equals_the_earlier_is_asked_about_whatever_the_order_of_frames() -> None:
    frame, score = np.array([1, 0, 1, 0]), np.full(4, 0.5)

    assert best_of_frames(frame, score, np.ones(4, bool), 1).tolist() == [0, 1]
