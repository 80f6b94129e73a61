"""Draw the clothes of a person with an outfit: tubes of cloth instead of the plain ellipsoids."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader, plain
from scenes.fabric import front_of, torso_fabric
from scenes.geometry import along
from scenes.outfit import Outfit

if TYPE_CHECKING:
    from scenes.body import BodyPainter

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_BLUNT = 1.75
"""How much longer than the tube the ellipsoid is from which it is cut."""


def tube(body: BodyPainter, start: Floats, end: Floats, radius: float, shader: Shader) -> None:
    """Draw a tube between two joints: the middle of an ellipsoid, hardly thinner at its ends."""
    bone = end - start
    length = float(np.linalg.norm(bone))
    half = length / 2 * _BLUNT / body.scale

    def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        return shader(points)[0], np.abs(points[1]) < 1 / _BLUNT + 0.02

    radii = (radius, half, radius)
    body.cut_part((start + end) / 2, radii, shade, along(bone / length), 1 / _BLUNT)


def draw_legs(body: BodyPainter, outfit: Outfit) -> None:
    """Draw trousers or bare legs, and shoes with soles."""
    looks = body.looks
    bare = outfit.kind == "dress"
    cloth = body.skin if bare else body.legs
    wide = 0.8 if bare else outfit.loose
    for side in (-1, 1):
        hip, knee, ankle = body.leg(side)
        tube(body, hip, knee, 0.082 * looks.build * (0.5 + 0.5 * wide), cloth)
        body.part(knee, (0.062 * wide * looks.build,) * 3, cloth)
        tube(body, knee, ankle, 0.06 * looks.build * wide, cloth)
        ahead = body.axes @ np.array([0, 0.035, 0.06]) * body.scale
        body.part(ankle + ahead, (0.048, 0.042, 0.13), plain(looks.shoes))
        sole = body.axes @ np.array([0, 0.066, 0.062]) * body.scale
        body.part(ankle + sole, (0.05, 0.016, 0.135), plain(outfit.soles))


def draw_torso(body: BodyPainter, outfit: Outfit) -> None:
    """Draw hips, the top down to its hem, shoulders, and what lies around the neck."""
    looks = body.looks
    build, wide = looks.build, looks.shoulder_m
    full = 0.94 + 0.06 * outfit.loose + (0.05 if outfit.kind in ("jacket", "coat", "hoodie") else 0.0)
    paint = front_of(outfit, looks.skin, looks.top)

    def cloth(radii: tuple[float, float, float], up: float) -> Shader:
        return torso_fabric(looks.top, radii, up, paint)

    def barrel(low: float, high: float, radii: tuple[float, float], shader: Shader | None = None) -> None:
        start, end = body.at(0, low, 0), body.at(0, high, 0)
        bone = start - end
        length = float(np.linalg.norm(bone))
        shape = (radii[0], length / body.scale / 2 * _BLUNT, radii[1])
        inner = shader or cloth(shape, (low + high) / 2)

        def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
            return inner(points)[0], np.abs(points[1]) < 1 / _BLUNT + 0.01

        axes = _upright_along(body, bone / length)
        body.cut_part((start + end) / 2, shape, shade, axes, 1 / _BLUNT)

    body.part(body.at(0, 0.95, 0), (0.16 * build, 0.14, 0.118 * build), body.legs)
    hem = max(outfit.hem_m, 0.86) if body.pose.seated else outfit.hem_m
    if hem < 0.8:
        barrel(hem, 1.0, (0.2 * build * full, 0.165 * build * full))
        hem = 0.95
    barrel(hem, 1.36, (0.172 * build * full, 0.128 * build * full))
    chest, yoke = (wide * 1.0 * full, 0.2, 0.125 * build * full), (wide * 0.96 * full, 0.085, 0.092 * full)
    body.part(body.at(0, 1.27, 0), chest, cloth(chest, 1.27))
    body.part(body.at(0, 1.38, 0), yoke, cloth(yoke, 1.38))
    _around_neck(body, outfit)


def _upright_along(body: BodyPainter, down: Floats) -> Floats:
    """Return axes of a leaning trunk: its second column points down along it, the third roughly forward."""
    right = body.axes[:, 0]
    ahead = np.cross(right, down)
    return np.stack([right, down, ahead / math.sqrt(float(ahead @ ahead))], axis=1)


def _around_neck(body: BodyPainter, outfit: Outfit) -> None:
    looks = body.looks
    body.part(body.at(0, 1.425, -0.012), (0.1, 0.05, 0.075), body.shirt)
    if looks.scarf is not None:
        scarf = plain(looks.scarf)
        body.part(body.at(0, 1.455, 0.005), (0.092, 0.042, 0.088), scarf)
        body.part(body.at(0.04, 1.33, 0.115), (0.035, 0.13, 0.022), scarf)
    elif outfit.kind in ("suit", "coat", "jacket", "shirt"):
        body.part(body.at(0, 1.452, -0.008), (0.073, 0.03, 0.07), plain(outfit.inner))
        if outfit.kind != "shirt":
            body.part(body.at(0, 1.45, -0.032), (0.09, 0.038, 0.06), body.shirt)
    if outfit.hood and looks.hat not in ("hood", "hood-up"):
        body.part(body.at(0, 1.43, -0.1), (0.12, 0.07, 0.065), body.shirt)
        body.part(body.at(0, 1.455, -0.03), (0.105, 0.036, 0.085), body.shirt)


def draw_arm(body: BodyPainter, shoulder: Floats, elbow: Floats, hand: Floats) -> None:
    """Draw a sleeve, its cuff and the hand."""
    looks = body.looks
    outfit = looks.outfit
    wide = 1.0 if outfit is None else outfit.loose
    lower = body.shirt if looks.long_sleeves else body.skin
    size = min(looks.build, 1.15)
    tube(body, shoulder, elbow, 0.053 * size * wide, body.shirt)
    body.part(elbow, (0.046 * size * wide,) * 3, lower)
    tube(body, elbow, hand, 0.043 * wide if looks.long_sleeves else 0.037, lower)
    body.part(hand, (0.038, 0.05, 0.038), body.skin)
