"""Things for shelves and tables as clouds of points: crockery, packages, bottles, bags and fruit."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.colours import random_colour
from scenes.sprites import PITCHES_DEG, Cloud, Sprite, splat
from scenes.textures import item_front

Colours = NDArray[np.float32]
Profile = tuple[tuple[float, float, float], ...]
"""Radius, height and brightness of the points of a silhouette; the thing is that line turned about its axis."""

CROCKERY = ("bowl", "bowls", "plates", "jug", "mug", "vase", "pot", "upright", "tureen", "cups")
GOODS = 24
"""How many different packages there are."""
FRUIT = 8
_ROUND, _STEPS = 256, 120


@cache
def crockery(kind: str, pitch: int) -> Sprite:
    """Return one of `CROCKERY`, white and as high as 1 or as wide, seen at an index into `PITCHES_DEG`."""
    if kind == "upright":
        return splat(_plate_on_edge(), PITCHES_DEG[pitch])
    cloud = turned(_PROFILES[kind])
    if kind in ("jug", "mug"):
        cloud = joined(cloud, handle(0.42 if kind == "mug" else 0.4, 0.5, 0.28))
    return splat(cloud, PITCHES_DEG[pitch])


@cache
def package(number: int, pitch: int) -> Sprite:
    """Return one of `GOODS` packages: a box, a bottle, a tin, a bag or a tub."""
    rng = np.random.default_rng([61, number])
    kind = number % 6
    if kind in (0, 1, 2):
        cloud = _box(rng, rng.uniform(0.3, 1.1), rng.uniform(0.2, 0.6), turn=rng.uniform(-0.7, 0.7))
    elif kind == 3:
        cloud = _banded(rng, ((0.0, 1.0, 0.8), (0.06, 1.0, 0.9), (0.07, 0.8, 1.0), (0.2, 0.62, 1.0), (0.2, 0.0, 1.0)))
    elif kind == 4:
        cloud = _banded(rng, ((0.0, 0.7, 0.9), (0.3, 0.7, 0.9), (0.3, 0.0, 1.0)))
    else:
        cloud = _bag(rng)
    return splat(cloud, PITCHES_DEG[pitch])


@cache
def fruit(number: int, pitch: int) -> Sprite:
    """Return one of `FRUIT`, as wide as 1."""
    rng = np.random.default_rng([62, number])
    colour = random_colour(rng, 130, 245, saturation=int(rng.integers(120, 235)))
    tall = rng.uniform(0.8, 1.15)
    ring = np.linspace(0, math.pi, 12)
    profile = tuple((0.5 * math.sin(a), 0.5 * tall * (1 - math.cos(a)), 0.7 + 0.3 * a / math.pi) for a in ring)
    cloud = turned(profile)
    return splat(
        Cloud(cloud.points, cloud.normals, (cloud.colours / 245 * colour).astype(np.float32)), PITCHES_DEG[pitch]
    )


def _piled(count: int, step: float, one: Profile) -> Profile:
    """Repeat a silhouette upwards."""
    return tuple((radius, height + step * k, bright) for k in range(count) for radius, height, bright in one)


_BOWL: Profile = ((0.0, 0.0, 0.8), (0.22, 0.0, 0.8), (0.38, 0.16, 0.9), (0.5, 0.5, 1.0), (0.46, 0.5, 1.05))
_BOWL_INSIDE: Profile = ((0.46, 0.5, 1.0), (0.35, 0.18, 0.82), (0.0, 0.08, 0.72))
_PROFILES: dict[str, Profile] = {
    "bowl": (*_BOWL, *_BOWL_INSIDE),
    "bowls": (
        *_piled(4, 0.1, ((0.36, 0.1, 0.62), (0.47, 0.32, 0.95), (0.5, 0.37, 1.05))),
        (0.46, 0.67, 1.0),
        (0.35, 0.45, 0.82),
        (0.0, 0.4, 0.72),
    ),
    "plates": (*_piled(9, 0.045, ((0.36, 0.0, 0.6), (0.5, 0.03, 1.02))), (0.33, 0.39, 0.92), (0.0, 0.385, 0.95)),
    "jug": (
        (0.24, 0.0, 0.8),
        (0.38, 0.2, 0.9),
        (0.4, 0.45, 1.0),
        (0.24, 0.8, 1.0),
        (0.3, 1.0, 1.05),
        (0.26, 0.99, 0.8),
        (0.2, 0.75, 0.5),
        (0.0, 0.6, 0.45),
    ),
    "mug": (
        (0.0, 0.0, 0.8),
        (0.38, 0.0, 0.85),
        (0.42, 0.85, 1.0),
        (0.38, 0.85, 1.0),
        (0.36, 0.15, 0.65),
        (0, 0.1, 0.6),
    ),
    "vase": (
        (0.2, 0.0, 0.8),
        (0.34, 0.35, 0.95),
        (0.3, 0.65, 1.0),
        (0.12, 0.95, 0.95),
        (0.18, 1.1, 1.05),
        (0.14, 1.08, 0.6),
        (0.08, 0.9, 0.4),
    ),
    "pot": (
        (0.26, 0.0, 0.75),
        (0.45, 0.25, 0.9),
        (0.5, 0.5, 1.0),
        (0.4, 0.78, 1.0),
        (0.2, 0.92, 1.0),
        (0.0, 0.95, 1.0),
    ),
    "tureen": (
        (0.2, 0.0, 0.7),
        (0.48, 0.22, 0.9),
        (0.5, 0.4, 1.0),
        (0.46, 0.42, 0.7),
        (0.3, 0.6, 1.0),
        (0.06, 0.66, 0.9),
        (0.09, 0.74, 1.0),
        (0.0, 0.78, 1.0),
    ),
    "cups": (
        *_piled(3, 0.3, ((0.2, 0.0, 0.6), (0.3, 0.2, 1.0), (0.32, 0.29, 1.0))),
        (0.28, 0.89, 0.95),
        (0.0, 0.7, 0.6),
    ),
}


def turned(profile: Profile) -> Cloud:
    """Turn a silhouette about the upright axis; white, darker where the profile says so."""
    knots = np.array(profile, np.float64)
    length = np.r_[0, np.cumsum(np.hypot(np.diff(knots[:, 0]), np.diff(knots[:, 1])) + 1e-6)]
    at = np.linspace(0, length[-1], _STEPS)
    radius, height, bright = (np.interp(at, length, knots[:, k]).astype(np.float32) for k in range(3))
    slope_r, slope_h = np.gradient(radius), np.gradient(height)
    norm = np.hypot(slope_r, slope_h) + np.float32(1e-6)
    out, up = slope_h / norm, -slope_r / norm
    angle = np.linspace(0, 2 * math.pi, _ROUND, endpoint=False).astype(np.float32)
    sin, cos = np.sin(angle)[:, None], np.cos(angle)[:, None]
    points = np.stack([radius * sin, height + 0 * sin, radius * cos], axis=-1).reshape(-1, 3)
    normals = np.stack([out * sin, up + 0 * sin, out * cos], axis=-1).reshape(-1, 3)
    colours = np.repeat(np.tile(bright, _ROUND)[:, None] * np.float32(245), 3, axis=1)
    return Cloud(points, normals, colours)


def handle(start: float, height: float, size: float) -> Cloud:
    """Return a bent tube at the right side."""
    bend, around = np.meshgrid(np.linspace(-1.7, 1.7, 120), np.linspace(0, 2 * math.pi, 40))
    out = np.stack([np.cos(bend), np.sin(bend), 0 * bend], axis=-1)
    normals = out * np.cos(around)[..., None] + np.array([0, 0, 1]) * np.sin(around)[..., None]
    points = np.array([start - 0.05, height, 0]) + size * out + 0.05 * normals
    flat = [part.reshape(-1, 3).astype(np.float32) for part in (points, normals)]
    return Cloud(flat[0], flat[1], np.full_like(flat[0], 235))


def _plate_on_edge() -> Cloud:
    flat = turned(((0.0, 0.06, 0.95), (0.3, 0.05, 0.9), (0.33, 0.02, 0.8), (0.48, 0.0, 1.0), (0.5, -0.01, 0.8)))
    lean = math.radians(78)
    turn = np.array([[1, 0, 0], [0, math.cos(lean), -math.sin(lean)], [0, math.sin(lean), math.cos(lean)]], np.float32)
    points = flat.points @ turn.T + np.array([0, 0.5, 0], np.float32)
    return Cloud(points, flat.normals @ turn.T, flat.colours)


def _banded(rng: np.random.Generator, profile: Profile) -> Cloud:
    """Return a bottle or tin: a white shape in bands of colour; the profile may start at the top."""
    cloud = turned(profile)
    colours = cloud.colours / 245 * random_colour(rng, 70)
    low = rng.uniform(0.1, 0.3)
    band = (cloud.points[:, 1] > low) & (cloud.points[:, 1] < low + rng.uniform(0.1, 0.3))
    colours[band] = random_colour(rng, 90)
    colours[cloud.points[:, 1] > 0.88] = random_colour(rng, 40)
    return Cloud(cloud.points, cloud.normals, colours.astype(np.float32))


def _box(rng: np.random.Generator, wide: float, deep: float, turn: float) -> Cloud:
    front = cv2.resize(item_front(rng), (120, 120), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    across, down = (v.ravel() for v in np.meshgrid(np.linspace(-0.5, 0.5, 120), np.linspace(1, 0, 120)))
    zero = np.zeros_like(across)
    side = front.mean(axis=0) * np.float32(0.5) + front * np.float32(0.3)
    top = front.mean(axis=0) * np.float32(0.9) + 0 * front
    faces = (
        (np.stack([across * wide, down, zero + deep / 2], axis=1), (0, 0, 1), front),
        (np.stack([zero - wide / 2, down, across * deep], axis=1), (-1, 0, 0), side),
        (np.stack([zero + wide / 2, down, across * deep], axis=1), (1, 0, 0), side),
        (np.stack([across * wide, zero + 1, (down - 0.5) * deep], axis=1), (0, 1, 0), top),
    )
    cos, sin = math.cos(turn), math.sin(turn)
    about = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    points = np.concatenate([face[0] for face in faces]) @ about.T
    normals = np.concatenate([np.tile(np.array(face[1], np.float64), (len(front), 1)) for face in faces]) @ about.T
    colours = np.concatenate([face[2] for face in faces])
    return Cloud(points.astype(np.float32), normals.astype(np.float32), colours.astype(np.float32))


def _bag(rng: np.random.Generator) -> Cloud:
    """Return a pillow of foil."""
    front = cv2.resize(item_front(rng), (120, 120), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    across, down = (v.ravel() for v in np.meshgrid(np.linspace(-1, 1, 120), np.linspace(1, -1, 120)))
    bulge = (1 - np.abs(across) ** 3) * (1 - down**4)
    points = np.stack([across * 0.36, 0.5 + 0.5 * down, 0.14 * bulge], axis=1).astype(np.float32)
    normals = np.stack([across**3, 0.3 + down**3 + 0.2 * np.sin(9 * across), 0 * down + 0.9], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Cloud(points, normals.astype(np.float32), front)


def joined(first: Cloud, second: Cloud) -> Cloud:
    """Return both as one."""
    return Cloud(
        np.concatenate([first.points, second.points]),
        np.concatenate([first.normals, second.normals]),
        np.concatenate([first.colours, second.colours]),
    )
