"""Fill a furnished place with what real shops are full of: heaps, crockery, crates, chairs, pillars, signs."""

from __future__ import annotations

import math

import numpy as np

from scenes.camera import Camera
from scenes.fixtures import bin_or_plant, boxes, office_chair, pillar, row_of_seats, sign
from scenes.geometry import direction
from scenes.place import Block, Place, open_spot
from scenes.stock import Ware, fruit_stand, heap, heaped_table, packed_wares, shelving, white_wares

_NOTHING_SHARE = 0.25
_STANDS = (office_chair, row_of_seats, bin_or_plant, pillar, boxes, sign)


def add_clutter(place: Place, rng: np.random.Generator) -> None:
    """Add some clutter to a place, or none to a quarter of all places."""
    if rng.random() < _NOTHING_SHARE:
        return
    whites = rng.random() < 0.4
    wares = white_wares(rng) if whites else packed_wares(rng)
    for block in place.blocks:
        if block.height < 1.7 and block.half_z > 0.15 and rng.random() < 0.7:
            heap(place, rng, block, wares)
    stocked = place.kind in ("shop", "queue")
    if place.kind == "shop" and rng.random() < 0.35:
        _aisle(place, rng, wares)
    if rng.random() < (0.75 if stocked else 0.35):
        for _ in range(int(rng.integers(2, 7))):
            _stand(place, rng, wares if rng.random() < 0.8 else packed_wares(rng))
    if stocked and rng.random() < 0.35:
        _wall_rack(place, rng, wares, -1 if rng.random() < 0.5 else 1)
    if rng.random() < 0.3:
        _before_people(place, rng, wares)
    for put in _STANDS:
        share = 0.5 if put in (office_chair, row_of_seats) and not stocked else 0.22
        if rng.random() < share:
            for _ in range(int(rng.integers(1, 4))):
                x, z = open_spot(place, rng)
                if place.free(x, z, 0.3):
                    put(place, rng, x, z)


def _stand(place: Place, rng: np.random.Generator, wares: list[Ware]) -> None:
    """Stand a table, a shelf or crates somewhere that is free."""
    x, z = open_spot(place, rng)
    long, short = rng.uniform(0.5, 2.2), rng.uniform(0.3, 0.6)
    turned = math.pi / 2 if rng.random() < 0.5 else 0.0
    kind = rng.random()
    height = rng.uniform(1.0, 1.9) if kind < 0.35 else rng.uniform(0.5, 1.0)
    block = Block(x, z, long, short, height, turned + rng.normal(0, 0.08))
    if not fits(place, block):
        return
    if kind < 0.35:
        shelving(place, rng, block, wares)
    elif kind < 0.8:
        heaped_table(place, rng, block, wares)
    else:
        fruit_stand(place, rng, block)


def _aisle(place: Place, rng: np.random.Generator, wares: list[Ware]) -> None:
    """Put tables one behind the other along the view, and racks along both walls."""
    x, z = rng.uniform(-0.9, 0.9), rng.uniform(1.3, 2.5)
    short, height = rng.uniform(0.35, 0.7), rng.uniform(0.35, 0.95)
    while z < place.room.back - 0.6:
        long = min(rng.uniform(0.6, 2.0), (place.room.back - z) / 2)
        block = Block(x, z + long, long, short, height, math.pi / 2 + rng.normal(0, 0.02))
        if fits(place, block):
            heaped_table(place, rng, block, wares)
        z += 2 * long + (0.02 if rng.random() < 0.7 else 0.9)
    for side in (-1, 1):
        _wall_rack(place, rng, wares, side)


def _wall_rack(place: Place, rng: np.random.Generator, wares: list[Ware], side: int) -> None:
    """Line a stretch of a side wall with open shelves."""
    room = place.room
    start = rng.uniform(1.2, 2.5)
    half = min(rng.uniform(1.0, 3.0), (room.back - start) / 2)
    deep = rng.uniform(0.2, 0.35)
    x = room.left + deep if side < 0 else room.right - deep
    block = Block(x, start + half, half, deep, rng.uniform(1.6, 2.3), math.pi / 2)
    if half > 0.5 and fits(place, block):
        shelving(place, rng, block, wares)


def _before_people(place: Place, rng: np.random.Generator, wares: list[Ware]) -> None:
    """Stand a low shelf or table between the camera and the people."""
    camera = place.canvas.camera
    x, z = in_view(camera, rng, farthest_m=2.6, spread_rad=0.3)
    low = min(1.35, float(-camera.position[1]) - 0.1)
    block = Block(x, z, rng.uniform(0.4, 1.3), rng.uniform(0.15, 0.35), rng.uniform(0.7, max(low, 0.8)))
    if fits(place, block):
        heaped_table(place, rng, block, wares)


def in_view(camera: Camera, rng: np.random.Generator, *, farthest_m: float, spread_rad: float) -> tuple[float, float]:
    """Return x and z of a spot about where the camera looks, no nearer than 1.1 m."""
    heading = math.atan2(float(camera.world_from_camera[0, 2]), float(camera.world_from_camera[2, 2]))
    spot = rng.uniform(1.1, farthest_m) * direction(heading + rng.normal(0, spread_rad), 0.0)
    return float(spot[0]), float(spot[2])


def fits(place: Place, block: Block) -> bool:
    """Say whether a block stands free of others and of the camera."""
    camera = place.canvas.camera.position
    spots = [block.point(a * block.half_x, b * block.half_z, 0.0) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return not block.holds(float(camera[0]), float(camera[2]), 0.5) and not any(
        other.holds(float(spot[0]), float(spot[2]), 0.1) for other in place.blocks for spot in spots
    )
