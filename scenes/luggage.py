"""Draw what people carry, push or have put down: bags, suitcases, baskets, carts, telephones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader, plain
from scenes.fabric import fabric
from scenes.furniture import box
from scenes.geometry import along
from scenes.outfit import Outfit
from scenes.place import Block

if TYPE_CHECKING:
    from scenes.body import BodyPainter

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_TALL = 0.31
_IN_BOTH_HANDS = ("hold", "hold")


def arms_for(carried: str, arms: tuple[str, str]) -> tuple[str, str]:
    """Return what the arms do, left and right, given what is carried."""
    left = arms[0]
    if carried == "cart":
        return _IN_BOTH_HANDS
    if carried == "phone":
        return left, "phone"
    if carried in ("suitcase", "basket", "tote"):
        return left, "hang"
    return arms


def put_beside(body: BodyPainter, outfit: Outfit) -> None:
    """Draw what is no part of the person, before the person, so that it hides and is hidden but has no owner."""
    if outfit.carried == "suitcase":
        _suitcase(body, outfit.carried_colour)
    elif outfit.carried == "basket":
        _basket(body, outfit.carried_colour, 0.30, 0.44, 0.12)
    elif outfit.carried == "floor-basket":
        _basket(body, outfit.carried_colour, 0.42, 0.0, 0.3)
    elif outfit.carried == "cart" and not body.pose.seated:
        _cart(body, outfit.carried_colour)


def put_on_body(body: BodyPainter, outfit: Outfit) -> None:
    """Draw backpack, handbag and telephone; they belong to the person."""
    if outfit.pack is not None:
        _backpack(body, outfit.pack)
    carried, colour = outfit.carried, plain(outfit.carried_colour)
    if carried == "handbag":
        body.part(body.at(0.235, 0.95, 0.02), (0.05, 0.11, 0.15), colour)
        for ahead in (0.1, -0.1):
            _rod(body, body.at(0.2, 1.05, ahead), body.at(0.13, 1.42, ahead * 0.6), 0.011, outfit.carried_colour)
    elif carried == "tote":
        hand = body.at(body.looks.shoulder_m + 0.06, 0.84, 0.05)
        middle = hand + np.array([0, 0.24, 0]) * body.scale
        body.cut_part(middle, (0.06, 0.3, 0.16), _middle_of(colour, 0.6), body.axes, 0.6)
    elif carried == "phone":
        phone = plain(np.full(3, 22, np.float32))
        body.part(body.at(0.1, 1.39, 0.36), (0.038, 0.078, 0.009), phone)


def _middle_of(shader: Shader, kept: float) -> Shader:
    """Cut the round ends off a part."""

    def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        return shader(points)[0], np.abs(points[1]) < kept

    return shade


def _backpack(body: BodyPainter, colour: Colours) -> None:
    cloth = fabric(replace(body.looks.top, colour=colour, pattern=9))
    body.cut_part(body.at(0, 1.2, -0.19), (0.165, _TALL, 0.125), _middle_of(cloth, 0.7), body.axes, 0.7)
    body.part(body.at(0, 1.4, -0.18), (0.13, 0.045, 0.1), cloth)
    body.part(body.at(0, 0.995, -0.18), (0.135, 0.04, 0.1), cloth)
    body.part(body.at(0, 1.13, -0.285), (0.115, 0.115, 0.05), plain(colour * np.float32(0.75)))
    body.part(body.at(0, 1.13, -0.325), (0.1, 0.006, 0.012), plain(colour * np.float32(1.6)))
    for side in (-1, 1):
        strap = plain(colour * np.float32(0.7))
        body.part(body.at(0.115 * side, 1.28, 0.115), (0.022, 0.16, 0.022), strap)
        body.part(body.at(0.115 * side, 1.42, 0.02), (0.024, 0.03, 0.1), strap)


def _rod(body: BodyPainter, start: Floats, end: Floats, radius: float, colour: Colours, *, owned: bool = True) -> None:
    bone = end - start
    length = float(np.linalg.norm(bone))
    radii = np.array([radius, length / 2 * 1.05, radius])
    owner = body.owner if owned else 0
    outline = body.canvas.ellipsoid((start + end) / 2, along(bone / length), radii, plain(colour), owner)
    if owned and outline is not None:
        body.boxes.append(outline)


def _crate(
    body: BodyPainter, spot: Floats, half: tuple[float, float], low: float, high: float, colour: Colours
) -> None:
    """Draw an upright box at a spot of the floor, turned as the body."""
    block = Block(float(spot[0]), float(spot[2]), half[0], half[1], high, body.pose.body_yaw_rad)
    sheet = np.full((24, 24, 3), np.clip(colour, 0, 255), np.uint8)
    sheet[::4] = np.clip(colour * np.float32(0.75), 0, 255).astype(np.uint8)
    box(body.canvas, block, low, high, sheet, np.random.default_rng(0))


def _suitcase(body: BodyPainter, colour: Colours) -> None:
    wide = body.looks.shoulder_m + 0.16
    behind = -0.25 if abs(body.pose.stride) > 0.2 else 0.05
    spot = body.at(wide, 0, behind)
    tall = 0.62 if body.looks.build > 1 else 0.5
    _crate(body, spot, (0.2, 0.12), 0.04, tall, colour)
    hand = body.at(body.looks.shoulder_m + 0.06, 0.86, 0.0)
    for side in (-0.06, 0.06):
        foot = spot + body.axes @ np.array([side, 0.0, 0.0]) - np.array([0, tall, 0])
        _rod(body, foot, hand, 0.009, np.full(3, 60, np.float32), owned=False)


def _basket(body: BodyPainter, colour: Colours, right: float, low: float, ahead: float) -> None:
    spot = body.at(right, 0, ahead)
    _crate(body, spot, (0.21, 0.15), low, low + 0.23, colour)
    inside = spot - np.array([0, low + 0.22, 0])
    dark = plain(colour * np.float32(0.35))
    body.canvas.ellipsoid(inside, body.axes, np.array([0.19, 0.03, 0.13]), dark)
    top = spot - np.array([0, low + (0.44 if low > 0 else 0.27), 0])
    for side in (-1, 1):
        rim = inside + body.axes @ np.array([0.2 * side, 0.0, 0.0])
        _rod(body, rim, top, 0.01, colour * np.float32(0.6), owned=False)


def _cart(body: BodyPainter, colour: Colours) -> None:
    """Draw a shopping cart of wire before the person."""
    wire = np.full(3, 150, np.float32)

    def spot(right: float, up: float, ahead: float) -> Floats:
        return body.at(right, up, ahead)

    near, far = 0.42, 1.15
    for up, half in ((1.0, 0.27), (0.78, 0.25), (0.55, 0.23)):
        for side in (-1, 1):
            _rod(body, spot(half * side, up, near), spot(half * side * 0.85, up, far), 0.011, wire, owned=False)
        for ahead, share in ((near, 1.0), (far, 0.85)):
            ends = spot(-half * share, up, ahead), spot(half * share, up, ahead)
            _rod(body, *ends, 0.011, wire, owned=False)
    for k in range(5):
        ahead = near + (far - near) * k / 4
        for side in (-1, 1):
            ends = spot(0.25 * side, 0.55, ahead), spot(0.27 * side, 1.0, ahead)
            _rod(body, *ends, 0.007, wire, owned=False)
    for side in (-1, 1):
        _rod(body, spot(0.22 * side, 0.55, near), spot(0.2 * side, 0.08, far), 0.014, wire * 0.7, owned=False)
        _rod(body, spot(0.2 * side, 0.08, near), spot(0.2 * side, 0.08, far), 0.014, wire * 0.7, owned=False)
        for ahead in (near, far):
            wheel = np.array([0.02, 0.06, 0.06])
            body.canvas.ellipsoid(spot(0.2 * side, 0.06, ahead), body.axes, wheel, plain(np.full(3, 30, np.float32)))
    _rod(body, spot(-0.26, 1.05, near - 0.08), spot(0.26, 1.05, near - 0.08), 0.018, colour, owned=False)
    goods = plain(np.clip(255 - colour, 20, 235).astype(np.float32))
    body.canvas.ellipsoid(spot(0, 0.68, 0.8), body.axes, np.array([0.17, 0.12, 0.22]), goods)
