"""What stands about in shops and offices: office chairs, rows of seats, bins, plants, pillars, boxes, signs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import plain
from scenes.colours import cloud, grey, random_colour
from scenes.furniture import box, flat_sheet
from scenes.geometry import along, looking_along
from scenes.place import Block, Display, Place
from scenes.textures import item_front

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_UPRIGHT = np.eye(3)


def office_chair(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Put down a swivel chair: a curved back, armrests, a column and five feet."""
    colour = grey(rng, 12, 70) if rng.random() < 0.6 else random_colour(rng, 30, 200)
    dark = plain(grey(rng, 10, 60))
    turn = looking_along(np.array([rng.normal(), 0, rng.normal()]) + 1e-3)
    seat = np.array([x, -0.48, z])
    tall = rng.uniform(0.2, 0.36)
    soft = plain(colour)
    parts = [
        ((0.0, 0.0, 0.0), (0.25, 0.055, 0.24), soft),
        ((0.0, -0.2 - tall, -0.24), (0.22, tall, 0.05), soft),
        ((0.0, -0.15, -0.26), (0.04, 0.2, 0.03), dark),
        ((0.0, 0.22, 0.0), (0.03, 0.2, 0.03), dark),
    ]
    if rng.random() < 0.7:
        parts += [((s * 0.26, -0.2, 0.0), (0.03, 0.025, 0.14), dark) for s in (-1, 1)]
        parts += [((s * 0.26, -0.1, -0.04), (0.02, 0.11, 0.03), dark) for s in (-1, 1)]
    if rng.random() < 0.3:
        parts.append(((0.0, -0.32 - 2 * tall, -0.22), (0.13, 0.08, 0.04), soft))
    for offset, radii, shader in parts:
        place.canvas.ellipsoid(seat + turn @ np.array(offset), turn, np.array(radii), shader)
    for k in range(5):
        way = np.array([math.sin(k * 1.257), 0.0, math.cos(k * 1.257)])
        foot = np.array([x, -0.07, z]) + 0.15 * way
        place.canvas.ellipsoid(foot, along(way), np.array([0.025, 0.17, 0.025]), dark)


def row_of_seats(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Stand two to six shell chairs of one colour side by side."""
    colour = random_colour(rng, 90, 220, saturation=int(rng.integers(120, 240)))
    if rng.random() < 0.6:
        colour = np.array([rng.uniform(130, 220), rng.uniform(50, 110), rng.uniform(10, 60)], np.float32)
    turn = looking_along(np.array([rng.normal(), 0, rng.normal()]) + 1e-3)
    for k in range(int(rng.integers(2, 7))):
        seat = np.array([x, -0.45, z]) + turn @ np.array([0.56 * k, 0, 0])
        if not place.free(float(seat[0]), float(seat[2]), 0.1) or seat[2] < 1.2:
            continue
        for offset, radii, share in (
            ((0.0, 0.0, 0.0), (0.24, 0.04, 0.22), 1.0),
            ((0.0, -0.33, -0.22), (0.23, 0.2, 0.04), 0.92),
            ((-0.18, 0.22, 0.0), (0.02, 0.23, 0.02), 0.3),
            ((0.18, 0.22, 0.0), (0.02, 0.23, 0.02), 0.3),
        ):
            shader = plain(colour * np.float32(share))
            place.canvas.ellipsoid(seat + turn @ np.array(offset), turn, np.array(radii), shader)


def bin_or_plant(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Stand a bin or a pot with leaves."""
    tall = rng.uniform(0.15, 0.4)
    body = random_colour(rng, 15, 230, saturation=int(rng.integers(0, 120)))
    radii = np.array([tall * rng.uniform(0.45, 0.8), tall, tall * 0.6])
    place.canvas.ellipsoid(np.array([x, -tall, z]), _UPRIGHT, radii, plain(body))
    if rng.random() < 0.4:
        return
    green = np.array([rng.uniform(20, 70), rng.uniform(60, 150), rng.uniform(20, 90)], np.float32)
    high = rng.uniform(0.2, 0.8)
    for _ in range(int(rng.integers(8, 20))):
        way = rng.normal(0, 1, 3) - np.array([0, 1.2, 0])
        way /= np.linalg.norm(way)
        leaf = np.array([x, -1.8 * tall, z]) + way * high * rng.uniform(0.3, 0.9)
        shader = plain(green * np.float32(rng.uniform(0.6, 1.3)))
        place.canvas.ellipsoid(leaf, along(way), np.array([0.05, high * 0.32, 0.02]), shader)


def pillar(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Stand a square pillar from floor to ceiling."""
    half = rng.uniform(0.1, 0.3)
    block = Block(x, z, half, half, -place.room.top, rng.normal(0, 0.05))
    place.blocks.append(block)
    colour = grey(rng, 120, 250) if rng.random() < 0.6 else random_colour(rng, 60, 230)
    box(place.canvas, block, 0.0, block.height, flat_sheet(colour), rng)
    if rng.random() < 0.5:
        notice = np.stack([block.point(a * half * 0.7, -half - 0.01, up) for a, up in _corners(1.2, 1.6)])
        place.canvas.quad(notice, item_front(rng))


def boxes(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Pile cardboard boxes up."""
    sheet = (
        np.ones((48, 48, 3), np.float32) * np.array([105, 150, 190], np.float32) * np.float32(rng.uniform(0.7, 1.15))
    )
    sheet += cloud(rng, 48, 48, 3, 3)[..., None] * 6
    sheet[20:27] *= np.float32(rng.uniform(0.8, 1.2))
    picture = np.clip(sheet, 0, 255).astype(np.uint8)
    up = 0.0
    for _ in range(int(rng.integers(1, 5))):
        tall, half = rng.uniform(0.18, 0.45), rng.uniform(0.15, 0.32)
        block = Block(x, z, half, half * rng.uniform(0.6, 1.0), up + tall, rng.uniform(-0.5, 0.5))
        box(place.canvas, block, up, up + tall, picture, rng)
        up += tall
    place.blocks.append(Block(x, z, 0.3, 0.3, up))


def sign(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Hang a price sign below the ceiling, turned to the camera."""
    wide, tall = rng.uniform(0.3, 1.1), rng.uniform(0.18, 0.5)
    low = min(-place.room.top - tall - 0.05, rng.uniform(1.9, 2.4))
    block = Block(x, z, wide / 2, 0.01, low, math.atan2(x, z) + rng.normal(0, 0.4))
    corners = np.stack([block.point(a * wide / 2, 0.0, up) for a, up in _corners(low, low + tall)])
    front = item_front(rng) if rng.random() < 0.6 else flat_sheet(random_colour(rng, 100, 255))
    if place.canvas.quad(corners, front, rng.uniform(0.9, 1.15)):
        place.displays.append(Display(f"sign-{len(place.displays)}", corners))


def _corners(low: float, high: float) -> tuple[tuple[int, float], ...]:
    return (-1, high), (1, high), (1, low), (-1, low)
