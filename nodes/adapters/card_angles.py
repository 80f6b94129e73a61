"""Angles from the outputs of models, as their cards describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodes.ops import bins
from pipeline.card_fields import Angle

Array = np.ndarray[Any, np.dtype[Any]]


def degrees(answer: Mapping[str, Array], angle: Angle) -> Array:
    """Return an angle (K,) in degrees, with our sign, of outputs by name; NaN where the model gives none."""
    given = answer[angle.output]
    if angle.bins:
        told = bins.expected_deg(_finite(given), angle.bins.width_deg, angle.bins.first_deg)
        told = np.where(np.isfinite(given).all(axis=1), told, np.nan)
    else:
        told = given[:, angle.column].astype(np.float64)
        told = np.degrees(told) if angle.unit == "radians" else told
    return np.asarray(angle.sign * told)


def sureness(answer: Mapping[str, Array], angle: Angle) -> Array:
    """Return how sure the model is of an angle (K,), 0 to 1; 1 where its outputs do not say."""
    given = answer[angle.output]
    if angle.bins is None:
        return np.ones(len(given))
    return bins.sureness(_finite(given), angle.bins.width_deg, angle.bins.first_deg)


def _finite(scores: Array) -> Array:
    return np.where(np.isfinite(scores).all(axis=1, keepdims=True), scores, 0)
