"""Things that stand in a room: shelves, tables, counters, chairs, dummies, and the goods on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas, plain
from scenes.colours import grey, random_colour, random_skin
from scenes.geometry import looking_along
from scenes.place import Block, Display, Place, Thing
from scenes.textures import HEIGHT, WIDTH, item_front, random_texture

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_UPRIGHT = np.eye(3)


def gondola(place: Place, rng: np.random.Generator, block: Block, family: str, name: str) -> None:
    """Stand a free shelf (or a plain cupboard) in a place; its sides become displays."""
    place.blocks.append(block)
    half_x, half_z, height = block.half_x, block.half_z, block.height
    ring = ((-half_x, -half_z), (half_x, -half_z), (half_x, half_z), (-half_x, half_z))
    sheet = random_texture(rng, family)
    for number in range(4):
        (a0, b0), (a1, b1) = ring[number], ring[(number + 1) % 4]
        corners = np.stack(
            [block.point(a0, b0, height), block.point(a1, b1, height), block.point(a1, b1, 0), block.point(a0, b0, 0)]
        )
        length = math.hypot(a1 - a0, b1 - b0)
        if length < 0.2:
            continue
        across = int(min(WIDTH - 1, max(60, length * HEIGHT / max(height, 0.5))))
        start = int(rng.integers(0, WIDTH - across))
        gain = rng.uniform(0.6, 1.1)
        display = Display(name=f"{name}-{'abcd'[number]}", corners=corners)
        if faces(place.canvas, display):
            place.canvas.quad(corners, sheet[:, start : start + across], gain)
            place.displays.append(display)
            if family == "shelf" and rng.random() < 0.7:
                items_on(place, rng, display, int(rng.integers(1, 5)))
    top = np.stack(
        [
            block.point(-half_x, half_z, height),
            block.point(half_x, half_z, height),
            block.point(half_x, -half_z, height),
            block.point(-half_x, -half_z, height),
        ]
    )
    place.canvas.quad(top, random_texture(rng, "floor")[:200, :300], rng.uniform(0.8, 1.2))


def items_on(place: Place, rng: np.random.Generator, display: Display, count: int) -> None:
    """Hang salient packages a little in front of a display; each becomes a thing to look at."""
    edges = display.corners[1] - display.corners[0], display.corners[3] - display.corners[0]
    length, height = (float(np.linalg.norm(edge)) for edge in edges)
    right, down = edges[0] / length, edges[1] / height
    for _ in range(count):
        w, h = rng.uniform(0.14, 0.42), rng.uniform(0.14, 0.36)
        if w > length or h > height:
            continue
        across, low = rng.uniform(w / 2, length - w / 2), rng.uniform(h / 2, max(h, min(height - h / 2, height * 0.8)))
        middle = display.corners[0] + right * across + down * low + display.normal * 0.025
        corners = np.stack(
            [
                middle - right * w / 2 - down * h / 2,
                middle + right * w / 2 - down * h / 2,
                middle + right * w / 2 + down * h / 2,
                middle - right * w / 2 + down * h / 2,
            ]
        )
        if place.canvas.quad(corners, item_front(rng), rng.uniform(0.85, 1.15)):
            place.things.append(Thing(middle))


def table(place: Place, rng: np.random.Generator, block: Block, *, legs: bool) -> None:
    """Stand a table on legs, or a counter with closed sides."""
    place.blocks.append(block)
    colour = np.clip(random_colour(rng, 60, 250, saturation=int(rng.integers(0, 120))), 0, 255)
    if legs:
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            foot = block.point(a * (block.half_x - 0.05), b * (block.half_z - 0.05), block.height / 2)
            place.canvas.ellipsoid(foot, _UPRIGHT, np.array([0.025, block.height / 2, 0.025]), plain(colour * 0.5))
    box(place.canvas, block, block.height - 0.05 if legs else 0.0, block.height, flat_sheet(colour), rng)


def goods_on(place: Place, rng: np.random.Generator, block: Block, count: int) -> None:
    """Scatter bowls, balls, bottles and boxes on top of a block."""
    pale = rng.random() < 0.35
    for _ in range(count):
        along = rng.uniform(-block.half_x, block.half_x) * 0.92
        deep = rng.uniform(-block.half_z, block.half_z) * 0.9
        colour = grey(rng, 170, 255) if pale else random_colour(rng, 60)
        kind = rng.random()
        size = rng.uniform(0.04, 0.13)
        foot = block.point(along, deep, block.height)
        if kind < 0.45 or pale:
            _stack(place.canvas, rng, foot, size, colour)
        elif kind < 0.7:
            tall = size * rng.uniform(1.2, 2.2)
            body = np.array([size * 0.5, tall, size * 0.5])
            place.canvas.ellipsoid(foot - [0, tall, 0], _UPRIGHT, body, plain(colour))
            neck = np.array([size * 0.17, tall * 0.5, size * 0.17])
            place.canvas.ellipsoid(foot - [0, tall * 2.1, 0], _UPRIGHT, neck, plain(colour * np.float32(0.8)))
        else:
            small = Block(foot[0], foot[2], size, size * rng.uniform(0.4, 1), 0, rng.uniform(-0.5, 0.5))
            up = block.height + size * rng.uniform(0.8, 2.6)
            box(place.canvas, small, block.height, up, item_front(rng), rng)
        if rng.random() < 0.4:
            place.things.append(Thing(foot - np.array([0, size, 0])))


def chair(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Put a chair down: a seat, a rounded back and legs."""
    colour = random_colour(rng, 15, 220)
    turn = looking_along(np.array([rng.normal(), 0, rng.normal()]) + 1e-3)
    seat = np.array([x, -0.45, z])
    for part, radii in (
        ((0, 0, 0), (0.23, 0.045, 0.22)),
        ((0, -0.32, -0.21), (0.21, rng.uniform(0.16, 0.3), 0.035)),
        ((0, 0.22, 0), (0.035, 0.22, 0.035)),
        ((0, 0.43, 0), (0.25, 0.02, 0.06)),
        ((0, 0.43, 0), (0.06, 0.02, 0.25)),
    ):
        place.canvas.ellipsoid(seat + turn @ np.array(part), turn, np.array(radii), plain(colour))


def dummy(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Stand a clothed dummy without a head on a pole: a person's shape that is none."""
    shirt, trunk = random_colour(rng, 20), random_colour(rng, 20, 160)
    turn = looking_along(np.array([rng.normal(), 0, rng.normal()]) + 1e-3)
    parts: Sequence[tuple[tuple[float, float, float], tuple[float, float, float], object]] = (
        ((0, -0.45, 0), (0.02, 0.45, 0.02), "pole"),
        ((0, -1.12, 0), (0.16, 0.26, 0.11), "shirt"),
        ((0, -1.3, 0), (0.19, 0.17, 0.11), "shirt"),
        ((0, -1.47, 0), (0.05, 0.07, 0.05), "pole"),
        ((-0.2, -1.18, 0), (0.05, 0.2, 0.05), "shirt"),
        ((0.2, -1.18, 0), (0.05, 0.2, 0.05), "shirt"),
    )
    for offset, radii, what in parts:
        colour = shirt if what == "shirt" else trunk
        place.canvas.ellipsoid(np.array([x, 0, z]) + turn @ np.array(offset), turn, np.array(radii), plain(colour))


def floating_shape(canvas: Canvas, rng: np.random.Generator, nearest_m: float, farthest_m: float) -> None:
    """Draw a smooth body of any colour, skin included, anywhere in the picture."""
    depth = rng.uniform(nearest_m, farthest_m)
    width, height = canvas.camera.size_wh
    centre = canvas.camera.point_at((rng.uniform(0, width), rng.uniform(0, height)), depth)
    size = rng.uniform(0.03, 0.2)
    radii = np.array([size, size * rng.uniform(0.3, 2.2), size * rng.uniform(0.5, 1.5)])
    colour = random_colour(rng) if rng.random() < 0.6 else random_skin(rng)
    canvas.ellipsoid(centre, looking_along(rng.normal(0, 1, 3)), radii, plain(colour))


def _stack(canvas: Canvas, rng: np.random.Generator, foot: Floats, size: float, colour: NDArray[np.float32]) -> None:
    """Pile one to four round things up."""
    flat = rng.uniform(0.35, 1.05)
    for k in range(int(rng.integers(1, 4))):
        centre = foot - np.array([0, size * flat * (0.8 + k * 0.75), 0])
        shade = plain(colour * np.float32(rng.uniform(0.9, 1.05)))
        canvas.ellipsoid(centre, _UPRIGHT, np.array([size, size * flat, size]), shade)


def box(canvas: Canvas, block: Block, low: float, high: float, sheet: Bytes, rng: np.random.Generator) -> None:
    """Draw the sides that face the camera and the top of a box between two heights."""
    half_x, half_z = block.half_x, block.half_z
    ring = ((-half_x, -half_z), (half_x, -half_z), (half_x, half_z), (-half_x, half_z))
    for number in range(4):
        (a0, b0), (a1, b1) = ring[number], ring[(number + 1) % 4]
        corners = np.stack(
            [block.point(a0, b0, high), block.point(a1, b1, high), block.point(a1, b1, low), block.point(a0, b0, low)]
        )
        if faces(canvas, Display("", corners)):
            canvas.quad(corners, sheet, (0.7, 0.85, 0.6, 0.9)[number])
    top = np.stack([block.point(a, b, high) for a, b in (ring[3], ring[2], ring[1], ring[0])])
    canvas.quad(top, sheet, rng.uniform(0.95, 1.1))


def faces(canvas: Canvas, display: Display) -> bool:
    """Say whether the camera is on the front side of a display."""
    return float((canvas.camera.position - display.corners[0]) @ display.normal) > 0


def flat_sheet(colour: NDArray[np.float32]) -> Bytes:
    """Return a texture of one colour."""
    return np.full((16, 16, 3), np.clip(colour, 0, 255), np.uint8)
