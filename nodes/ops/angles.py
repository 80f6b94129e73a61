"""Angles of heads. Yaw: 0 to the camera, +90 nose to image-right, ±180 away; degrees."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_DIRECTION_RAD = np.deg2rad(np.arange(8) * 45.0)
_DIRECTION_XY = np.stack([np.sin(_DIRECTION_RAD), np.cos(_DIRECTION_RAD)], axis=1)  # (8, 2) to image-right, to camera


def wrap_deg(angles: Array) -> Array:
    """Return angles turned into (-180, 180]."""
    return 180.0 - np.mod(180.0 - angles, 360.0)


def yaw_of_directions(scores: Array) -> tuple[Array, Array]:
    """Return the yaw that scores of the 8 head directions speak for, and how much they agree.

    The yaw is the heading of the sum of the 8 unit vectors, each as long as its score; the agreement is the length of
    that sum over the sum of the lengths: 1 for one direction, 0.92 for two equal neighbours, 0 for two opposite ones.
    This is the mean direction and mean resultant length of circular statistics (Mardia and Jupp, 2000).

    Args:
        scores: (N, 8), 0 or more, direction k at k · 45°.

    Returns:
        Yaw (N,) float64 degrees in (-180, 180], and agreement (N,) float64, 0 where all scores are 0.
    """
    vectors = scores.astype(np.float64) @ _DIRECTION_XY  # (N, 2)
    total = scores.sum(axis=1, dtype=np.float64)
    length = np.hypot(vectors[:, 0], vectors[:, 1])
    agreement = np.divide(length, total, out=np.zeros_like(total), where=total > 0)
    return wrap_deg(np.rad2deg(np.arctan2(vectors[:, 0], vectors[:, 1]))), np.minimum(agreement, 1.0)
