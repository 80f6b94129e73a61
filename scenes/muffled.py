"""Draw by chance what people are muffled up in: collars that stand up around the jaw, hats pulled down to the brows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.colours import grey, random_colour
from scenes.hatrack import hat_colour
from scenes.looks import Looks
from scenes.outfit import Collar

Colours = NDArray[np.float32]

_EARTH: Colours = np.array(
    [
        [35, 85, 95],
        [22, 50, 55],
        [40, 60, 95],
        [26, 38, 62],
        [60, 95, 130],
        [95, 140, 180],
        [90, 130, 150],
        [150, 185, 208],
        [40, 70, 150],
        [45, 35, 100],
        [50, 140, 190],
        [140, 145, 210],
    ],
    np.float32,
)
"""Olive, brown, tan, camel, khaki, beige, rust, burgundy, mustard, pink."""
_HATS = {"fedora": 0.35, "straw": 0.2, "bucket": 0.1, "cap-ahead": 0.2, "knit": 0.15}
_LOW_M = {"fedora": 0.045, "straw": 0.045, "bucket": 0.012, "cap-ahead": 0.03, "knit": 0.012}
"""How far down each may be worn: to the brows, brims to the eyes."""


def muffle(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person with a collar up, a hat pulled down, or both, so that little of the head shows."""
    kind = rng.random()
    if kind < 0.75:
        looks = _with_collar(looks, rng)
    if kind > 0.35:
        looks = _with_hat(looks, rng)
    return looks


def _with_collar(looks: Looks, rng: np.random.Generator) -> Looks:
    kind = rng.random()
    colour = looks.top.colour
    if kind < 0.55:
        colour = _EARTH[int(rng.integers(len(_EARTH)))] * np.float32(rng.uniform(0.55, 1.2))
    elif kind < 0.75:
        colour = looks.skin * np.float32(rng.uniform(0.3, 1.1))
    colour = _seen(colour + rng.normal(0, 4, 3))
    own = _seen(random_colour(rng, 15, 235)) if rng.random() < 0.15 else colour
    collar = Collar(
        colour=own,
        lining=own * np.float32(rng.uniform(0.35, 0.9)),
        tall=float(rng.uniform(0.05, 0.135)),
        wide=float(rng.uniform(0.07, 0.11)),
        open=0.0 if rng.random() < 0.3 else float(rng.uniform(0.25, 1.1)),
        drop=float(rng.uniform(-0.25, 0.5)),
    )
    return replace(looks, top=replace(looks.top, colour=colour), collar=collar, scarf=None)


def _with_hat(looks: Looks, rng: np.random.Generator) -> Looks:
    hat = str(rng.choice(list(_HATS), p=list(_HATS.values())))
    colour = hat_colour(hat, rng)
    band = rng.random()
    second = grey(rng, 8, 40) if band < 0.4 else random_colour(rng, 10, 235) if band < 0.6 else colour * np.float32(0.8)
    if rng.random() < 0.45:
        looks = replace(looks, hair=replace(looks.hair, style="bald" if rng.random() < 0.5 else "buzz"))
    return replace(
        looks,
        hat=hat,
        hat_colour=_seen(colour),
        hat_band=_seen(second),
        hat_size=float(rng.uniform(-0.4, 1.0)) if hat in ("fedora", "straw") else float(rng.uniform(0.4, 1.6)),
        hat_low=float(rng.uniform(0.0, _LOW_M[hat])),
        hat_shadow=float(rng.uniform(0.0, 0.5)),
        glasses=grey(rng, 8, 60) if rng.random() < 0.4 else None,
        headphones=None,
    )


def _seen(colour: NDArray[np.floating]) -> Colours:
    """Return a colour that is neither black nor white."""
    clipped: Colours = np.clip(colour, 6, 245).astype(np.float32)
    return clipped
