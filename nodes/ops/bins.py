"""Angles that models tell as scores of equal steps.

Ref: Abdelrahman et al., "L2CS-Net: Fine-Grained Gaze Estimation in Unconstrained Environments", 2022 (steps of 4° from
-180° or of 3° from -42°); Zhou and Gregson, "WHENet", BMVC 2020 (steps of 3° from -180° and from -99°).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def expected_deg(scores: Array, width_deg: float, first_deg: float) -> Array:
    """Return the mean (N,) of the steps that scores (N, steps) speak for, weighted by softmax; degrees.

    Step i stands for `first_deg + i · width_deg`. The mean is that of numbers, as the models learned it, not that of
    directions: of a head seen from behind, scored at both ends of the circle, it is the middle between them.
    """
    return np.asarray(_chances(scores) @ _steps(scores.shape[1], width_deg, first_deg))


def sureness(scores: Array, width_deg: float, first_deg: float) -> Array:
    """Return how much the scores (N, steps) agree: (N,) 0 where all directions are as likely, 1 where one alone is.

    The mean resultant length of circular statistics (Mardia and Jupp, 2000).
    """
    turns = np.exp(1j * np.radians(_steps(scores.shape[1], width_deg, first_deg)))
    return np.asarray(np.abs(_chances(scores) @ turns))


def _steps(count: int, width_deg: float, first_deg: float) -> Array:
    return first_deg + width_deg * np.arange(count)


def _chances(scores: Array) -> Array:
    """Return the softmax (N, steps) of scores."""
    scores = np.asarray(scores, np.float64)
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
