"""Lean heads to the shoulder, as people do who listen, rest or are tired; where they look stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.figure import Figure
from scenes.geometry import looking_along
from scenes.style import Style

_SHARE = 0.45
_USUAL_DEG, _MOST_DEG = 26.0, 50.0


def tilted(figures: list[Figure], seed: int, style: Style) -> list[Figure]:
    """Return the figures, some with their heads turned about the line of the nose if the style has `tilt`."""
    if not style.tilt:
        return figures
    rng = np.random.default_rng([46, seed])
    leant = []
    for figure in figures:
        roll = float(np.clip(rng.normal(0, _USUAL_DEG), -_MOST_DEG, _MOST_DEG)) if rng.random() < _SHARE else 0.0
        about_nose = looking_along(np.array([0.0, 0.0, 1.0]), np.radians(roll))
        leant.append(replace(figure, pose=replace(figure.pose, head=figure.pose.head @ about_nose)))
    return leant
