"""Draw people as tall as children and adults of all ages are, and what they sit on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.colours import random_colour
from scenes.looks import Looks


def with_stature(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person as tall as children and adults of all ages are, with something to sit on."""
    seat = "wheelchair" if rng.random() < 0.05 else "stool" if rng.random() < 0.2 else "chair"
    looks = replace(looks, seat=seat, seat_colour=random_colour(rng, 12, 200, saturation=int(rng.integers(0, 150))))
    if rng.random() < 0.25:
        height = float(rng.uniform(0.85, 1.55))
        head = looks.head_scale * (0.8 + 0.2 * (height - 0.85) / 0.7)
        return replace(looks, height_m=height, head_scale=head, beard=0.0, build=looks.build * 0.95)
    return replace(looks, height_m=float(np.clip(rng.normal(1.69, 0.1), 1.45, 2.0)))
