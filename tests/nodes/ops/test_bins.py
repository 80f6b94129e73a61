"""Angles as scores of steps: golden values, and how sure they are."""

import numpy as np
import pytest

from nodes.ops.bins import expected_deg, sureness


def one_hot(step: int, count: int) -> np.ndarray:
    return np.where(np.arange(count) == step, 0, -1e9)[None]


def test_scores_that_are_all_alike_have_the_mean_of_all_steps() -> None:
    assert expected_deg(np.zeros((1, 90)), 4, -180) == pytest.approx([-2.0])
    assert expected_deg(np.full((2, 28), 7.0), 3, -42) == pytest.approx([-1.5, -1.5])
    assert sureness(np.zeros((1, 90)), 4, -180) == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize(
    ("step", "count", "width", "first", "angle"),
    [
        (45, 90, 4, -180, 0),
        (0, 90, 4, -180, -180),
        (89, 90, 4, -180, 176),
        (60, 120, 3, -180, 0),
        (33, 66, 3, -99, 0),
        (65, 66, 3, -99, 96),
        (14, 28, 3, -42, 0),
    ],
)
def test_a_step_stands_for_its_lower_edge(step: int, count: int, width: float, first: float, angle: float) -> None:
    assert expected_deg(one_hot(step, count), width, first) == pytest.approx([angle])
    assert sureness(one_hot(step, count), width, first) == pytest.approx([1])


def test_softmax_weighs_steps_however_large_the_scores_are() -> None:
    scores = np.array([[0.0, np.log(3)], [1000.0, 1000.0]])

    assert expected_deg(scores, 10, 0) == pytest.approx([7.5, 5])
    assert sureness(scores[1:], 90, 0) == pytest.approx([np.sqrt(0.5)])
