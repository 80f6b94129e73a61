"""A conditional logit finds the weights that choices were drawn with."""

import numpy as np
import pytest

from training.choice import Choices, fit, surprise


def drawn(weights: np.ndarray, count: int, seed: int) -> Choices:
    """Draw choices among one to three options each, or none."""
    rng = np.random.default_rng(seed)
    choice = np.repeat(np.arange(count), rng.integers(1, 4, count))
    evidence = rng.normal(size=(len(choice), len(weights)))
    chosen = np.full(count, -1)
    for each in range(count):
        options = np.flatnonzero(choice == each)
        odds = np.append(np.exp(evidence[options] @ weights), 1.0)
        picked = rng.choice(len(odds), p=odds / odds.sum())
        chosen[each] = options[picked] if picked < len(options) else -1
    return Choices(evidence, choice, chosen)


def test_weights_are_found_again() -> None:
    true = np.array([1.5, -0.7, 0.0])

    found, loss = fit(drawn(true, 4000, 1))

    assert found == pytest.approx(true, abs=0.12)
    assert loss < surprise(np.zeros(3), drawn(true, 4000, 1))[0]


def test_surprise_is_that_of_a_hand_made_choice() -> None:
    """Two options with odds 3 and 1 against nothing: 3/5, 1/5 and 1/5; and one alone with odds 1, not chosen: 1/2."""
    evidence = np.log([[3.0], [1.0], [1.0]])
    choices = Choices(evidence, np.array([0, 0, 1]), np.array([0, -1]))

    assert surprise(np.ones(1), choices)[0] == pytest.approx(-(np.log(3 / 5) + np.log(1 / 2)) / 2)


def test_the_slope_is_that_of_small_steps() -> None:
    choices, at, step = drawn(np.array([0.5, -1.0]), 50, 2), np.array([0.3, 0.2]), 1e-6

    slope = surprise(at, choices)[1]

    for axis in range(2):
        ahead, behind = at.copy(), at.copy()
        ahead[axis] += step
        behind[axis] -= step
        apart = surprise(ahead, choices)[0] - surprise(behind, choices)[0]
        assert slope[axis] == pytest.approx(apart / (2 * step), abs=1e-6)


def test_what_says_nothing_weighs_nothing() -> None:
    choices = drawn(np.array([1.0, 0.0]), 500, 3)
    silent = Choices(choices.evidence * [1, 0], choices.choice, choices.chosen)

    assert fit(silent)[0][1] == 0.0
