"""Draw collars that stand up around neck and jaw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import plain
from scenes.outfit import Collar

if TYPE_CHECKING:
    from scenes.body import BodyPainter

Colours = NDArray[np.float32]

_LOWEST_M = 1.41
"""Where collars begin, on a standing 1.71 m body."""
_BLUNT = 1.6
"""How much longer than the collar the ellipsoid is from which it is cut."""


def draw_collar(body: BodyPainter, collar: Collar) -> None:
    """Draw the collar around the neck, lower or higher in front, and its inside behind the neck."""
    half = collar.tall / 2
    middle = body.at(0, _LOWEST_M + half, 0)
    row = collar.colour[None, :]

    def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_]]:
        x, y, z = points
        up = 0.5 - y * (_BLUNT / 2)
        ahead = z / np.maximum(np.hypot(x, z), 1e-6)
        edge = 1 - np.float32(collar.drop) * (0.5 + 0.5 * ahead)
        gap = np.arccos(np.clip(ahead, -1, 1)) < collar.open * (0.35 + 0.65 * np.minimum(up, 1))
        seam = 1 - 0.18 * ((edge - up > 0) & (edge - up < 0.12))
        return (row * seam[:, None]).astype(np.float32), (up > 0) & (up < edge) & ~gap

    reach = 1 + max(0.0, -collar.drop)
    radii = (collar.wide, half * _BLUNT, collar.wide * 0.95)
    body.cut_part(middle, radii, shade, body.axes, reach / _BLUNT)
    inside = (collar.wide * 0.92, half * 0.95, 0.045)
    body.part(body.at(0, _LOWEST_M + half, -0.04), inside, plain(collar.lining))
