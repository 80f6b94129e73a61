"""Shaders of what is worn on the head: felt, knitwear, straw, panels, vents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader
from scenes.grain import GRAINS, grain, sampled, smooth_grain

Colours = NDArray[np.float32]


def felt(colour: Colours, phase: float) -> Shader:
    """Return cloth with soft folds that run down from the top."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        folds = 1 + 0.06 * np.sin(np.arctan2(x, z) * 6 + phase) + 0.04 * np.sin(y * 14 + phase)
        return (colour[None, :] * folds[:, None]).astype(np.float32), None

    return shade


def top_of(shader: Shader, lowest: float) -> Shader:
    """Keep of a part what lies above a height of its unit sphere."""

    def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        return shader(points)[0], points[1] < lowest

    return shade


def banded(shader: Shader, band: Colours, highest: float = -0.15, lowest: float = 0.3) -> Shader:
    """Put a band of another colour around a part."""

    def shade(points: Colours) -> tuple[Colours, None]:
        colour = shader(points)[0]
        colour[(points[1] > highest) & (points[1] < lowest)] = band
        return colour, None

    return shade


def around_face(shader: Shader) -> Shader:
    """Leave an oval open in front."""

    def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        x, y, z = points
        opening = ((x / 0.68) ** 2 + ((y - 0.1) / 0.8) ** 2 < 1) & (z > 0)
        return shader(points)[0], ~opening

    return shade


def worn(colour: Colours, number: int, strength: float = 1.0) -> Shader:
    """Return dull cloth: coarse light and dark, fine grain."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        around = np.arctan2(x, z)
        coarse = sampled(smooth_grain(number % GRAINS), around * 18 + 400, y * 26 + z * 9 + 400)
        fine = sampled(grain(number % GRAINS), around * 40 + 400, y * 45 + z * 30 + 400)
        light = 1 + strength * (0.1 * coarse + 0.05 * fine)
        return (colour[None, :] * np.clip(light, 0.3, 1.8)[:, None]).astype(np.float32), None

    return shade


def straw(colour: Colours, number: int) -> Shader:
    """Return plaited straw in rings around the head."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        rings = np.sin((np.hypot(x, z) + y) * 45)
        plait = sampled(grain(number % GRAINS), np.arctan2(x, z) * 60 + 400, np.hypot(x, z) * 30 + 400)
        return (colour[None, :] * (1 + 0.09 * rings + 0.1 * plait)[:, None]).astype(np.float32), None

    return shade


def ribbed(colour: Colours, cuff: Colours, number: int) -> Shader:
    """Return knitwear with ribs that meet at the crown and a folded cuff."""
    cloth = worn(colour, number, 0.6)

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        shaded = cloth(points)[0]
        low = y > -0.12
        shaded[low] = cuff * (shaded[low] / np.maximum(colour, 1))
        ribs = 1 + 0.12 * np.sin(np.arctan2(x, z) * 34) - 0.25 * (np.abs(y + 0.12) < 0.03)
        return (shaded * ribs[:, None]).astype(np.float32), None

    return shade


def panels(colour: Colours, front: Colours, number: int) -> Shader:
    """Return the six sewn panels of a cap with their seams and a button; the front two may have another colour."""
    cloth = worn(colour, number, 0.7)

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        around = np.arctan2(x, z)
        shaded = cloth(points)[0]
        ahead = np.abs(around) < 0.9
        shaded[ahead] *= front / np.maximum(colour, 1)
        seam = np.abs(np.sin(around * 3)) < 0.1 / np.maximum(np.hypot(x, z), 0.12)
        button = y < -0.985
        shaded *= np.where(seam | button, 0.68, 1.0)[:, None]
        return shaded.astype(np.float32), None

    return shade


def vented(colour: Colours, second: Colours, number: int) -> Shader:
    """Return the shell of a bicycle helmet: long dark openings from front to back, ribs between them."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        row = x * 3.1
        long = np.abs(np.sin(z * 3.2 + 0.9 * np.round(row) + number))
        opening = (np.abs(row - np.round(row)) < 0.27) & (long > 0.35) & (y < -0.12)
        shaded = np.repeat(colour[None, :], points.shape[1], axis=0)
        shaded[y > -0.12] = second
        shaded[opening] = np.float32(18)
        return shaded.astype(np.float32), None

    return shade


def ridged(colour: Colours) -> Shader:
    """Return the shiny shell of a construction helmet with ridges over the crown."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        ridge = (np.abs(np.abs(x) - 0.24) < 0.05) | (np.abs(x) < 0.06)
        light = 1 + 0.16 * ridge - 0.12 * (np.abs(np.abs(x) - 0.15) < 0.035)
        shine = 70 * np.exp(-(((y + 0.8) / 0.12) ** 2 + ((z - 0.25) / 0.35) ** 2))
        return (colour[None, :] * light[:, None] + shine[:, None]).astype(np.float32), None

    return shade


def dented(shader: Shader, band: Colours) -> Shader:
    """Return a hat's crown: a groove along its top and a band at its foot."""

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        shaded = shader(points)[0]
        groove = np.exp(-((x / 0.2) ** 2)) * (y < -0.55) + 0.5 * np.exp(-(((np.abs(x) - 0.4) / 0.15) ** 2)) * (z > 0.3)
        shaded *= (1 - 0.38 * groove)[:, None]
        shaded[(y > -0.1) & (y < 0.25)] = band
        return shaded.astype(np.float32), None

    return shade
