"""Draw what lifelike people wear on head and face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.colours import grey, random_colour
from scenes.looks import Looks

Colours = NDArray[np.float32]

_HATS = {
    "none": 0.42,
    "fedora": 0.06,
    "straw": 0.05,
    "sun-hat": 0.03,
    "bucket": 0.03,
    "cap-ahead": 0.10,
    "cap-behind": 0.03,
    "knit": 0.08,
    "hood-up": 0.06,
    "headscarf": 0.05,
    "bike-helmet": 0.05,
    "hard-hat": 0.04,
}
_SHADOWS = {"fedora": 0.5, "straw": 0.55, "sun-hat": 0.8, "bucket": 0.45, "cap-ahead": 0.5, "hood-up": 0.35}
_STRAW: Colours = np.array([[150, 190, 215], [115, 165, 200], [95, 140, 175], [190, 215, 228]], np.float32)
_SIGNAL: Colours = np.array([[30, 190, 235], [235, 238, 240], [30, 110, 235], [190, 90, 30], [40, 40, 205]], np.float32)


def with_headwear(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person with other things on head and face."""
    hat = str(rng.choice(list(_HATS), p=list(_HATS.values())))
    colour = hat_colour(hat, rng)
    second = random_colour(rng, 10, 235) if rng.random() < 0.3 else colour * np.float32(rng.uniform(0.55, 1.1))
    face = rng.random()
    glasses = rng.random()
    dark = bool(glasses < 0.12)
    shade = random_colour(rng, 5, 60 if dark or rng.random() < 0.7 else 170, saturation=30)
    return replace(
        looks,
        hat=hat,
        hat_colour=np.clip(colour, 4, 245).astype(np.float32),
        hat_band=np.clip(second, 4, 245).astype(np.float32),
        hat_size=float(rng.uniform(0.4, 1.6)),
        hat_shadow=_SHADOWS.get(hat, 0.0) * float(rng.uniform(0.3, 1.0)),
        mask=_mask(rng) if face < 0.3 else None,
        glasses=shade if glasses < 0.38 else None,
        dark_glasses=dark,
        headphones=grey(rng, 8, 230) if hat not in ("hood-up", "headscarf") and rng.random() < 0.06 else None,
    )


def hat_colour(hat: str, rng: np.random.Generator) -> Colours:
    """Draw the colour of a kind of hat."""
    if hat in ("straw", "sun-hat") or (hat == "fedora" and rng.random() < 0.3):
        return _one_of(_STRAW, rng)
    if hat == "hard-hat" or (hat == "bike-helmet" and rng.random() < 0.3):
        return _one_of(_SIGNAL, rng)
    kind = rng.random()
    if kind < 0.55:
        return grey(rng, 10, 75)
    return grey(rng, 90, 245) if kind < 0.72 else random_colour(rng, 25, 220)


def _one_of(palette: Colours, rng: np.random.Generator) -> Colours:
    """Draw one of (N, 3) colours, somewhat lighter or darker."""
    colour: Colours = palette[int(rng.integers(len(palette)))] * np.float32(rng.uniform(0.78, 1.08))
    return colour


def _mask(rng: np.random.Generator) -> Colours:
    """Draw a surgical, white, black or coloured mask."""
    kind = rng.random()
    if kind < 0.4:
        return (np.array([222, 200, 165]) * rng.uniform(0.85, 1.05)).astype(np.float32)
    if kind < 0.6:
        return grey(rng, 205, 245)
    return grey(rng, 12, 45) if kind < 0.87 else random_colour(rng, 30, 200)
