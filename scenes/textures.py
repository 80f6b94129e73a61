"""Surfaces, each a pure function of its family and a small number, kept once made.

Every texture is (HEIGHT, WIDTH, 3) uint8 BGR and repeats sideways.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.colours import cloud, grey, random_colour
from scenes.goods import crockery_shelf, fridge_shelf, goods_shelf, produce_heap
from scenes.lettering import letter_row

Bytes = NDArray[np.uint8]
Colours = NDArray[np.float32]

WIDTH, HEIGHT = 1024, 384

FAMILIES = {"shelf": 72, "floor": 24, "wall": 32, "ceiling": 10, "clutter": 24, "item": 72}
"""How many different textures there are of each family."""


@cache
def texture(family: str, number: int) -> Bytes:
    """Return one texture; the same arguments give the same pixels in every process."""
    rng = np.random.default_rng([sorted(FAMILIES).index(family), number])
    made = np.clip(_MAKERS[family](rng), 0, 255).astype(np.uint8)
    made.setflags(write=False)
    return made


def random_texture(rng: np.random.Generator, family: str) -> Bytes:
    """Pick a texture of a family."""
    return texture(family, int(rng.integers(FAMILIES[family])))


def _shelf(rng: np.random.Generator) -> Colours:
    kind = rng.random()
    if kind < 0.62:
        return goods_shelf(rng, HEIGHT, WIDTH)
    if kind < 0.76:
        return crockery_shelf(rng, HEIGHT, WIDTH)
    if kind < 0.88:
        return fridge_shelf(rng, HEIGHT, WIDTH)
    return produce_heap(rng, HEIGHT, WIDTH)


def _floor(rng: np.random.Generator) -> Colours:
    colour = random_colour(rng, 60, 230, saturation=int(rng.integers(0, 110)))
    picture = np.ones((HEIGHT, WIDTH, 3), np.float32) * colour
    kind = int(rng.integers(0, 4))
    if kind == 0:
        _planks(rng, picture)
    elif kind == 1:
        _tiles(rng, picture, colour)
    picture += cloud(rng, HEIGHT, WIDTH, 6, 4)[..., None] * np.float32(rng.uniform(2, 12))
    if kind == 3:
        for _ in range(int(rng.integers(1, 5))):
            ends = [int(v) for v in rng.integers(0, HEIGHT, 4)]
            line = random_colour(rng).tolist()
            cv2.line(picture, (ends[0], ends[1]), (ends[2], ends[3]), line, int(rng.integers(2, 8)))
    return picture


def _planks(rng: np.random.Generator, picture: Colours) -> None:
    wood = np.array([rng.uniform(30, 110), rng.uniform(60, 140), rng.uniform(90, 200)], np.float32)
    across = int(rng.integers(12, 32))
    for x in range(0, WIDTH, across):
        y = -int(rng.integers(0, 200))
        while y < HEIGHT:
            length = int(rng.integers(80, 300))
            picture[max(y, 0) : y + length, x : x + across] = wood * np.float32(rng.uniform(0.75, 1.15))
            picture[max(0, y + length - 1) : max(0, y + length), x : x + across] = wood * np.float32(0.5)
            y += length
        picture[:, x : x + 1] = wood * np.float32(0.55)


def _tiles(rng: np.random.Generator, picture: Colours, colour: Colours) -> None:
    side = int(rng.integers(32, 96))
    other = random_colour(rng, 60, 230, saturation=int(rng.integers(0, 60)))
    chequered = rng.random() < 0.3
    for y in range(0, HEIGHT, side):
        for x in range(0, WIDTH, side):
            base = other if chequered and ((x // side + y // side) & 1) else colour
            picture[y : y + side, x : x + side] = base * np.float32(rng.uniform(0.94, 1.05))
        picture[y : y + 2] = colour * np.float32(0.72)
    for x in range(0, WIDTH, side):
        picture[:, x : x + 2] = colour * np.float32(0.72)


def _wall(rng: np.random.Generator) -> Colours:
    picture = np.ones((HEIGHT, WIDTH, 3), np.float32) * random_colour(rng, 90, 255, saturation=int(rng.integers(0, 60)))
    picture *= np.linspace(rng.uniform(0.8, 1.1), rng.uniform(0.8, 1.1), HEIGHT, dtype=np.float32)[:, None, None]
    picture += cloud(rng, HEIGHT, WIDTH, 6, 3)[..., None] * np.float32(rng.uniform(1, 8))
    for _ in range(int(rng.integers(0, 7))):
        _wall_panel(rng, picture)
    if rng.random() < 0.5:
        picture[-12:] = grey(rng, 20, 150)
    return picture


def _wall_panel(rng: np.random.Generator, picture: Colours) -> None:
    """Put a door, a window, a picture or a notice on a wall."""
    kind = int(rng.integers(0, 5))
    w, h = int(rng.integers(20, 240)), int(rng.integers(20, 220))
    x, y = int(rng.integers(0, WIDTH - w)), int(rng.integers(0, HEIGHT - 60))
    if kind == 0:
        w, h = int(rng.integers(90, 140)), 280
        y = HEIGHT - h
    panel = picture[y : y + h, x : x + w]
    colour = random_colour(rng, 10, 255, saturation=int(rng.integers(0, 160)))
    shade = np.linspace(0.8, 1.15, panel.shape[0], dtype=np.float32)[:, None, None]
    if kind == 3:
        panel[:] = 255 * np.float32(rng.uniform(0.8, 1))
    elif kind == 4:
        poster(rng, panel)
    else:
        panel[:] = colour * shade
        if kind == 2:
            panel += cloud(rng, panel.shape[0], panel.shape[1], 4, 3)[..., None] * random_colour(rng) * np.float32(0.3)
    edge = (colour * np.float32(rng.uniform(0.2, 0.8))).tolist()
    cv2.rectangle(picture, (x, y), (x + w, min(HEIGHT, y + h)), edge, int(rng.integers(2, 9)))


def _ceiling(rng: np.random.Generator) -> Colours:
    base = grey(rng, 120, 235)
    picture = np.ones((HEIGHT, WIDTH, 3), np.float32) * base
    side = int(rng.integers(32, 80))
    for at in range(0, WIDTH, side):
        picture[:, at : at + 2] = base * np.float32(0.82)
        picture[at : at + 2] = base * np.float32(0.82)
    long_side, short_side = int(side * rng.uniform(1, 3)), int(side * rng.uniform(0.25, 1))
    for y in range(int(rng.integers(0, side)), HEIGHT, side * int(rng.integers(2, 4))):
        for x in range(int(rng.integers(0, side)), WIDTH, side * int(rng.integers(2, 6))):
            picture[y : y + short_side, x : x + long_side] = 255
    return picture


def _clutter(rng: np.random.Generator) -> Colours:
    """Make clouds and shapes that mean nothing: whatever a net learns about backgrounds must survive them."""
    clouds = [cloud(rng, HEIGHT, WIDTH, int(rng.integers(3, 7)), int(rng.integers(1, 12))) for _ in range(3)]
    picture = np.stack(clouds, axis=-1) * np.float32(rng.uniform(10, 70)) + random_colour(rng)
    for _ in range(int(rng.integers(0, 60))):
        colour = random_colour(rng).tolist()
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        size, kind = int(rng.integers(4, 90)), int(rng.integers(0, 3))
        thick = -1 if rng.random() < 0.7 else int(rng.integers(1, 8))
        if kind == 0:
            cv2.circle(picture, (x, y), size, colour, thick)
        elif kind == 1:
            cv2.rectangle(picture, (x, y), (x + size, y + int(size * rng.uniform(0.2, 4))), colour, thick)
        else:
            end = (x + int(rng.integers(-200, 200)), y + int(rng.integers(-200, 200)))
            cv2.line(picture, (x, y), end, colour, abs(thick) + 1)
    return picture


def poster(rng: np.random.Generator, panel: Colours) -> None:
    """Fill a panel with bold shapes and rows of letters, as packages, screens and posters have."""
    h, w = panel.shape[:2]
    base, ink = random_colour(rng, 120), random_colour(rng, 10, 120)
    if rng.random() < 0.4:
        base, ink = ink, base
    panel[:] = base
    for _ in range(int(rng.integers(1, 5))):
        colour = random_colour(rng, 40).tolist()
        x, y = int(rng.integers(0, w)), int(rng.integers(0, h))
        if rng.random() < 0.5:
            cv2.circle(panel, (x, y), int(rng.uniform(0.1, 0.4) * min(h, w)) + 1, colour, -1)
        else:
            cv2.rectangle(panel, (x, y), (x + int(w * rng.uniform(0.2, 0.8)), y + max(2, h // 5)), colour, -1)
    for _ in range(int(rng.integers(1, 4))):
        letters = int(rng.integers(2, 7))
        size = max(3, int(rng.uniform(0.4, 0.95) * w / letters))
        letter_row(rng, panel, (int(rng.integers(0, max(1, w // 3))), int(rng.integers(0, h))), size, letters, ink)


def _item(rng: np.random.Generator) -> Colours:
    """Make a sheet of eight package fronts, 256 x 192 each."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for y in range(0, HEIGHT, HEIGHT // 2):
        for x in range(0, WIDTH, WIDTH // 4):
            cell = np.zeros((HEIGHT // 2, WIDTH // 4, 3), np.float32)
            poster(rng, cell)
            if rng.random() < 0.7:
                cv2.rectangle(cell, (3, 3), (WIDTH // 4 - 4, HEIGHT // 2 - 4), random_colour(rng).tolist(), 7)
            picture[y : y + HEIGHT // 2, x : x + WIDTH // 4] = cell
    return picture


def item_front(rng: np.random.Generator) -> Bytes:
    """Pick one package front, (192, 256, 3)."""
    sheet = random_texture(rng, "item")
    row, column = int(rng.integers(2)), int(rng.integers(4))
    h, w = HEIGHT // 2, WIDTH // 4
    return sheet[row * h : (row + 1) * h, column * w : (column + 1) * w]


_MAKERS: dict[str, Callable[[np.random.Generator], Colours]] = {
    "shelf": _shelf,
    "floor": _floor,
    "wall": _wall,
    "ceiling": _ceiling,
    "clutter": _clutter,
    "item": _item,
}
