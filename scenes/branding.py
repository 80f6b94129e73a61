"""Make the areas of a clip look like displays of their own: framed, under a header, each in its colours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.aois import Aoi, sees
from scenes.colours import Colours, grey, random_colour
from scenes.furniture import box
from scenes.lettering import letter_row
from scenes.place import Block, Display, Place, Thing
from scenes.prints import Bytes, contrasting, package_print, poster_print, screen_print

Floats = NDArray[np.float64]

_ROWS_PX = 224
_FRONT_M = 0.014
"""How far a front stands before its display; what hangs there already stays before it."""
_STAR_M = 0.05


@dataclass(frozen=True)
class Scheme:
    """The colours of one display, BGR."""

    ground: Colours
    main: Colours
    second: Colours


def schemes(rng: np.random.Generator, count: int) -> list[Scheme]:
    """Draw schemes whose main colours lie apart on the colour circle."""
    start = rng.uniform(0, 6)
    made = []
    for number in range(count):
        hue = (start + 6 * (number + rng.uniform(-0.2, 0.2)) / max(count, 3)) % 6
        main = _of_hue(hue, rng.uniform(150, 245), rng.uniform(0.55, 0.95))
        ground = grey(rng, 225, 255) if rng.random() < 0.4 else main * np.float32(rng.uniform(0.25, 0.5))
        second = grey(rng, 220, 255) if rng.random() < 0.4 else _of_hue((hue + 3) % 6, rng.uniform(140, 240), 0.7)
        made.append(Scheme(ground.astype(np.float32), main, second))
    return made


def brand(place: Place, rng: np.random.Generator, aois: tuple[Aoi, ...]) -> None:
    """Draw a front of its own on each area's display, and one or a few products that stand out before it."""
    for aoi, scheme in zip(aois, schemes(rng, len(aois)), strict=True):
        display = aoi.display
        width, height = (float(np.linalg.norm(display.corners[k] - display.corners[0])) for k in (1, 3))
        front = _front(rng, scheme, width / height, screen=display.name.startswith("screen"))
        place.canvas.quad(display.corners + display.normal * _FRONT_M, front, rng.uniform(0.85, 1.1))
        if display.lies:
            _wares(place, rng, display, scheme)
        elif not display.name.startswith("screen"):
            _stars(place, rng, display, (width, height), scheme)


def _stars(
    place: Place, rng: np.random.Generator, display: Display, size_m: tuple[float, float], scheme: Scheme
) -> None:
    """Hang products that stand out before a display where the camera sees them."""
    width, height = size_m
    right, down = (display.corners[1] - display.corners[0]) / width, (display.corners[3] - display.corners[0]) / height
    for _ in range(int(rng.integers(1, 4))):
        h = min(rng.uniform(0.18, 0.4), 0.4 * height)
        w = min(h * rng.uniform(0.6, 1.3), 0.4 * width)
        middle = display.at(rng.uniform(0.22, 0.78), rng.uniform(0.25, 0.75)) + display.normal * _STAR_M
        across, low = right * w / 2, down * h / 2
        corners = np.stack([middle - across - low, middle + across - low, middle + across + low, middle - across + low])
        sheet = package_print(rng, contrasting(rng, scheme.ground), w / h)
        if sees(place.canvas, middle) and place.canvas.quad(corners, sheet, rng.uniform(0.95, 1.2)):
            place.things.append(Thing(middle))


def _wares(place: Place, rng: np.random.Generator, display: Display, scheme: Scheme) -> None:
    """Stand a few packages on the top of a table."""
    for _ in range(int(rng.integers(3, 9))):
        at, size = display.at(rng.uniform(0.1, 0.9), rng.uniform(0.12, 0.88)), rng.uniform(0.1, 0.24)
        crate = Block(
            float(at[0]), float(at[2]), size * rng.uniform(0.3, 0.6), size * 0.3, -float(at[1]), rng.normal(0, 0.4)
        )
        main = contrasting(rng, scheme.ground) if rng.random() < 0.5 else scheme.main
        sheet = package_print(rng, main, 2 * crate.half_x / size)
        box(place.canvas, crate, crate.height, crate.height + size, sheet, rng)
        place.things.append(Thing(at + display.normal * _STAR_M))


def _front(rng: np.random.Generator, scheme: Scheme, aspect: float, *, screen: bool) -> Bytes:
    """Return the front of a display: a screen, a wall poster, or boards with a range of products under a header."""
    if screen:
        return screen_print(rng, aspect)
    if rng.random() < 0.15:
        return poster_print(rng, scheme.main, aspect)
    h, w = _ROWS_PX, int(np.clip(_ROWS_PX * aspect, 60, 900))
    picture = np.ones((h, w, 3), np.float32) * scheme.ground
    header = int(h * rng.uniform(0.12, 0.22))
    picture[:header] = scheme.main
    letters = int(rng.integers(4, 9))
    size = max(5, min(int(0.7 * w / letters), int(0.42 * header)))
    letter_row(rng, picture, (int(0.12 * w), (header - 2 * size) // 2 + size // 3), size, letters, scheme.second)
    boards = int(rng.integers(2, 6))
    for board in range(boards):
        top, bottom = (header + (h - 8 - header) * k // boards for k in (board, board + 1))
        _facings(rng, picture, top + 4, bottom - 5, scheme)
        picture[bottom - 5 : bottom] = scheme.main * np.float32(0.8)
    frame = scheme.main if rng.random() < 0.6 else grey(rng, 15, 90)
    cv2.rectangle(picture, (0, 0), (w - 1, h - 1), frame.tolist(), int(rng.integers(8, 18)))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _facings(rng: np.random.Generator, picture: Colours, top: int, bottom: int, scheme: Scheme) -> None:
    """Fill a board with a few kinds of packages in the display's colours."""
    x, room = 10, bottom - top
    while x < picture.shape[1] - 12:
        w, h = int(room * rng.uniform(0.3, 0.8)) + 4, int(room * rng.uniform(0.6, 0.95))
        body = (scheme.main, scheme.second, random_colour(rng, 80))[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
        label = scheme.second if body is scheme.main else scheme.main
        round_thing = rng.random() < 0.35
        for _ in range(int(rng.integers(2, 6))):
            end = min(x + w, picture.shape[1] - 10)
            if end - x < 4:
                break
            shade = body * np.float32(rng.uniform(0.85, 1.1))
            picture[bottom - h : bottom, x:end] = shade
            if round_thing:
                picture[bottom - h : bottom - h + h // 4, x : x + max(1, (end - x) // 4)] = scheme.ground
                picture[bottom - h : bottom - h + h // 4, end - max(1, (end - x) // 4) : end] = scheme.ground
            picture[bottom - int(0.65 * h) : bottom - int(0.3 * h), x:end] = label
            x = end + 3
        x += int(rng.integers(0, 8))


def _of_hue(hue: float, value: float, saturation: float) -> Colours:
    """Return a (3,) BGR colour; the hue goes around from 0 to 6."""
    wheel = np.clip(np.abs((hue + np.array([2.0, 4.0, 0.0])) % 6 - 3) - 1, 0, 1)
    return np.asarray(value * (1 - saturation + saturation * wheel), np.float32)
