"""How the people of a clip spend their time: what they look at, for how long, and what they take into their hands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

Shares = dict[str, float]


@dataclass(frozen=True)
class Habits:
    """Chances and lengths; those of plain clips unless said otherwise."""

    at_stop: Shares = field(
        default_factory=lambda: {
            "aoi": 0.42,
            "surface": 0.12,
            "person": 0.09,
            "camera": 0.12,
            "hand": 0.06,
            "elsewhere": 0.19,
        }
    )
    """Of what is looked at while standing; they add up to 1."""
    walking: Shares = field(
        default_factory=lambda: {
            "aoi": 0.20,
            "surface": 0.14,
            "person": 0.08,
            "camera": 0.14,
            "hand": 0.04,
            "elsewhere": 0.40,
        }
    )
    before_display: float = 0.75
    """How many stops are before a display."""
    faithful: float = 0.55
    """How many looks at displays are at the one before which a person stands."""
    at_products: float = 0.45
    """How many looks at a display are at a product, if it has any."""
    over_areas: float = 1.0
    """How many looks at the hand or at nothing are kept whose point lies over an area in the picture: no map of the
    picture can tell those from looks at the area."""
    holds: bool = False
    """Whether what is looked at in the hand is drawn there."""
    lengths_s: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Shortest and longest look by kind of target; empty: half a second to three, whatever it is."""

    def length_s(self, rng: np.random.Generator, kind: str) -> float:
        """Draw the length of a look at a kind of target of `lengths_s`: short ones rather than long ones."""
        shortest, longest = (math.log(limit) for limit in self.lengths_s[kind])
        return math.exp(rng.uniform(shortest, longest))


PLAIN_HABITS = Habits()
SHOPPERS = Habits(
    at_stop={
        "aoi": 0.57,
        "thing": 0.05,
        "hand": 0.17,
        "person": 0.10,
        "camera": 0.03,
        "surface": 0.03,
        "elsewhere": 0.05,
    },
    walking={
        "aoi": 0.46,
        "thing": 0.10,
        "hand": 0.04,
        "person": 0.14,
        "camera": 0.04,
        "surface": 0.04,
        "elsewhere": 0.18,
    },
    before_display=0.92,
    faithful=0.6,
    at_products=0.65,
    over_areas=0.05,
    holds=True,
    lengths_s={
        "aoi": (0.8, 4.0),
        "thing": (0.7, 2.0),
        "hand": (0.9, 3.0),
        "person": (0.7, 2.5),
        "camera": (0.4, 1.0),
        "surface": (0.4, 1.0),
        "elsewhere": (0.4, 1.0),
    },
)
"""People who came to look at things: 0.8 to 4 s at a display, products in their hands, one another."""
