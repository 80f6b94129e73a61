"""Hats, helmets, hoods and headphones of lifelike people; plain hats are `head.HeadPainter`'s own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader, plain
from scenes.felt import around_face, banded, dented, panels, ribbed, ridged, straw, top_of, vented, worn
from scenes.geometry import Triple
from scenes.looks import Looks

if TYPE_CHECKING:
    from scenes.head import HeadPainter

Colours = NDArray[np.float32]

_X, _Y, _Z = 0.077, 0.113, 0.098
"""Radii of the skull in metres, as `head.SKULL_M`."""
_EDGE = -0.42
"""Height of a brim on the forehead in skull radii."""


def put_on(head: HeadPainter) -> bool:
    """Draw hat and headphones; returns whether the hat is one of this module's."""
    looks = head.looks
    if looks.headphones is not None:
        _headphones(head, looks.headphones)
    wear = WEARS.get(looks.hat)
    if wear is not None:
        wear(head)
    return wear is not None


def shaded_by_hat(looks: Looks, points: Colours, colour: Colours) -> Colours:
    """Darken (K, 3) colours of (3, K) points of the face, in skull radii, where a brim or hood keeps the light off."""
    if looks.hat_shadow == 0:
        return colour
    _, y, z = points
    edge = _EDGE + looks.hat_low / _Y
    depth = np.clip((edge + 0.75 * looks.hat_shadow + 0.25 - y) / 0.25, 0, 1) * (z > -0.2)
    darkened: Colours = colour * (1 - np.float32(0.5) * depth.astype(np.float32))[:, None]
    return darkened


def _number(looks: Looks) -> int:
    return looks.hair.grain


def _put(head: HeadPainter, offset: Triple, radii: Triple, shader: Shader) -> None:
    """Draw a part of a hat as far down as it is worn."""
    across, down, ahead = offset
    head.part((across, down + head.looks.hat_low, ahead), radii, shader)


def _crown(head: HeadPainter, offset: Triple, radii: Triple, shader: Shader) -> None:
    """Draw the part of a hat that the skull is in: pulled down it ends lower and reaches as high."""
    (across, down, ahead), (wide, tall, deep) = offset, radii
    stretched = head.looks.hat_low / 2
    head.part((across, down + stretched, ahead), (wide, tall + stretched, deep), shader)


def _brimmed(head: HeadPainter) -> None:
    """Put on a felt or straw hat with a stiff brim, curled a little, and a dented crown."""
    looks = head.looks
    wide = 0.118 + 0.04 * looks.hat_size
    cloth = straw(looks.hat_colour, _number(looks)) if looks.hat == "straw" else worn(looks.hat_colour, _number(looks))
    _put(head, (0, -0.05, 0), (wide, 0.014, wide * 1.12), cloth)
    _put(head, (0, -0.052, 0), (wide * 0.8, 0.019, wide * 0.9), cloth)
    tall = _Y * (0.66 + 0.16 * looks.hat_size)
    _crown(head, (0, -0.064, -0.004), (_X * 1.1, tall, _Z * 1.08), dented(cloth, looks.hat_band))


def _sun_hat(head: HeadPainter) -> None:
    """Put on a hat with a wide, drooping brim."""
    looks = head.looks
    wide = 0.16 + 0.05 * looks.hat_size
    cloth = straw(looks.hat_colour, _number(looks))
    _put(head, (0, -0.02, 0), (wide, 0.045, wide * 1.05), top_of(cloth, 0.0))
    _crown(head, (0, -0.06, -0.004), (_X * 1.12, _Y * 0.68, _Z * 1.1), banded(cloth, looks.hat_band))


def _bucket(head: HeadPainter) -> None:
    """Put on a soft hat whose short brim points down."""
    looks = head.looks
    cloth = worn(looks.hat_colour, _number(looks), 1.3)
    _put(head, (0, -0.01, 0), (_X * 1.68, 0.085, _Z * 1.58), top_of(cloth, -0.05))
    _crown(head, (0, -0.062, -0.004), (_X * 1.16, _Y * 0.7, _Z * 1.13), cloth)


def _cap(head: HeadPainter) -> None:
    """Put on a baseball cap, its visor ahead or behind."""
    looks = head.looks
    ahead = -1 if looks.hat == "cap-behind" else 1
    crown = panels(looks.hat_colour, looks.hat_band, _number(looks))
    _crown(head, (0, -0.046, -0.006), (_X * 1.14, _Y * 0.76, _Z * 1.12), top_of(crown, 0.3))
    visor = worn(looks.hat_band * np.float32(0.8), _number(looks), 0.6)
    _put(head, (0, -0.034, ahead * 0.108), (0.07, 0.014, 0.06 + 0.02 * looks.hat_size), top_of(visor, 0.55))


def _knit(head: HeadPainter) -> None:
    """Put on a knitted cap, slouched at the back or with a pompom."""
    looks = head.looks
    wool = ribbed(looks.hat_colour, looks.hat_band, _number(looks))
    _crown(head, (0, -0.04, -0.012), (_X * 1.16, _Y * 0.88, _Z * 1.14), top_of(wool, 0.36))
    if looks.hat_size > 1.2:
        _put(head, (0, -0.1, -0.055), (_X * 0.95, 0.06, _Z * 0.75), worn(looks.hat_colour, _number(looks), 1.4))
    elif looks.hat_size < 0.75:
        _put(head, (0, -0.15, -0.015), (0.034, 0.034, 0.034), worn(looks.hat_band, _number(looks), 3.0))


def _hood(head: HeadPainter) -> None:
    """Pull up the hood of the top, with its dark inside and the point at the back."""
    looks = head.looks
    cloth = worn(looks.top.colour, _number(looks), 1.6)
    inside = around_face(plain(looks.top.colour * np.float32(0.4)))
    head.part((0, -0.006, -0.012), (_X * 1.2, _Y * 1.14, _Z * 1.1), inside)
    head.part((0, -0.004, -0.026), (_X * 1.34, _Y * 1.22, _Z * 1.12), around_face(cloth))
    head.part((0, -0.05, -0.075), (_X * 0.8, 0.075, 0.06), cloth)
    head.part((0, 0.11, -0.045), (0.1, 0.05, 0.075), cloth, counts=False)


def _headscarf(head: HeadPainter) -> None:
    """Wrap head and neck in a scarf that falls over shoulders and chest."""
    looks = head.looks
    cloth = worn(looks.hat_colour, _number(looks), 1.7)
    head.part((0, -0.002, -0.014), (_X * 1.17, _Y * 1.1, _Z * 1.1), around_face(cloth))
    head.part((0, 0.08, -0.03), (_X * 1.08, 0.075, 0.075), around_face(cloth))
    head.part((0, 0.15, 0.0), (0.105, 0.07, 0.095), cloth, counts=False)
    head.part((0, 0.2, -0.075), (0.1, 0.12 + 0.05 * looks.hat_size, 0.04), cloth, counts=False)


def _bike_helmet(head: HeadPainter) -> None:
    looks = head.looks
    shell = vented(looks.hat_colour, looks.hat_band, _number(looks))
    head.part((0, -0.055, -0.008), (_X * 1.3, _Y * 0.8, _Z * (1.3 + 0.12 * looks.hat_size)), top_of(shell, 0.25))
    for side in (-1, 1):
        strap = plain(np.full(3, 30, np.float32))
        head.part((side * 0.072, 0.04, 0.02), (0.006, 0.06, 0.008), strap)


def _hard_hat(head: HeadPainter) -> None:
    looks = head.looks
    shell = ridged(looks.hat_colour)
    head.part((0, -0.05, -0.004), (_X * 1.3, _Y * 0.88, _Z * 1.27), top_of(shell, 0.2))
    rim = plain(looks.hat_colour * np.float32(0.86))
    head.part((0, -0.034, 0.006), (_X * 1.42, 0.012, _Z * 1.4), rim)
    head.part((0, -0.034, 0.085), (0.075, 0.011, 0.075), rim)


def _headphones(head: HeadPainter, colour: Colours) -> None:
    """Lay a band over the crown and cups over the ears."""
    grown = 1.15 if head.looks.hat == "none" else 1.32
    band = top_of(plain(colour * np.float32(0.8)), 0.1)
    head.part((0, 0.0, -0.01), (_X * grown + 0.008, _Y * grown, 0.016), band)
    for side in (-1, 1):
        head.part((side * (_X * 1.1), 0.008, -0.006), (0.024, 0.046, 0.04), plain(colour))


WEARS: dict[str, Callable[[HeadPainter], None]] = {
    "fedora": _brimmed,
    "straw": _brimmed,
    "sun-hat": _sun_hat,
    "bucket": _bucket,
    "cap-ahead": _cap,
    "cap-behind": _cap,
    "knit": _knit,
    "hood-up": _hood,
    "headscarf": _headscarf,
    "bike-helmet": _bike_helmet,
    "hard-hat": _hard_hat,
}
COVERS_EARS = ("hood-up", "headscarf")
