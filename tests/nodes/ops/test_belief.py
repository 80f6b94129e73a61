"""Probabilities of targets follow from log-odds and rivalry."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.belief import FEATURES, Heads, Targets, evidence, probabilities


@given(arrays(np.float64, (3, 4), elements=st.floats(-30, 30)))
def test_rivals_and_nothing_add_up_to_one(log_odds: np.ndarray) -> None:
    chance = probabilities(log_odds, np.ones((4, 4)))
    nothing = 1 / (1 + np.exp(log_odds).sum(axis=1))

    np.testing.assert_allclose(chance.sum(axis=1) + nothing, 1, atol=1e-9)


def test_without_rivalry_each_target_stands_alone() -> None:
    log_odds = np.array([[0.0, 2.0, -800.0, 800.0]])

    np.testing.assert_allclose(probabilities(log_odds, np.eye(4)), [[0.5, 1 / (1 + np.exp(-2.0)), 0, 1]])


def test_a_target_that_cannot_be_has_no_chance_and_takes_none() -> None:
    np.testing.assert_allclose(probabilities(np.array([[0.0, -np.inf]]), np.ones((2, 2))), [[0.5, 0]])
    assert probabilities(np.zeros((2, 0)), np.ones((0, 0))).shape == (2, 0)


def test_what_speaks_for_a_target() -> None:
    heads = Heads(np.array([[0.5, 0.5]]), np.array([0.5]), np.array([90.0]), np.array([0.8]))
    targets = Targets(np.array([[0.9, 0.5], [0.5, 0.1]]), np.array([0.1, 0.01]), np.array([False, True]))

    ((area, person),) = evidence(heads, targets, np.array([[0.25, 0.5]]), aspect=2.0)

    named = dict(zip(FEATURES, area, strict=True))
    assert (named["area_bias"], named["person_bias"], named["facing_person"]) == (1, 0, 0)
    np.testing.assert_allclose([named["mass"], named["size"]], np.log([0.251, 0.1001]))
    np.testing.assert_allclose([named["in_frame"], named["aside"], named["facing"]], [0, 0.8, 0], atol=1e-12)
    assert (person[0], person[1]) == (0, 1)
    np.testing.assert_allclose(person[FEATURES.index("aside")], 0, atol=1e-12)


def test_what_is_unknown_speaks_for_nothing() -> None:
    heads = Heads(np.array([[0.5, 0.5]]), np.array([1.0]), np.array([np.nan]), np.array([0.8]))
    targets = Targets(np.array([[0.5, 0.5]]), np.array([0.1]), np.array([True]))

    named = dict(zip(FEATURES, evidence(heads, targets, np.array([[0.0]]), 1.0)[0, 0], strict=True))

    assert (named["aside"], named["facing"], named["facing_person"]) == (0, 0, 0)
    assert named["in_frame"] == 6
