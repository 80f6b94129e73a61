"""Whether something is the case or not, as it changes over time: the forward filter of a chain of two states.

Either state lasts for some time on average and then gives way to the other. So evidence adds up while a state lasts,
one doubtful look hardly counts against a long run of sure ones, and what is long past is forgotten.

Ref: Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 1989, with two states and in continuous time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MAX_LOGIT = 6.0
"""Probabilities nearer to 0 or 1 than this (0.25 %) count as that, so that one sure look does not outvote many."""


@dataclass(frozen=True)
class Chain:
    """How long the states last, and how much one look says."""

    true_s: float
    """Mean time for which it is the case."""
    false_s: float
    """Mean time for which it is not."""
    evidence_s: float
    """Looks within this time say the same again: one counts by its share of it, wholly after that time or more."""


def bounded(chance: Array) -> Array:
    """Return probabilities (N,) float64 not nearer to 0 or 1 than `MAX_LOGIT`."""
    return _chance(_logit(chance))


def updated(chance: Array, seen: Array, dt_s: Array, chain: Chain) -> Array:
    """Return the probabilities after another look.

    Args:
        chance: (N,) after the look before.
        seen: (N,) what the new look alone says.
        dt_s: (N,) seconds between both.
        chain: how the states change.
    """
    settled = chain.true_s / (chain.true_s + chain.false_s)
    kept = np.exp(-dt_s * (1 / chain.true_s + 1 / chain.false_s))
    before = settled + (chance - settled) * kept
    return _chance(_logit(before) + np.minimum(dt_s / chain.evidence_s, 1) * _logit(seen))


def _logit(chance: Array) -> Array:
    """Return log(p / (1 - p)) within ± `MAX_LOGIT`."""
    tiny = np.finfo(np.float64).tiny
    precise = np.asarray(chance, np.float64)
    logit = np.log(np.maximum(precise, tiny)) - np.log(np.maximum(1 - precise, tiny))
    return np.asarray(np.clip(logit, -MAX_LOGIT, MAX_LOGIT))


def _chance(logit: Array) -> Array:
    """Return the probabilities of logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -MAX_LOGIT, MAX_LOGIT))))
