"""Draw necks as broad as those of men are from behind, with short hair above them that is cut to a sharp point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.looks import Looks

Colours = NDArray[np.float32]

_DARK: Colours = np.array([[8, 8, 9], [14, 15, 18], [20, 24, 32], [26, 36, 52]], np.float32)
_DARK_SHARE = 0.65


def with_neck(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person with a broad neck, short hair that ends in a point between bare skin, and ears that show."""
    hair = looks.hair
    root, tip = hair.root, hair.tip
    if rng.random() < _DARK_SHARE:
        root = _DARK[int(rng.integers(len(_DARK)))] * np.float32(rng.uniform(0.6, 1.2))
        tip = root * np.float32(rng.uniform(0.9, 1.3))
    hair = replace(
        hair,
        style="fade" if rng.random() < 0.2 else "short",
        root=root,
        tip=tip,
        strands=float(rng.uniform(0.08, 0.3)),
        scalp=looks.skin * np.float32(rng.uniform(0.75, 1.0)),
        nape=float(rng.uniform(0.2, 0.7)),
        point=float(rng.uniform(0.2, 0.7)),
        sharp=float(rng.uniform(0.3, 1.0)),
        taper=float(rng.uniform(0.05, 0.4)) if rng.random() < 0.5 else 0.0,
        under=1.0,
        volume=float(rng.uniform(0.01, 0.12)),
    )
    return replace(looks, hair=hair, ears=float(rng.uniform(0.2, 1.0)), neck=float(rng.uniform(1.0, 1.5)))
