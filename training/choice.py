"""Fit a conditional logit: which of several options, or none, is chosen, by a weighted sum of what speaks for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

Array = np.ndarray[Any, np.dtype[Any]]

RIDGE = 1e-4
"""Weight of the squared weights: keeps those of features that say nothing at 0."""


@dataclass(frozen=True)
class Choices:
    """K options of G choices, all below one another."""

    evidence: Array
    """(K, F) what speaks for each option."""
    choice: Array
    """(K,) which choice, 0 to G - 1, the option belongs to."""
    chosen: Array
    """(G,) the option, 0 to K - 1, that was chosen; -1 for none."""


def fit(choices: Choices) -> tuple[Array, float]:
    """Return the weights (F,) that make the choices likeliest, and the mean of -log of their probability."""

    def loss(weights: Array) -> tuple[float, Array]:
        value, slope = surprise(weights, choices)
        return value + RIDGE * float(weights @ weights), slope + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(choices.evidence.shape[1]), jac=True, method="L-BFGS-B")
    return found.x, surprise(found.x, choices)[0]


def surprise(weights: Array, choices: Choices) -> tuple[float, Array]:
    """Return the mean of -log of the probability of what was chosen, and its slope (F,) by the weights."""
    count, which, chosen = len(choices.chosen), choices.choice, choices.chosen
    log_odds = choices.evidence @ weights
    top = np.zeros(count)
    np.maximum.at(top, which, log_odds)
    odds = np.exp(log_odds - top[which])
    total = np.exp(-top)
    np.add.at(total, which, odds)
    chance = odds / total[which]
    some = chosen >= 0
    log_chance = np.where(some, log_odds[np.where(some, chosen, 0)], 0.0) - top - np.log(total)
    excess = chance.copy()
    excess[chosen[some]] -= 1
    return -float(log_chance.mean()), choices.evidence.T @ excess / count
