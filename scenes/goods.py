"""Shelves full of things, painted flat: packages, bottles, crockery, fridges and heaps of fruit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.colours import grey, random_colour

Colours = NDArray[np.float32]
Mask = NDArray[np.uint8]


def goods_shelf(rng: np.random.Generator, height: int, width: int) -> Colours:
    """Paint boards with facings of packages, tins, bottles, bags and bowls."""
    picture = np.ones((height, width, 3), np.float32) * grey(rng, 15, 130)
    board = random_colour(rng, 70, 255, saturation=int(rng.integers(0, 70)))
    boards = int(rng.integers(4, 9))
    tops = np.linspace(4, height - 3, boards + 1).astype(int)
    # Real shelves are sorted: one brand or one colour fills a stretch.
    range_colours = [random_colour(rng, 70) for _ in range(int(rng.integers(4, 18)))]
    range_colours += [grey(rng, 190, 255) for _ in range(int(rng.integers(0, 4)))]
    one_colour = random_colour(rng, 150, 255, saturation=int(rng.integers(0, 30))) if rng.random() < 0.12 else None
    for top, bottom in zip(tops[:-1], tops[1:] - 4, strict=True):
        room = int(bottom - top)
        picture[top : top + int(room * 0.25)] *= np.float32(0.65)
        x = int(rng.integers(0, 10))
        while x < width - 8:
            if rng.random() < 0.06:
                x += int(rng.uniform(0.2, 0.9) * room)
                continue
            main = one_colour if one_colour is not None else range_colours[int(rng.integers(len(range_colours)))]
            if rng.random() < 0.4:
                main = random_colour(rng, 50)
            package, mask = _package(rng, room, main * np.float32(rng.uniform(0.75, 1.1)))
            x = _repeat(rng, picture, package, mask, x, int(bottom))
        picture[bottom : bottom + 4] = board
        _price_tags(rng, picture, int(bottom))
    for x in range(int(rng.integers(0, 60)), width, int(rng.integers(150, 330))):
        picture[:, x : x + 4] = board * np.float32(0.75)
    return picture


def crockery_shelf(rng: np.random.Generator, height: int, width: int) -> Colours:
    """Paint boards with stacks of round, pale, shiny things: the look-alikes of bald and grey heads."""
    picture = np.ones((height, width, 3), np.float32) * grey(rng, 30, 150)
    boards = int(rng.integers(3, 7))
    tops = np.linspace(4, height - 3, boards + 1).astype(int)
    board = random_colour(rng, 90, 230, saturation=int(rng.integers(0, 90)))
    for top, bottom in zip(tops[:-1], tops[1:] - 4, strict=True):
        room = int(bottom - top)
        x = int(rng.integers(0, 12))
        while x < width:
            across = int(rng.uniform(0.3, 0.9) * room) + 6
            colour = grey(rng, 150, 250) if rng.random() < 0.8 else random_colour(rng, 60)
            flat = rng.uniform(0.3, 0.9)
            deep = int(rng.integers(1, 4))
            for k in range(deep):
                low = bottom - k * int(across * flat * 0.35) - int(across * flat * 0.5)
                if low - across * flat * 0.5 < top:
                    break
                _round_thing(picture, (x + across // 2, low), across / 2, across * flat / 2, colour)
            x += across + int(rng.integers(0, 6))
        picture[bottom : bottom + 4] = board
    return picture


def fridge_shelf(rng: np.random.Generator, height: int, width: int) -> Colours:
    """Paint a row of glass doors with bottles behind them and reflections in front."""
    picture = goods_shelf(rng, height, width) * np.float32(rng.uniform(0.5, 1.1))
    frame = grey(rng, 15, 220)
    step = int(rng.integers(100, 200))
    for x in range(0, width, step):
        picture[:, x : x + 9] = frame
        picture[:, x + 9 : x + 12] = 20
        picture[height // 3 : height * 2 // 3, x + 14 : x + 18] = 215
        if rng.random() < 0.5:
            slant = np.array([[x + 20, 0], [x + step // 2, 0], [x + step // 3, height], [x + 12, height]])
            veil = picture.copy()
            cv2.fillPoly(veil, [slant.astype(np.int32)], [235.0, 235.0, 230.0])
            cv2.addWeighted(veil, 0.18, picture, 0.82, 0, dst=picture)
    picture[: height // 14] = frame
    return picture


def produce_heap(rng: np.random.Generator, height: int, width: int) -> Colours:
    """Paint crates heaped with fruit, each crate one kind."""
    picture = np.ones((height, width, 3), np.float32) * grey(rng, 20, 90)
    rows = int(rng.integers(2, 5))
    for row in range(rows):
        top, bottom = height * row // rows, height * (row + 1) // rows
        x = 0
        while x < width:
            across = int(rng.integers(90, 240))
            colour = random_colour(rng, 110, 250, saturation=int(rng.integers(120, 235)))
            size = float(rng.uniform(5, 15))
            for _ in range(int(across * (bottom - top) / size**2 * 0.5)):
                at = (int(rng.uniform(x, x + across)), int(rng.uniform(top + 4, bottom - 6)))
                shade = colour * np.float32(rng.uniform(0.55, 1.1))
                cv2.circle(picture, at, int(size), shade.tolist(), -1)
                cv2.circle(
                    picture, (at[0] - 1, at[1] - int(size * 0.4)), max(1, int(size * 0.35)), (shade * 1.2).tolist(), -1
                )
            picture[top:bottom, x : x + 3] = grey(rng, 30, 160)
            x += across
        picture[bottom - 8 : bottom] = random_colour(rng, 50, 230, saturation=60)
        _price_tags(rng, picture, bottom - 8)
    return picture


def _package(rng: np.random.Generator, room: int, main: Colours) -> tuple[Colours, Mask]:
    """Return one product's colours and its outline, (h, w, 3) and (h, w)."""
    w = min(max(int(rng.uniform(0.2, 0.8) * room), 6), 80)
    h = max(6, int(rng.uniform(0.45, 0.95) * room))
    second = random_colour(rng, 50)
    face = np.ones((h, w, 3), np.float32) * main
    mask = np.ones((h, w), np.uint8)
    rounded = (0.55 + 0.45 * np.sin(np.linspace(0.25, np.pi - 0.15, w))).astype(np.float32)[None, :, None]
    falling = np.linspace(1.1, 0.72, h, dtype=np.float32)[:, None, None]
    kind = int(rng.integers(0, 6))
    if kind == 0:
        a = int(h * rng.uniform(0.1, 0.5))
        b = a + max(2, int(h * rng.uniform(0.15, 0.4)))
        face[a:b] = second
        if rng.random() < 0.5:
            cv2.circle(face, (w // 2, (a + b) // 2), max(2, w // 5), main.tolist(), -1)
    elif kind == 1:
        mask[:] = 0
        cv2.ellipse(mask, (w // 2, int(h * 0.75)), (max(1, w // 2 - 1), int(h * 0.45)), 0, 0, 360, [1], -1)
        neck = max(1, w // 7)
        cv2.rectangle(mask, (w // 2 - neck, 0), (w // 2 + neck, h // 2), [1], -1)
        face[: max(2, h // 8)] = second
        face[int(h * 0.6) : int(h * 0.8)] = second
        face *= rounded
    elif kind == 2:
        face[int(h * 0.2) : int(h * 0.8)] = second
        face *= rounded
    elif kind == 3:
        mask[:] = 0
        cv2.ellipse(mask, (w // 2, int(h * 0.1)), (max(1, w // 2 - 1), int(h * 0.9)), 0, 0, 180, [1], -1)
        face *= rounded
        face *= falling
    elif kind == 4:
        face *= falling
        cv2.line(face, (0, 0), (w, h), second.tolist(), max(1, w // 6))
    else:
        face[h // 3 : h // 3 + max(1, h // 9)] = 250
        face[int(h * 0.55) : int(h * 0.9), w // 5 : max(w // 5 + 1, 4 * w // 5)] = second
    return face, mask


def _repeat(rng: np.random.Generator, picture: Colours, package: Colours, mask: Mask, x: int, bottom: int) -> int:
    """Put one product several times side by side and return where the next may start."""
    h, w = mask.shape
    gap = int(rng.integers(0, 6))
    for _ in range(int(rng.integers(1, 7))):
        if x + w >= picture.shape[1]:
            return int(picture.shape[1])
        place = picture[bottom - h : bottom, x : x + w]
        np.copyto(place, package * np.float32(rng.uniform(0.88, 1.08)), where=mask[..., None] > 0)
        x += w + gap
    return x + int(rng.integers(0, 10))


def _price_tags(rng: np.random.Generator, picture: Colours, y: int) -> None:
    colour = 240.0 if rng.random() < 0.7 else random_colour(rng, 150)
    step = int(rng.integers(30, 120))
    for x in range(int(rng.integers(0, 30)), picture.shape[1], step):
        picture[y : y + 4, x : x + 13] = colour


def _round_thing(picture: Colours, centre: tuple[int, int], half_w: float, half_h: float, colour: Colours) -> None:
    """Paint a bowl: a dark rim, a body and a highlight."""
    axes = (max(2, int(half_w)), max(2, int(half_h)))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, (colour * np.float32(0.72)).tolist(), -1)
    inner = (max(1, axes[0] - 2), max(1, axes[1] - 2))
    cv2.ellipse(picture, (centre[0], centre[1] - 1), inner, 0, 0, 360, colour.tolist(), -1)
    spot = (centre[0] - axes[0] // 3, centre[1] - axes[1] // 3)
    cv2.ellipse(
        picture, spot, (max(1, axes[0] // 4), max(1, axes[1] // 4)), 0, 0, 360, (colour * np.float32(1.15)).tolist(), -1
    )
