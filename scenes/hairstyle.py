"""Draw lifelike haircuts: the colours and shapes of real shops, light ones often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.looks import Looks

Colours = NDArray[np.float32]

_CUTS = {
    "bald": 0.05,
    "ring": 0.07,
    "buzz": 0.06,
    "fade": 0.09,
    "short": 0.23,
    "curly": 0.06,
    "mid": 0.12,
    "long": 0.18,
    "pony": 0.08,
    "bun": 0.06,
}
_DARK: Colours = np.array([[16, 16, 18], [24, 26, 32], [24, 32, 48], [32, 46, 68], [42, 66, 100]], np.float32)
_LIGHT: Colours = np.array(
    [
        [110, 155, 190],
        [150, 190, 218],
        [125, 172, 208],
        [92, 145, 190],
        [185, 210, 228],
        [75, 130, 178],
        [70, 110, 170],
    ],
    np.float32,
)
_GREY: Colours = np.array([[95, 98, 102], [140, 143, 146], [185, 187, 190], [220, 222, 225]], np.float32)
_LOOSE = ("mid", "long", "pony", "bun")


def with_hair(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person with a lifelike haircut."""
    style = str(rng.choice(list(_CUTS), p=list(_CUTS.values())))
    root, tip = _colours(looks.skin, style, rng)
    hair = replace(
        looks.hair,
        style=style,
        root=root,
        tip=tip,
        strands=float(rng.uniform(0.08, 0.36)),
        streaks=float(rng.uniform(0.1, 0.6)) if rng.random() < 0.35 else 0.0,
        melt=float(rng.uniform(-0.2, 1.4)) if style in _LOOSE and rng.random() < 0.4 else 9.0,
        scalp=(looks.skin * np.float32(rng.uniform(0.75, 1.0))).astype(np.float32),
        thin=float(rng.uniform(0.1, 0.4)) if style in ("short", "buzz", "ring", "fade") and rng.random() < 0.4 else 0.0,
        knot=float(rng.uniform(-0.45, 1.45)),
        curtain=float(rng.uniform(0.2, 1.0)) if style in ("mid", "long") and rng.random() < 0.5 else 0.0,
        volume=float(rng.uniform(0.01, 0.17)),
        hang=float(rng.uniform(0.08, 0.42)),
        parting=float(rng.normal(0, 0.22)) if rng.random() < 0.7 else 2.0,
        hairline=float(rng.uniform(-0.8, -0.36)),
        shine=float(rng.uniform(0, 0.45)),
    )
    beard = looks.beard
    if style in ("bald", "ring", "fade") and rng.random() < 0.45:
        beard = float(rng.uniform(0.3, 0.9))
    if style in ("long", "pony", "bun"):
        beard = beard if rng.random() < 0.15 else 0.0
    return replace(looks, hair=hair, beard=beard)


def _colours(skin: Colours, style: str, rng: np.random.Generator) -> tuple[Colours, Colours]:
    """Draw root and tip: dark, light, grey or close to the skin, which is what nets take for a face from behind."""
    kind = rng.random()
    if kind < 0.44:
        root = _DARK[int(rng.integers(len(_DARK)))]
    elif kind < 0.70:
        root = _LIGHT[int(rng.integers(len(_LIGHT)))]
    elif kind < 0.86 or (style == "ring" and kind < 0.9):
        root = _GREY[int(rng.integers(len(_GREY)))]
    else:
        root = skin * np.array([0.82, 0.94, 1.0], np.float32)
    root = root * np.float32(rng.uniform(0.75, 1.15)) + rng.normal(0, 4, 3).astype(np.float32)
    tip = root * np.float32(rng.uniform(0.85, 1.2))
    if style in _LOOSE and rng.random() < 0.4:
        tip = _LIGHT[int(rng.integers(len(_LIGHT)))] * np.float32(rng.uniform(0.8, 1.15))
    elif rng.random() < 0.15:
        tip = _GREY[int(rng.integers(len(_GREY)))] * np.float32(rng.uniform(0.7, 1.0))
    return np.clip(root, 6, 245).astype(np.float32), np.clip(tip, 6, 245).astype(np.float32)
