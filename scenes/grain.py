"""Fixed noise pictures that hair, cloth and other surfaces take their texture from."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from scenes.colours import cloud

Colours = NDArray[np.float32]

GRAIN_SIDE = 128
GRAINS = 16


@cache
def grain(number: int) -> Colours:
    """Return one (128, 128) noise picture with mean 0 and deviation 1; pictures 0 to 15 are in use."""
    rng = np.random.default_rng([77, number])
    coarse = cloud(rng, GRAIN_SIDE, GRAIN_SIDE, 6, 8)
    fine = rng.standard_normal((GRAIN_SIDE, GRAIN_SIDE)).astype(np.float32)
    return coarse * np.float32(0.6) + fine * np.float32(0.8)


@cache
def smooth_grain(number: int) -> Colours:
    """Return one (128, 128) noise picture with mean 0 and deviation 1 whose shapes are about 30 cells wide."""
    return cloud(np.random.default_rng([78, number]), GRAIN_SIDE, GRAIN_SIDE, 3, 4)


def sampled(picture: Colours, across: NDArray[np.floating], along: NDArray[np.floating]) -> Colours:
    """Return (K,) values of a repeated noise picture at K places given in cells."""
    rows = along.astype(np.int64) % GRAIN_SIDE
    columns = across.astype(np.int64) % GRAIN_SIDE
    values: Colours = picture[rows, columns]
    return values
