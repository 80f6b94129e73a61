"""Draw what people sit in: chairs, stools, wheelchairs, prams. They hide and are hidden, and belong to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader, plain
from scenes.geometry import along

if TYPE_CHECKING:
    from scenes.body import BodyPainter

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

SEATS = ("none", "chair", "stool", "wheelchair", "pram", "facing-pram")
PRAM_LIFT_M = 0.33
"""How far above the floor the ground of a child in a pram lies."""
_STEEL: Colours = np.full(3, 135, np.float32)
_RUBBER: Colours = np.full(3, 28, np.float32)


def draw_seat(body: BodyPainter) -> None:
    """Draw the seat of somebody who sits, before the person."""
    draw = _DRAWN.get(body.looks.seat)
    if draw is not None and body.pose.seated:
        draw(_Maker(body))


class _Maker:
    """Puts parts together in metres, seen from the floor below the sitter: to the right, up, ahead."""

    def __init__(self, body: BodyPainter) -> None:
        self.canvas, self.axes = body.canvas, body.axes
        self.foot = body.pose.ground * np.array([1.0, 0.0, 1.0])
        self.colour = body.looks.seat_colour
        self.hip = 0.47 * body.scale
        """Height of the sitter's hips."""

    def spot(self, right: float, up: float, ahead: float) -> Floats:
        point: Floats = self.foot + self.axes @ np.array([right, -up, ahead])
        return point

    def part(self, spot: tuple[float, float, float], radii: tuple[float, float, float], shader: Shader) -> None:
        self.canvas.ellipsoid(self.spot(*spot), self.axes, np.array(radii), shader)

    def rod(
        self, start: tuple[float, float, float], end: tuple[float, float, float], radius: float, colour: Colours
    ) -> None:
        a, b = self.spot(*start), self.spot(*end)
        length = float(np.linalg.norm(b - a))
        radii = np.array([radius, length / 2 * 1.1, radius])
        self.canvas.ellipsoid((a + b) / 2, along((b - a) / length), radii, plain(colour))

    def wheel(self, right: float, ahead: float, radius: float) -> None:
        """Stand a wheel: a tyre, thin spokes, nothing between them."""

        def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
            _, y, z = points
            away = np.hypot(y, z)
            spoke = np.abs(np.sin(np.arctan2(y, z) * 6)) < 0.09
            colours = np.where((away > 0.8)[:, None], _RUBBER, _STEEL).astype(np.float32)
            return colours, (away > 0.84) | (spoke & (radius > 0.2)) | (away < 0.12)

        self.part((right, radius, ahead), (0.022, radius, radius), shade)


def _chair(make: _Maker) -> None:
    cloth, hip = plain(make.colour), make.hip
    make.part((0, hip - 0.11, 0.12), (0.23, 0.045, 0.25), cloth)
    make.part((0, hip + 0.24, -0.17), (0.22, 0.24, 0.035), cloth)
    for side in (-0.19, 0.19):
        for ahead in (-0.12, 0.3):
            make.rod((side, hip - 0.12, ahead), (side, 0.0, ahead), 0.018, _STEEL * np.float32(0.6))


def _stool(make: _Maker) -> None:
    make.part((0, make.hip - 0.1, 0.1), (0.2, 0.05, 0.2), plain(make.colour))
    make.rod((0, make.hip - 0.1, 0.1), (0, 0.0, 0.1), 0.035, _STEEL)
    make.part((0, 0.02, 0.1), (0.23, 0.02, 0.23), plain(_STEEL))


def _wheelchair(make: _Maker) -> None:
    cloth, hip = plain(make.colour), make.hip
    make.part((0, hip - 0.1, 0.12), (0.23, 0.035, 0.25), cloth)
    make.part((0, hip + 0.2, -0.17), (0.22, 0.25, 0.025), cloth)
    for side in (-1, 1):
        make.wheel(0.29 * side, -0.06, 0.3)
        make.wheel(0.24 * side, 0.45, 0.09)
        make.part((0.26 * side, hip + 0.12, 0.1), (0.035, 0.022, 0.2), plain(_RUBBER))
        make.rod((0.22 * side, hip + 0.42, -0.18), (0.22 * side, hip + 0.45, -0.32), 0.018, _RUBBER)
        make.rod((0.2 * side, hip - 0.1, 0.36), (0.17 * side, 0.12, 0.56), 0.015, _STEEL)
        make.part((0.12 * side, 0.1, 0.58), (0.08, 0.012, 0.09), plain(_RUBBER))


def _pram(make: _Maker, handle: float = -1.0) -> None:
    """Draw a pram whose handle is behind (-1) or before (1) the child."""
    cloth, seat = plain(make.colour), PRAM_LIFT_M + make.hip
    dark = plain(make.colour * np.float32(0.55))

    def basin(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        return cloth(points)[0], points[1] > 0.05

    def canopy(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        ribs = (1 - 0.15 * (np.abs(np.sin(points[1] * 6)) < 0.12)).astype(np.float32)
        return cloth(points)[0] * ribs[:, None], (points[2] < -0.25) & (points[1] < 0.2)

    make.part((0, seat - 0.02, 0.1), (0.21, 0.2, 0.42), basin)
    make.part((0, seat - 0.1, 0.05), (0.18, 0.06, 0.3), dark)
    make.part((0, seat + 0.1, -0.14), (0.17, 0.26, 0.06), dark)
    make.part((0, seat + 0.24, 0.02), (0.22, 0.3, 0.36), canopy)
    make.part((0, seat + 0.03, 0.28), (0.17, 0.07, 0.2), plain(np.clip(make.colour + 60, 0, 235).astype(np.float32)))
    for side in (-1, 1):
        for ahead in (-0.3, 0.42):
            make.wheel(0.23 * side, ahead, 0.11)
        make.rod((0.22 * side, 0.12, -0.3), (0.2 * side, seat, 0.3), 0.014, _STEEL)
        make.rod((0.22 * side, 0.12, 0.42), (0.2 * side, seat, -0.2), 0.014, _STEEL)
        make.rod((0.2 * side, seat, -0.2 * -handle), (0.2 * side, 1.02, 0.55 * handle), 0.014, _STEEL)
    make.rod((-0.2, 1.02, 0.55 * handle), (0.2, 1.02, 0.55 * handle), 0.018, _RUBBER)


def _facing_pram(make: _Maker) -> None:
    _pram(make, handle=1.0)


_DRAWN: dict[str, Callable[[_Maker], None]] = {
    "chair": _chair,
    "stool": _stool,
    "wheelchair": _wheelchair,
    "pram": _pram,
    "facing-pram": _facing_pram,
}
