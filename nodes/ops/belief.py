"""How probable it is that a head looks at a target, from its gaze map and from where it points.

Each target has log-odds against "nothing of these", a weighted sum of what speaks for it (a conditional logit); targets
that do not overlap are rivals, so their probabilities and that of nothing add up to 1.

Ref: McFadden, "Conditional logit analysis of qualitative choice behavior", 1974.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_MASS = 1e-3
"""Added to the share of the map in a target: what a map says about places far from its hill is not worth more."""
LEAST_SIZE = 1e-4
LEAST_WAY = 0.05
"""Targets nearer to the head than this, in frame heights, lie in no clear direction."""
MAX_LOGIT = 6.0
"""An in-frame probability nearer to 0 or 1 than this (0.25 %) counts as that."""

MAX_LOG_ODDS = 50.0
"""Surer is the same, and a number that can still be summed."""

FEATURES = ("area_bias", "person_bias", "mass", "size", "in_frame", "aside", "facing", "facing_person")
"""What the columns of `evidence` are; a weight for each."""


@dataclass(frozen=True)
class Heads:
    """N heads of one frame."""

    point: Array
    """(N, 2) centre, fractions of the frame."""
    in_frame_prob: Array
    """(N,)."""
    yaw_deg: Array
    """(N,) NaN where unknown."""
    agreement: Array
    """(N,) 0 to 1: how sure the yaw is."""


@dataclass(frozen=True)
class Targets:
    """M targets of one frame."""

    centre: Array
    """(M, 2) fractions of the frame."""
    size: Array
    """(M,) share of the frame."""
    is_person: Array
    """(M,) bool."""


def evidence(heads: Heads, targets: Targets, mass: Array, aspect: float) -> Array:
    """Return what speaks for each target, (N, M, 8) float64, columns as in `FEATURES`.

    `mass`: the more of the map lies in the target, the likelier; `size`: a large one catches much by chance;
    `in_frame`: the head looks at something in the picture at all; `aside`: 1 when the head is turned to the side on
    which the target is, -1 when to the other; `facing`: 1 when the head faces the camera, -1 when it turns its back.

    Args:
        heads: N heads.
        targets: M targets.
        mass: (N, M) share of each head's map that lies in each target.
        aspect: width of the frame over its height.
    """
    way = (targets.centre[None] - heads.point[:, None]) * np.array([aspect, 1.0])  # (N, M, 2)
    far = np.maximum(np.hypot(way[..., 0], way[..., 1]), LEAST_WAY)
    yaw = np.radians(np.nan_to_num(heads.yaw_deg))
    sure = np.where(np.isnan(heads.yaw_deg), 0.0, heads.agreement)
    person = np.broadcast_to(targets.is_person.astype(np.float64), mass.shape)
    facing = np.broadcast_to((sure * np.cos(yaw))[:, None], mass.shape)
    chance = np.clip(heads.in_frame_prob.astype(np.float64), 1e-9, 1 - 1e-9)
    logit = np.clip(np.log(chance / (1 - chance)), -MAX_LOGIT, MAX_LOGIT)
    columns = (
        1 - person,
        person,
        np.log(mass + LEAST_MASS),
        np.broadcast_to(np.log(targets.size + LEAST_SIZE), mass.shape),
        np.broadcast_to(logit[:, None], mass.shape),
        (sure * np.sin(yaw))[:, None] * way[..., 0] / far,
        facing,
        facing * person,
    )
    return np.stack(columns, axis=-1)


def probabilities(log_odds: Array, rivalry: Array) -> Array:
    """Return the probability (N, M) of each target, from its log-odds against nothing (N, M).

    Args:
        log_odds: of each head and target.
        rivalry: (M, M) 1 where only one of two targets can be looked at, 0 where one lies in the other, and between.
    """
    odds = np.exp(np.minimum(log_odds, MAX_LOG_ODDS))
    others = odds @ (rivalry * (1 - np.eye(len(rivalry)))).T
    return np.asarray(odds / (1 + odds + others))
