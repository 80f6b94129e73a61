"""What people hold before them or have at their feet: products, leaflets, telephones, baskets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas, plain
from scenes.colours import Colours, grey
from scenes.geometry import cross, looking_along, unit
from scenes.pose import GRIP, sample_arms
from scenes.prints import Bytes, contrasting, package_print, poster_print, screen_print

Floats = NDArray[np.float64]

KINDS = ("package", "bottle", "leaflet", "phone")
_SHARES = (0.5, 0.2, 0.12, 0.18)


@dataclass(frozen=True, eq=False)
class Held:
    """A thing in one hand or in both, its front to the face."""

    kind: str
    """One of `KINDS`."""
    size_m: tuple[float, float, float]
    """Width, height and thickness."""
    front: Bytes
    """(h, w, 3) what its owner sees."""
    back: Bytes
    """(h, w, 3)."""
    side: Colours
    """(3,) BGR."""
    tilt_rad: float
    """How far its top is turned away from its owner."""
    lit: float
    """Brightness of the front."""


def sample_held(rng: np.random.Generator, cloth: Colours, kind: str | None = None) -> Held:
    """Draw a thing whose colours stand out from clothes; `kind` is one of `KINDS`, None draws it."""
    kind = str(rng.choice(KINDS, p=_SHARES)) if kind is None else kind
    main = contrasting(rng, cloth)
    if kind == "phone":
        high = rng.uniform(0.14, 0.19)
        size = (high * rng.uniform(0.5, 0.6), high, 0.012)
        back = np.full((8, 8, 3), grey(rng, 10, 60) if rng.random() < 0.6 else np.clip(main, 0, 255), np.uint8)
        front, lit = screen_print(rng, size[0] / size[1]), rng.uniform(1.1, 1.4)
        return Held(kind, size, front, back, grey(rng, 10, 90), rng.uniform(-0.1, 0.5), lit)
    if kind == "leaflet":
        size = (rng.uniform(0.15, 0.3), rng.uniform(0.2, 0.3), 0.004)
        front, back = (poster_print(rng, grey(rng, 220, 255), size[0] / size[1]) for _ in range(2))
        return Held(kind, size, front, back, grey(rng, 200, 255), rng.uniform(0.0, 0.6), 1.0)
    high = rng.uniform(0.14, 0.32)
    across = high * (rng.uniform(0.28, 0.4) if kind == "bottle" else rng.uniform(0.5, 1.2))
    front, back = (package_print(rng, main, across / high) for _ in range(2))
    size = (across, high, across if kind == "bottle" else across * rng.uniform(0.2, 0.6))
    return Held(kind, size, front, back, main * np.float32(0.8), rng.uniform(-0.2, 0.5), rng.uniform(0.9, 1.1))


def gripping_arms(rng: np.random.Generator) -> tuple[str, str]:
    """Draw left and right arm, of which one or both hold something."""
    other = sample_arms(rng, reaching=0.0)
    return ((GRIP, GRIP), (GRIP, other[1]), (other[0], GRIP))[int(rng.choice(3, p=[0.4, 0.2, 0.4]))]


def draw_held(canvas: Canvas, held: Held, at: Floats, eyes: Floats) -> None:
    """Draw a held thing with its middle at a (3,) point, turned to the (3,) middle of its owner's head.

    It is nobody's: it hides what is behind it, and belongs to no one's outline.
    """
    away = unit(at - eyes)
    level = looking_along(away)
    cos, sin = math.cos(held.tilt_rad), math.sin(held.tilt_rad)
    right, down = level[:, 0], cos * level[:, 1] - sin * level[:, 2]
    if held.kind == "bottle":
        axes = np.stack([right, down, cross(right, down)], axis=1)
        w, h, _ = held.size_m
        canvas.ellipsoid(at, axes, np.array([w / 2, h / 2, w / 2]), plain(held.side * np.float32(1.2)))
        canvas.ellipsoid(
            at - down * h * 0.46, axes, np.array([w / 5, h / 6, w / 5]), plain(held.side * np.float32(0.6))
        )
        return
    across, low = right * held.size_m[0] / 2, down * held.size_m[1] / 2
    deep = cross(right, down) * held.size_m[2] / 2
    corner = {(a, b, c): at + a * across + b * low + c * deep for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)}
    edge = np.full((4, 4, 3), np.clip(held.side, 0, 255), np.uint8)
    faces = (
        (-deep, held.front, held.lit, ((-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1))),
        (deep, held.back, 0.9, ((1, -1, 1), (-1, -1, 1), (-1, 1, 1), (1, 1, 1))),
        (-across, edge, 0.75, ((-1, -1, 1), (-1, -1, -1), (-1, 1, -1), (-1, 1, 1))),
        (across, edge, 0.75, ((1, -1, -1), (1, -1, 1), (1, 1, 1), (1, 1, -1))),
        (-low, edge, 1.1, ((-1, -1, 1), (1, -1, 1), (1, -1, -1), (-1, -1, -1))),
        (low, edge, 0.6, ((-1, 1, -1), (1, 1, -1), (1, 1, 1), (-1, 1, 1))),
    )
    for outward, sheet, gain, names in faces:
        if float((canvas.camera.position - at - outward) @ outward) > 0:
            canvas.quad(np.stack([corner[name] for name in names]), sheet, gain)
