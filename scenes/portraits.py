"""Pictures that show people: posters, packages with faces and screens, drawn by the same painters as real people."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.attention import attentive_figure
from scenes.camera import aimed_camera
from scenes.canvas import Canvas, Light
from scenes.colours import grey, random_colour
from scenes.figure import Figure, Target, draw_people
from scenes.geometry import unit
from scenes.lettering import letter_row
from scenes.looks import sample_looks
from scenes.textures import item_front

Bytes = NDArray[np.uint8]

PORTRAITS = 36
"""How many different pictures there are of each kind."""
_WIDE, _HIGH = 120, 160


@cache
def portrait(number: int) -> Bytes:
    """Return somebody's face and shoulders, (160, 120, 3)."""
    rng = np.random.default_rng([63, number])
    canvas = _studio(rng, rng.uniform(1.2, 2.6))
    draw_people(canvas, [_sitter(rng, np.array([rng.normal(0, 0.05), 0, rng.uniform(0.9, 1.7)]), canvas)])
    return _developed(canvas)


@cache
def group(number: int) -> Bytes:
    """Return one to four whole people as a poster or a screen shows them, (160, 120, 3) or (120, 160, 3)."""
    rng = np.random.default_rng([64, number])
    lying = rng.random() < 0.6
    canvas = _studio(rng, rng.uniform(0.9, 1.3), (_HIGH, _WIDE) if lying else (_WIDE, _HIGH))
    figures = [
        _sitter(rng, np.array([rng.uniform(-1, 1), 0, rng.uniform(2.0, 4.5)]), canvas, k + 1)
        for k in range(int(rng.integers(1, 5)))
    ]
    draw_people(canvas, figures)
    return _developed(canvas)


@cache
def advert(number: int) -> Bytes:
    """Return a poster or the front of a package with a face on it."""
    rng = np.random.default_rng([65, number])
    if rng.random() < 0.4:
        sheet = cv2.resize(item_front(rng), (150, 200), interpolation=cv2.INTER_AREA).astype(np.float32)
        face = portrait(int(rng.integers(PORTRAITS))).astype(np.float32)
        wide = int(rng.integers(60, 140))
        small = cv2.resize(face, (wide, wide * 4 // 3), interpolation=cv2.INTER_AREA)[:190]
        x, y = int(rng.integers(0, 151 - wide)), int(rng.integers(0, 201 - len(small)))
        sheet[y : y + len(small), x : x + wide] = small
    else:
        picture = portrait if rng.random() < 0.65 else group
        sheet = picture(int(rng.integers(PORTRAITS))).astype(np.float32)
        letters = int(rng.integers(3, 8))
        for _ in range(int(rng.integers(0, 3))):
            size = int(0.8 * sheet.shape[1] / letters)
            at = (int(rng.integers(0, 20)), int(rng.integers(0, sheet.shape[0])))
            letter_row(rng, sheet, at, size, letters, random_colour(rng))
    if rng.random() < 0.3:
        sheet = np.repeat(sheet.mean(axis=-1, keepdims=True), 3, axis=-1)
    if rng.random() < 0.5:
        h, w = sheet.shape[:2]
        cv2.rectangle(sheet, (0, 0), (w - 1, h - 1), random_colour(rng).tolist(), int(rng.integers(4, 14)))
    return _whole(sheet)


@cache
def screen(number: int) -> Bytes:
    """Return a screen in a dark frame that shows people, alone or in tiles."""
    rng = np.random.default_rng([66, number])
    tiles = int(rng.choice([1, 2], p=[0.6, 0.4]))
    sheet = np.zeros((120, 190, 3), np.float32) + grey(rng, 8, 40)
    wide, high = 178 // tiles, 108 // tiles
    for k in range(tiles * tiles):
        picture = (group if rng.random() < 0.6 else portrait)(int(rng.integers(PORTRAITS)))
        shown = cv2.resize(picture, (wide - 2, high - 2), interpolation=cv2.INTER_AREA).astype(np.float32)
        x, y = 6 + wide * (k % tiles), 6 + high * (k // tiles)
        sheet[y : y + high - 2, x : x + wide - 2] = shown * np.float32(rng.uniform(0.8, 1.2))
    return _whole(sheet)


def _studio(rng: np.random.Generator, focal: float, size_wh: tuple[int, int] = (_WIDE, _HIGH)) -> Canvas:
    camera = aimed_camera(
        size_wh,
        focal_in_widths=focal,
        height_m=rng.uniform(1.45, 1.75),
        yaw_deg=0,
        pitch_down_deg=rng.uniform(-2, 8),
    )
    lamp = unit(np.array([rng.normal(), -1.0, -1.0]))
    canvas = Canvas(camera, Light(rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.6), lamp))
    shade = np.linspace(1.1, rng.uniform(0.6, 1.1), size_wh[1], dtype=np.float32)[:, None, None]
    canvas.bgr[:] = random_colour(rng, 60, 255, saturation=int(rng.integers(0, 160))) * shade
    return canvas


def _sitter(rng: np.random.Generator, ground: NDArray[np.float64], canvas: Canvas, number: int = 1) -> Figure:
    spread = 0.15 if rng.random() < 0.7 else 1.0
    towards = Target(canvas.camera.position + rng.normal(0, spread, 3), "elsewhere")
    if math.hypot(*(towards.point - ground)[[0, 2]]) < 0.3:
        towards = Target(canvas.camera.position, "elsewhere")
    return attentive_figure(rng, number, sample_looks(rng), ground, False, towards)


def _developed(canvas: Canvas) -> Bytes:
    return _whole(canvas.bgr)


def _whole(picture: NDArray[np.floating[Any]] | Bytes) -> Bytes:
    whole: Bytes = np.clip(picture, 0, 255).astype(np.uint8)
    return whole
