"""Lidded pots with spouts, handles and knobs as clouds of points: round, upright and shaded as heads are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scenes.sprites import PITCHES_DEG, Cloud, Sprite, splat
from scenes.wares import Profile, handle, joined, turned

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Pot:
    profile: Profile
    handle: tuple[float, float, float] | None = None
    """Where it starts, at what height, its size."""
    spout: tuple[tuple[float, float], tuple[float, float], float] | None = None
    """From (outwards, up) to (outwards, up), and its radius at the pot."""
    hoop: bool = False
    """A handle over the top."""


_ROUND: Profile = (
    (0.24, 0.0, 0.7),
    (0.38, 0.12, 0.88),
    (0.45, 0.3, 1.0),
    (0.38, 0.5, 1.02),
    (0.24, 0.6, 1.03),
    (0.24, 0.6, 0.55),
    (0.22, 0.63, 0.98),
    (0.08, 0.69, 1.0),
    (0.05, 0.71, 0.6),
    (0.08, 0.77, 1.03),
    (0.0, 0.8, 0.95),
)
_TALL: Profile = (
    (0.3, 0.0, 0.75),
    (0.33, 0.3, 0.95),
    (0.26, 0.8, 1.0),
    (0.2, 0.95, 1.0),
    (0.2, 0.95, 0.55),
    (0.18, 0.98, 1.0),
    (0.05, 1.03, 0.7),
    (0.07, 1.09, 1.0),
    (0.0, 1.1, 0.95),
)
_OPEN: Profile = (
    (0.24, 0.0, 0.7),
    (0.4, 0.2, 0.95),
    (0.34, 0.5, 1.0),
    (0.22, 0.6, 1.04),
    (0.18, 0.6, 1.0),
    (0.16, 0.55, 0.5),
    (0.0, 0.5, 0.35),
)
_JAR: Profile = (
    (0.34, 0.0, 0.75),
    (0.4, 0.1, 0.95),
    (0.4, 0.55, 1.0),
    (0.34, 0.62, 0.6),
    (0.4, 0.66, 1.0),
    (0.3, 0.76, 1.03),
    (0.06, 0.82, 0.8),
    (0.09, 0.88, 1.0),
    (0.0, 0.9, 0.95),
)
_POTS = {
    "teapot": _Pot(_ROUND, (0.42, 0.34, 0.22), ((0.38, 0.24), (0.74, 0.62), 0.1)),
    "open teapot": _Pot(_OPEN, (0.36, 0.34, 0.22), ((0.34, 0.2), (0.66, 0.6), 0.09)),
    "kettle": _Pot(_ROUND, None, ((0.4, 0.3), (0.7, 0.56), 0.08), hoop=True),
    "coffee pot": _Pot(_TALL, (0.3, 0.5, 0.26), ((0.28, 0.4), (0.52, 0.92), 0.09)),
    "jar": _Pot(_JAR),
    "tureen": _Pot(_ROUND, (0.4, 0.35, 0.12), ((0.42, 0.35), (0.56, 0.38), 0.08)),
}
POTS = tuple(_POTS)
TURNS = 8
"""How many ways round pots are drawn."""


@cache
def pot(kind: str, turn: int, pitch: int) -> Sprite:
    """Return one of `POTS`, white and about as high as 1, at a turn of `TURNS` and an index into `PITCHES_DEG`."""
    made = _POTS[kind]
    cloud = turned(made.profile)
    if made.handle:
        cloud = joined(cloud, handle(*made.handle))
    if made.spout:
        cloud = joined(cloud, _spout(*made.spout))
    if made.hoop:
        cloud = joined(cloud, _hoop(0.4, 0.5))
    return splat(_about(cloud, 2 * math.pi * turn / TURNS), PITCHES_DEG[pitch])


def _spout(low: tuple[float, float], high: tuple[float, float], radius: float) -> Cloud:
    """Return a bent tube at the left side that grows thinner to its end."""
    along, around = np.meshgrid(np.linspace(0, 1, 90), np.linspace(0, 2 * math.pi, 40))
    out = low[0] + (high[0] - low[0]) * along
    up = low[1] + (high[1] - low[1]) * along**1.6
    thick = radius * (1 - 0.55 * along)
    normals = np.stack([-0.6 * np.cos(around), 0.8 * np.cos(around), np.sin(around)], axis=-1)
    points = np.stack([-out, up, 0 * out], axis=-1) + thick[..., None] * normals
    return _cloud(points, normals, 240)


def _hoop(half: float, high: float) -> Cloud:
    """Return a tube that bows over the top from side to side."""
    bend, around = np.meshgrid(np.linspace(0, math.pi, 140), np.linspace(0, 2 * math.pi, 30))
    out = np.stack([np.cos(bend), np.sin(bend), 0 * bend], axis=-1)
    normals = out * np.cos(around)[..., None] + np.array([0, 0, 1]) * np.sin(around)[..., None]
    points = np.array([0, high, 0]) + out * np.array([half, 0.55, 1]) + 0.035 * normals
    return _cloud(points, normals, 225)


def _cloud(points: Floats, normals: Floats, bright: float) -> Cloud:
    flat = [part.reshape(-1, 3).astype(np.float32) for part in (points, normals)]
    return Cloud(flat[0], flat[1], np.full_like(flat[0], bright))


def _about(cloud: Cloud, angle: float) -> Cloud:
    """Turn a cloud about the upright axis."""
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)
    return Cloud(cloud.points @ turn.T, cloud.normals @ turn.T, cloud.colours)
