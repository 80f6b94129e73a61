"""Shaders of lifelike cloth: folds of light and dark, weave, seams, openings, prints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader
from scenes.grain import GRAINS, grain, sampled, smooth_grain
from scenes.looks import Cloth
from scenes.outfit import Outfit

Colours = NDArray[np.float32]
Bools = NDArray[np.bool_]
Paint = Callable[[Colours, Colours, Colours, Bools], None]
"""Paints on (K, 3) colours in place, given (K,) metres to the right and up on a 1.71 m body and what faces forward."""


def fabric(cloth: Cloth) -> Shader:
    """Return cloth with folds for limbs and other small parts."""
    number = int(cloth.phase * 2.5) % GRAINS

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, _ = points
        colour = np.repeat(cloth.colour[None, :], points.shape[1], axis=0)
        if cloth.pattern == 0:
            colour[np.sin(y * cloth.frequency + cloth.phase) > 0.3] = cloth.second
        elif cloth.pattern == 1:
            _check(colour, x, y, cloth)
        return _folded(colour, points, number, cloth.folds), None

    return shade


def torso_fabric(cloth: Cloth, radii: tuple[float, float, float], up: float, paint: Paint) -> Shader:
    """Return the cloth of a part of the torso whose centre is `up` metres high; `paint` adds openings and prints."""
    number = int(cloth.phase * 2.5) % GRAINS

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        right, high = x * np.float32(radii[0]), np.float32(up) - y * np.float32(radii[1])
        colour = np.repeat(cloth.colour[None, :], points.shape[1], axis=0)
        if cloth.pattern == 0:
            colour[np.sin(high * cloth.frequency * 6 + cloth.phase) > 0.3] = cloth.second
        elif cloth.pattern == 1:
            _check(colour, right * 6, high * 6, cloth)
        paint(colour, right, high, z > 0)
        body = np.stack([x, high * 5, z]).astype(np.float32)
        return _folded(colour, body, number, cloth.folds), None

    return shade


def _check(colour: Colours, x: Colours, y: Colours, cloth: Cloth) -> None:
    dark = (np.sin(y * cloth.frequency) > 0.2) ^ (np.sin(x * cloth.frequency) > 0.2)
    colour[dark] = colour[dark] * np.float32(0.6) + cloth.second * np.float32(0.4)


def _folded(colour: Colours, points: Colours, number: int, folds: float) -> Colours:
    """Lighten and darken (K, 3) colours by folds that run mostly along the part, creases across it, and weave."""
    x, y, z = points
    around = np.arctan2(x, z)
    long = sampled(smooth_grain(number), around * 13 + y * 6 + 4000, y * 16 + 4000)
    across = sampled(smooth_grain((number + 3) % GRAINS), around * 9 + 4000, y * 48 + around * 9 + 4000)
    weave = sampled(grain((number + 6) % GRAINS), around * 40 + 4000, y * 50 + 4000)
    light = 1 + folds * (0.8 * long + 0.55 * across) + np.float32(0.035) * weave
    # Dark cloth shows its folds as faint light, not as black.
    lifted = colour + np.float32(9) * np.clip(folds * 6 * long, -0.5, 2)[:, None]
    shaded: Colours = (lifted * np.clip(light, 0.35, 1.7)[:, None]).astype(np.float32)
    return shaded


def front_of(outfit: Outfit, skin: Colours, cloth: Cloth) -> Paint:
    """Return what the front and back of a top show: neckline, opening, tie, zip, buttons, pocket, print."""
    dark = np.float32(0.6)
    low = {"suit": 1.12, "coat": 1.2, "jacket": 1.24}.get(outfit.kind, 1.34)

    def paint(colour: Colours, right: Colours, up: Colours, front: Bools) -> None:
        wide = np.abs(right)
        if outfit.kind in ("tee", "dress", "knit", "hoodie"):
            colour[front & (up > 1.4) & (wide < (up - 1.38) * 1.3)] = skin
        if outfit.print_colour is not None:
            behind = ~front if outfit.print_behind else front
            on_print = behind & (wide < 0.1) & (np.abs(up - 1.27) < 0.06)
            letters = np.sin(right * 170) * np.sin(up * 140 + right * 60) > -0.3
            colour[on_print & letters] = outfit.print_colour
        if outfit.kind == "shirt":
            colour[front & (wide < 0.005)] *= dark
            colour[front & (wide < 0.02) & (up > 1.41)] = skin
        elif outfit.kind == "hoodie":
            pocket = (np.abs(up - 1.03) < 0.09) & (wide < 0.13 + (1.03 - up) * 0.4)
            colour[front & pocket] *= np.float32(0.86)
            strings = (np.abs(wide - 0.028) < 0.004) & (up > 1.27) & (up < 1.42)
            colour[front & strings] = outfit.soles
            if outfit.open_m > 0:
                colour[front & (wide < 0.004)] *= dark
        elif outfit.kind in ("jacket", "coat", "suit"):
            half = np.clip((up - low) * 0.42, 0, 0.12)
            if outfit.open_m > 0:
                half = np.maximum(half, outfit.open_m * (0.7 + (1.15 - up)))
            lapel = front & (wide > half) & (wide < half + 0.035) & (up > low)
            colour[lapel] *= np.float32(0.8)
            inside = front & (wide < half)
            colour[inside] = outfit.inner
            colour[front & (wide < 0.005)] *= dark
            if outfit.tie is not None:
                colour[inside & (wide < 0.024)] = outfit.tie
        colour[(up < outfit.hem_m + 0.025) & (cloth.folds > 0)] *= np.float32(0.8)

    return paint
