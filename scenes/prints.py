"""Flat pictures made to be looked at: fronts of packages, lit screens, posters and signs, each of its own colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.colours import Colours, cloud, grey, random_colour
from scenes.lettering import letter_row

Bytes = NDArray[np.uint8]

LONG_PX = 144
"""Pixels of the longer side of a print."""


def contrasting(rng: np.random.Generator, around: Colours) -> Colours:
    """Return a (3,) BGR colour that stands out from another: the farthest of a few, the more so if it is vivid."""
    offered = [random_colour(rng, 170, 255, saturation=int(rng.integers(70, 240))) for _ in range(3)]
    if rng.random() < 0.35:
        offered += [grey(rng, 225, 255), random_colour(rng, 15, 70)]
    return max(offered, key=lambda colour: float(np.abs(colour - around).sum() + 0.6 * np.ptp(colour)))


def package_print(rng: np.random.Generator, main: Colours, aspect: float) -> Bytes:
    """Return the front of a package of a colour: bands, a badge, letters; `aspect` is width over height."""
    picture = _sheet(aspect, main)
    h, w = picture.shape[:2]
    second, ink = contrasting(rng, main), contrasting(rng, main)
    top, deep = int(h * rng.uniform(0.1, 0.5)), max(3, int(h * rng.uniform(0.15, 0.4)))
    if rng.random() < 0.75:
        picture[top : top + deep] = second
    if rng.random() < 0.5:
        cv2.circle(picture, (w // 2, int(h * rng.uniform(0.4, 0.8))), max(3, min(h, w) // 4), ink.tolist(), -1)
    _words(rng, picture, ink, rows=2)
    return _finished(picture)


def screen_print(rng: np.random.Generator, aspect: float) -> Bytes:
    """Return a lit screen within a dark frame: rows of a list, tiles, a chart, or a moving picture's still."""
    picture = _sheet(aspect, random_colour(rng, 120, 255, saturation=int(rng.integers(0, 200))))
    h, w = picture.shape[:2]
    kind = int(rng.integers(4))
    if kind == 0:
        for row in range(1, 6):
            y = h * row // 6
            cv2.rectangle(picture, (w // 12, y), (int(w * rng.uniform(0.4, 0.9)), y + h // 14), [40, 30, 30], -1)
    elif kind == 1:
        for _ in range(int(rng.integers(3, 9))):
            x, y = int(rng.integers(0, w)), int(rng.integers(0, h))
            end = (x + w // 4, y + h // 3)
            cv2.rectangle(picture, (x, y), end, random_colour(rng, 120, 255).tolist(), -1)
    elif kind == 2:
        points = np.stack([np.linspace(0, w, 12), h * rng.uniform(0.2, 0.8, 12)], axis=1).astype(np.int32)
        cv2.polylines(picture, [points], False, random_colour(rng, 10, 120).tolist(), 4)
    else:
        picture += cloud(rng, h, w, 4, 2)[..., None] * random_colour(rng, 40, 130)
        _words(rng, picture, grey(rng, 230, 255), rows=1)
    bezel = max(3, min(h, w) // int(rng.integers(9, 20)))
    cv2.rectangle(picture, (0, 0), (w - 1, h - 1), grey(rng, 5, 45).tolist(), 2 * bezel)
    return _finished(picture)


def poster_print(rng: np.random.Generator, main: Colours, aspect: float) -> Bytes:
    """Return a framed poster: one large shape, a headline."""
    picture = _sheet(aspect, main)
    h, w = picture.shape[:2]
    ink = contrasting(rng, main)
    middle = (int(w * rng.uniform(0.3, 0.7)), int(h * rng.uniform(0.4, 0.65)))
    radii = (max(4, int(w * rng.uniform(0.15, 0.38))), max(4, int(h * rng.uniform(0.12, 0.32))))
    shape = random_colour(rng, 60, 255, saturation=200)
    if rng.random() < 0.5:
        cv2.ellipse(picture, middle, radii, float(rng.uniform(0, 90)), 0, 360, shape.tolist(), -1)
    else:
        corner = (middle[0] + radii[0], middle[1] + radii[1])
        cv2.rectangle(picture, (middle[0] - radii[0], middle[1] - radii[1]), corner, shape.tolist(), -1)
    _words(rng, picture, ink, rows=int(rng.integers(1, 4)))
    frame = grey(rng, 5, 80) if rng.random() < 0.6 else grey(rng, 210, 255)
    cv2.rectangle(picture, (0, 0), (w - 1, h - 1), frame.tolist(), max(3, int(min(h, w) * rng.uniform(0.03, 0.12))))
    return _finished(picture)


def sign_print(rng: np.random.Generator, main: Colours, aspect: float) -> Bytes:
    """Return a sign: large letters on one colour, at times an arrow or a price on a disc."""
    picture = _sheet(aspect, main)
    h, w = picture.shape[:2]
    ink = contrasting(rng, main)
    kind = rng.random()
    if kind < 0.3:
        tip = (int(w * 0.85), h // 2) if rng.random() < 0.5 else (int(w * 0.15), h // 2)
        cv2.arrowedLine(picture, (w - tip[0], h // 2), tip, ink.tolist(), max(3, h // 8), tipLength=0.4)
    elif kind < 0.6:
        cv2.circle(picture, (w // 2, h // 2), int(min(h, w) * 0.38), ink.tolist(), -1)
        _words(rng, picture, main, rows=1)
    else:
        _words(rng, picture, ink, rows=int(rng.integers(1, 3)))
    return _finished(picture)


def _sheet(aspect: float, colour: Colours) -> Colours:
    h, w = (LONG_PX, LONG_PX * aspect) if aspect < 1 else (LONG_PX / aspect, LONG_PX)
    return np.ones((max(12, round(h)), max(12, round(w)), 3), np.float32) * colour


def _words(rng: np.random.Generator, picture: Colours, ink: Colours, rows: int) -> None:
    """Write rows of letters across most of the width."""
    h, w = picture.shape[:2]
    for row in range(rows):
        letters = int(rng.integers(3, 7))
        size = max(3, int(min(0.8 * w / letters, 0.34 * h)))
        y = int(h * (0.12 + 0.72 * (row + rng.uniform(0, 0.6)) / rows))
        letter_row(rng, picture, (int(w * 0.1), min(y, h - size)), size, letters, ink)


def _finished(picture: Colours) -> Bytes:
    return np.clip(picture, 0, 255).astype(np.uint8)
