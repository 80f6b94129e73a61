"""Draw heads as they look from behind: hair that ends in a point or line on the nape, shaved sides, ears that show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.looks import Hair, Looks

Colours = NDArray[np.float32]

_BARE_NAPES = ("short", "fade", "buzz", "curly", "pony", "bun")
"""Cuts under which the nape is seen."""
_CUT_SHARES = {"short": 0.4, "fade": 0.2, "pony": 0.15, "bun": 0.25}


def with_nape(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person with a nape and ears, and with another haircut if its own hides them, or three times in ten."""
    hair = looks.hair
    if hair.style == "bald":
        return replace(looks, ears=float(rng.uniform(0.2, 1.0)))
    style = hair.style
    if style not in _BARE_NAPES or rng.random() < 0.3:
        style = str(rng.choice(list(_CUT_SHARES), p=list(_CUT_SHARES.values())))
    up = style in ("pony", "bun")
    hair = replace(
        hair,
        style=style,
        strands=hair.strands or float(rng.uniform(0.08, 0.36)),
        scalp=looks.skin * np.float32(rng.uniform(0.75, 1.0)),
        nape=float(rng.uniform(0.35, 0.95)),
        point=float(rng.uniform(-0.2, 0.9)),
        taper=float(rng.uniform(0.05, 0.7)) if rng.random() < 0.6 else 0.0,
        under=float(rng.uniform(0.25, 0.9)) if rng.random() < (0.6 if up else 0.3) else 1.0,
        volume=float(rng.uniform(0.01, 0.12)),
        knot=float(rng.uniform(0.2, 1.45)) if style == "bun" else hair.knot,
    )
    return replace(looks, hair=hair, ears=float(rng.uniform(0.0, 1.0)))


def above_nape(hair: Hair, points: Colours) -> Colours:
    """Return (K,) how far above the lower edge of the hair at the back points are, in skull radii."""
    x, y, z = points
    lowest: Colours | float = 0.5 if hair.style in ("pony", "bun", "curly") else 0.42
    if hair.nape is not None:
        aside = np.clip(np.abs(x), 0, 0.8)
        if hair.sharp != 1:
            aside = 0.8 * (aside / 0.8) ** np.float32(hair.sharp)
        lowest = hair.nape - hair.point * aside
    height: Colours = lowest - 0.35 * np.clip(z + 0.6, 0, 1) - y
    return height
