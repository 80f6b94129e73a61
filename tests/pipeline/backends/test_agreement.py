"""How far an engine is from ONNX Runtime, told by what matters of its outputs."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.backends.agreement import difference

RNG = np.random.default_rng(2)
MAP = RNG.random((2, 64, 64)).astype(np.float32)


def candidates(scores: np.ndarray) -> np.ndarray:
    """Return a list of things (1, Q, 6): label, box, score, the best first."""
    rows = np.zeros((1, len(scores), 6), np.float32)
    rows[0, :, 1:5] = np.linspace(0.1, 0.9, len(scores))[:, None]
    rows[0, :, 5] = scores
    return rows


def test_the_same_is_no_difference() -> None:
    assert difference({"map": MAP}, {"map": MAP}) == (0.0, "map")


def test_the_worst_output_is_named() -> None:
    told = {"a": np.array([1.0, 2.0]), "b": np.array([1.0, 2.2])}

    assert difference(told, {"a": np.array([1.0, 2.0]), "b": np.array([1.0, 2.0])}) == (pytest.approx(0.1), "b")


def test_a_map_that_moved_differs() -> None:
    assert difference({"map": np.roll(MAP, 9, axis=2)}, {"map": MAP})[0] > 0.5


def test_equals_in_another_order_are_the_same() -> None:
    scores = np.linspace(0.9, 0.01, 300)
    rows = candidates(scores)

    assert difference({"rows": rows[:, RNG.permutation(300)]}, {"rows": rows})[0] == 0


def test_a_thing_that_is_lost_among_many_differs() -> None:
    scores = np.full(1750, 0.01)
    scores[0] = 0.9
    lost = candidates(np.full(1750, 0.01))

    assert difference({"rows": lost}, {"rows": candidates(scores)})[0] > 0.9


def test_a_few_other_candidates_at_the_end_do_not_matter() -> None:
    rows = candidates(np.linspace(0.9, 0.01, 1000))
    other = rows.copy()
    other[0, -5:, 1:5] = 0.5

    assert difference({"rows": other}, {"rows": rows})[0] < 0.01


def test_small_probabilities_are_not_compared_by_their_own_size() -> None:
    assert difference({"p": np.array([0.002])}, {"p": np.array([0.001])})[0] == pytest.approx(0.01)


@pytest.mark.parametrize("told", [np.zeros((2, 3)), np.array([[np.nan, 1.0]]), np.array([[np.inf, 1.0]])])
def test_other_shapes_and_what_is_no_number_are_infinitely_far(told: np.ndarray) -> None:
    assert difference({"y": told}, {"y": np.array([[0.0, 1.0]])})[0] == float("inf")


def test_nothing_at_all_agrees_with_nothing() -> None:
    assert difference({"y": np.zeros((0, 3))}, {"y": np.zeros((0, 3))})[0] == 0
