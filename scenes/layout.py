"""Furnish places of four kinds and choose where they are filmed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, aimed_camera
from scenes.canvas import Canvas, Light
from scenes.furniture import chair, dummy, floating_shape, gondola, goods_on, items_on, table
from scenes.geometry import unit
from scenes.place import Block, Display, Place
from scenes.room import BACK, LEFT, RIGHT, Room, paint_room, sample_room
from scenes.textures import item_front

Floats = NDArray[np.float64]

VIEWS = ("close", "eye", "wall", "ceiling")
"""Where a camera hangs: before a face, at eye level, high on a wall, at the ceiling looking down."""


def sample_camera(rng: np.random.Generator, size_wh: tuple[int, int], view: str) -> Camera:
    """Draw a camera of one of `VIEWS`."""
    focal, height, pitch = {
        "close": ((0.75, 1.5), (1.2, 1.75), (-6.0, 9.0)),
        "eye": ((0.65, 1.5), (1.2, 1.95), (-3.0, 11.0)),
        "wall": ((0.5, 1.15), (2.0, 3.0), (9.0, 30.0)),
        "ceiling": ((0.42, 1.0), (2.5, 4.2), (24.0, 52.0)),
    }[view]
    return aimed_camera(
        size_wh,
        focal_in_widths=rng.uniform(*focal),
        height_m=rng.uniform(*height),
        yaw_deg=rng.uniform(-30, 30),
        pitch_down_deg=rng.uniform(*pitch),
        roll_deg=rng.normal(0, 1.5),
    )


def sample_light(rng: np.random.Generator, camera: Camera) -> Light:
    """Draw a lamp above the scene and how much light comes from everywhere."""
    lamp = rng.normal(0, 1, 3)
    lamp[1] = -abs(lamp[1]) - 0.5
    lamp[2] -= 0.6
    ambient = rng.uniform(0.35, 0.8)
    return Light(
        ambient=ambient,
        diffuse=(1.15 - ambient) * rng.uniform(0.6, 1.2),
        towards_lamp=camera.world_from_camera.T @ unit(lamp),
    )


def build_place(rng: np.random.Generator, camera: Camera, kind: str, view: str, difficulty: float) -> Place:
    """Furnish a room of one of `place.KINDS`, drawn as the camera sees it."""
    canvas = Canvas(camera, sample_light(rng, camera))
    top = min(-rng.uniform(2.6, 4.2), float(camera.position[1]) - 0.15)
    if kind == "corridor":
        size = (-rng.uniform(0.9, 1.9), rng.uniform(0.9, 1.9), rng.uniform(5, 15), top)
    elif view == "close":
        size = (-rng.uniform(1.4, 5), rng.uniform(1.4, 5), rng.uniform(2, 8), top)
    else:
        size = (-rng.uniform(1.8, 5.5), rng.uniform(1.8, 5.5), rng.uniform(4.5, 13), top)
    stocked = {"shop": 0.8, "queue": 0.4, "office": 0.12, "corridor": 0.05}[kind]
    room = sample_room(rng, size_m=size, stocked_share=stocked, clutter_share=0.4 * difficulty)
    paint_room(canvas, room, rng)
    place = Place(kind=kind, room=room, canvas=canvas)
    _wall_displays(place, rng)
    if kind == "shop":
        _furnish_shop(place, rng, 2 if view == "close" else 5)
    elif kind == "office":
        _furnish_office(place, rng)
    elif kind == "queue":
        _furnish_queue(place, rng)
    if rng.random() < 0.12:
        dummy(place, rng, *_spot(place, rng))
    for _ in range(int(rng.integers(0, 1 + round(10 * difficulty)))):
        floating_shape(canvas, rng, 2.0, 9)
    return place


def _spot(place: Place, rng: np.random.Generator) -> tuple[float, float]:
    room = place.room
    return rng.uniform(room.left + 0.4, room.right - 0.4), rng.uniform(1.6, max(1.8, room.back - 0.4))


def _wall_displays(place: Place, rng: np.random.Generator) -> None:
    """Divide stocked walls into displays and hang salient packages or posters on all walls."""
    room = place.room
    low, high = -0.15, max(room.top, -2.1)
    for wall, name in ((BACK, "back"), (LEFT, "left"), (RIGHT, "right")):
        stocked = room.surfaces[wall].stocked
        start, end = (room.left, room.right) if wall == BACK else (1.0, room.back)
        at, number = start, 0
        while at < end - 0.6:
            width = min(rng.uniform(1.0, 2.4), end - at)
            ends = (at, at + width) if wall != RIGHT else (at + width, at)
            corners = np.array([_on_wall(room, wall, ends[k in (1, 2)], high if k < 2 else low) for k in range(4)])
            display = Display(f"{name}-{number}", corners)
            if stocked or rng.random() < 0.15:
                place.displays.append(display)
                items_on(place, rng, display, int(rng.integers(0, 4)))
            at, number = at + width, number + 1


def _on_wall(room: Room, wall: int, along: float, y: float) -> tuple[float, float, float]:
    if wall == BACK:
        return along, y, room.back - 0.01
    return (room.left + 0.01 if wall == LEFT else room.right - 0.01), y, along


def _furnish_shop(place: Place, rng: np.random.Generator, most: int) -> None:
    aligned = rng.random() < 0.75
    across = rng.random() < 0.5
    family = "shelf" if rng.random() < 0.92 else "wall"
    for number in range(int(rng.integers(0, most))):
        long_side, short_side = rng.uniform(0.7, 2.6), rng.uniform(0.25, 0.6)
        half_x, half_z = (long_side, short_side) if across else (short_side, long_side)
        yaw = rng.normal(0, 0.04) if aligned else rng.uniform(-0.7, 0.7)
        x = rng.uniform(place.room.left, place.room.right)
        z = rng.uniform(1.7 + half_z * 1.1, max(2.6 + half_z, place.room.back - half_z))
        block = Block(x, z, half_x, half_z, rng.uniform(0.7, 2.0), yaw)
        if _crosses(place, block):
            continue
        if block.height < 1.05 and rng.random() < 0.6:
            table(place, rng, block, legs=rng.random() < 0.4)
            goods_on(place, rng, block, int(rng.integers(8, 34)))
        else:
            gondola(place, rng, block, family, f"shelf-{number}")
            goods_on(place, rng, block, int(rng.integers(0, 22)))
    if rng.random() < 0.25:
        _counter(place, rng)


def _crosses(place: Place, block: Block) -> bool:
    """Say whether a block would stand in another one; corners and middles are tried."""
    spots = [(a * block.half_x, b * block.half_z) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    points = [block.point(along, deep, 0) for along, deep in spots]
    return any(other.holds(point[0], point[2], 0.35) for other in place.blocks for point in points)


def _counter(place: Place, rng: np.random.Generator) -> None:
    x, z = _spot(place, rng)
    block = Block(
        x, max(z, 2.4), rng.uniform(0.6, 1.6), rng.uniform(0.3, 0.5), rng.uniform(0.85, 1.1), rng.normal(0, 0.4)
    )
    if _crosses(place, block):
        return
    table(place, rng, block, legs=False)
    goods_on(place, rng, block, int(rng.integers(2, 9)))
    _screen(place, rng, block)


def _screen(place: Place, rng: np.random.Generator, block: Block) -> None:
    """Stand a screen on a table."""
    width, low = rng.uniform(0.3, 0.55), block.height + 0.08
    along = rng.uniform(-0.6, 0.6) * block.half_x
    high = low + width * 0.62
    corners = np.stack(
        [
            block.point(along - width / 2, 0, high),
            block.point(along + width / 2, 0, high),
            block.point(along + width / 2, 0, low),
            block.point(along - width / 2, 0, low),
        ]
    )
    display = Display(f"screen-{len(place.displays)}", corners)
    items_on(place, rng, Display(display.name, corners), 1)
    place.displays.append(display)


def _furnish_office(place: Place, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 6))):
        x, z = _spot(place, rng)
        block = Block(
            x, max(z, 2.2), rng.uniform(0.5, 1.1), rng.uniform(0.3, 0.5), rng.uniform(0.68, 0.8), rng.normal(0, 0.25)
        )
        if _crosses(place, block):
            continue
        table(place, rng, block, legs=rng.random() < 0.8)
        goods_on(place, rng, block, int(rng.integers(0, 5)))
        if rng.random() < 0.6:
            _screen(place, rng, block)
    for _ in range(int(rng.integers(0, 7))):
        x, z = _spot(place, rng)
        if place.free(x, z, 0.15) and z > 1.8:
            chair(place, rng, x, z)


def _furnish_queue(place: Place, rng: np.random.Generator) -> None:
    _counter(place, rng)
    if rng.random() < 0.5:
        _furnish_shop(place, rng, 2)
    for _ in range(int(rng.integers(0, 3))):
        x, z = _spot(place, rng)
        if place.free(x, z, 0.15) and z > 1.8:
            chair(place, rng, x, z)


def hang_posters(place: Place, rng: np.random.Generator) -> None:
    """Hang a few large posters on the walls where the camera sees them, as displays."""
    room = place.room
    for wall, name in ((BACK, "back"), (LEFT, "left"), (RIGHT, "right")):
        start, end = (room.left + 0.2, room.right - 0.2) if wall == BACK else (1.6, room.back - 0.2)
        at = start + rng.uniform(0, 0.6)
        while at < end - 0.8:
            width, low = rng.uniform(0.8, 1.5), -rng.uniform(0.7, 1.1)
            high = max(room.top + 0.1, low - width * rng.uniform(0.6, 0.9))
            ends = (at, at + width) if wall != RIGHT else (at + width, at)
            corners = np.array([_on_wall(room, wall, ends[k in (1, 2)], high if k < 2 else low) for k in range(4)])
            display = Display(f"poster-{name}-{len(place.displays)}", corners)
            if place.canvas.quad(display.corners + display.normal * 0.02, item_front(rng), rng.uniform(0.9, 1.1)):
                place.displays.append(display)
            at += width + rng.uniform(0.3, 1.5)
