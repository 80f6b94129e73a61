"""Random colours and smooth random fields."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

SKINS: Colours = np.array(
    [
        [205, 224, 245],
        [175, 205, 235],
        [150, 185, 225],
        [120, 160, 205],
        [95, 135, 185],
        [70, 105, 155],
        [50, 75, 115],
        [35, 50, 80],
    ],
    np.float32,
)


def random_colour(
    rng: np.random.Generator, darkest: int = 30, brightest: int = 255, saturation: int | None = None
) -> Colours:
    """Return a (3,) BGR colour of any hue whose brightest channel lies between the two limits."""
    hue = rng.uniform(0, 6)
    strength = (rng.uniform(20, 230) if saturation is None else saturation) / 255
    value = rng.uniform(max(darkest, 5), max(brightest, darkest + 1))
    wheel = np.clip(np.abs((hue + np.array([2.0, 4.0, 0.0])) % 6 - 3) - 1, 0, 1)
    colour: Colours = (value * (1 - strength + strength * wheel)).astype(np.float32)
    return colour


def grey(rng: np.random.Generator, darkest: int, brightest: int) -> Colours:
    """Return a (3,) BGR colour that is nearly without hue."""
    return random_colour(rng, darkest, brightest, saturation=int(rng.integers(0, 28)))


def random_skin(rng: np.random.Generator) -> Colours:
    """Return a (3,) BGR colour of skin, from pale to very dark."""
    between = rng.uniform(0, len(SKINS) - 1.001)
    low = int(between)
    mixed = SKINS[low] + (SKINS[low + 1] - SKINS[low]) * np.float32(between - low)
    shaded: Colours = mixed * np.float32(rng.uniform(0.85, 1.1)) + rng.normal(0, 5, 3).astype(np.float32)
    return shaded


def cloud(rng: np.random.Generator, height: int, width: int, octaves: int = 5, coarsest: int = 2) -> Colours:
    """Return an (height, width) field with mean 0 and deviation 1, smooth at `coarsest` cells across."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    longest = max(height, width)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        if cells > longest:
            break
        shape = (max(2, int(cells * height / longest) + 1), max(2, int(cells * width / longest) + 1))
        grid = rng.standard_normal(shape).astype(np.float32)
        total += np.float32(weight) * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight *= 0.55
    levelled: Colours = (total - total.mean()) / (total.std() + np.float32(1e-6))
    return levelled
