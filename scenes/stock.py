"""Tables, shelves and stands heaped with many small things of a few sorts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scenes.colours import grey, random_colour
from scenes.furniture import box, faces, flat_sheet, table
from scenes.place import Block, Display, Place, Thing
from scenes.sprites import Sprite, nearest_pitch, put_sprites
from scenes.textures import random_texture
from scenes.wares import CROCKERY, FRUIT, GOODS, crockery, fruit, package

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

MOST = 340
"""Things on one table or shelf."""

Ware = tuple[Callable[[int], Sprite], tuple[float, float], Colours]
"""A sort of things: its picture by pitch, its least and greatest size in metres, and the factor of its colours."""


def white_wares(rng: np.random.Generator) -> list[Ware]:
    """Return sorts of crockery, nearly all of it white."""
    tint = grey(rng, 225, 262) / 255

    def ware(kind: str) -> Ware:
        gain = tint * np.float32(rng.uniform(0.9, 1.06)) if rng.random() < 0.85 else random_colour(rng, 90, 240) / 255
        return lambda pitch: crockery(kind, pitch), (0.09, 0.3), gain.astype(np.float32)

    return [ware(CROCKERY[int(rng.integers(len(CROCKERY)))]) for _ in range(int(rng.integers(3, 9)))]


def packed_wares(rng: np.random.Generator) -> list[Ware]:
    """Return sorts of packages, bottles, tins and bags."""

    def ware(number: int) -> Ware:
        gain = (rng.uniform(0.8, 1.3) * rng.uniform(0.6, 1.2, 3)).astype(np.float32)
        return lambda pitch: package(number, pitch), (0.09, 0.28), gain

    return [ware(int(rng.integers(GOODS))) for _ in range(int(rng.integers(5, 14)))]


def fruit_wares(rng: np.random.Generator) -> list[Ware]:
    """Return sorts of fruit."""

    def ware(number: int) -> Ware:
        return lambda pitch: fruit(number, pitch), (0.07, 0.12), np.full(3, rng.uniform(0.85, 1.15), np.float32)

    return [ware(int(rng.integers(FRUIT))) for _ in range(int(rng.integers(2, 7)))]


def heap(place: Place, rng: np.random.Generator, block: Block, wares: list[Ware], slope: float = 0.0) -> None:
    """Cover the top of a block with patches of one sort each, in rows or at random, some of them piled up.

    Args:
        place: what is drawn on; a few of the things can be looked at.
        rng: source of all choices.
        block: what they stand on.
        wares: sorts to draw from.
        slope: metres the far side is higher than the near one, as on a slanted stand.
    """
    feet: list[Floats] = []
    rows: list[tuple[Ware, float]] = []
    at = -block.half_x
    while at < block.half_x - 0.05:
        wide = min(rng.uniform(0.3, 0.9), block.half_x - at)
        deep = -block.half_z
        while deep < block.half_z - 0.05:
            long = min(rng.uniform(0.25, 0.7), block.half_z - deep)
            ware = wares[int(rng.integers(len(wares)))]
            for spot, size in _patch(rng, ware, wide, long):
                along, back = at + spot[0], deep + spot[1]
                lift = slope * (back / block.half_z + 1) / 2
                feet.append(block.point(along, back, block.height + lift + spot[2]))
                rows.append((ware, size))
            deep += long
        at += wide
    _put(place, rng, feet, rows)


def _patch(rng: np.random.Generator, ware: Ware, wide: float, deep: float) -> list[tuple[Floats, float]]:
    """Return places (across, deep, up) in a patch, and sizes."""
    size = rng.uniform(*ware[1])
    step = size * rng.uniform(0.75, 1.15)
    across, back = max(1, int(wide / step)), max(1, int(deep / step))
    layers = int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))
    jitter = step * (0.05 if rng.random() < 0.6 else 0.25)
    found = []
    for layer in range(layers):
        for i in range(across):
            for j in range(back):
                if rng.random() < 0.12 + 0.2 * layer:
                    continue
                spot = np.array([(i + 0.5) * wide / across, (j + 0.5) * deep / back, layer * size * 0.6])
                spot[:2] += rng.normal(0, jitter, 2)
                found.append((spot, size * rng.uniform(0.92, 1.08)))
    return found


def _put(place: Place, rng: np.random.Generator, feet: list[Floats], rows: list[tuple[Ware, float]]) -> None:
    if not feet:
        return
    kept = rng.permutation(len(feet))[:MOST] if len(feet) > MOST else np.arange(len(feet))
    where = np.stack([feet[k] for k in kept])
    pitch = nearest_pitch(place.canvas, where.mean(axis=0))
    shade = rng.uniform(0.9, 1.06, len(kept)).astype(np.float32)
    put_sprites(
        place.canvas,
        [rows[k][0][0](pitch) for k in kept],
        where,
        np.array([rows[k][1] for k in kept]),
        np.stack([rows[k][0][2] for k in kept]) * shade[:, None],
    )
    for k in rng.integers(0, len(kept), int(rng.integers(1, 5))):
        place.things.append(Thing(where[k] - np.array([0, rows[kept[k]][1] / 2, 0])))


def heaped_table(place: Place, rng: np.random.Generator, block: Block, wares: list[Ware]) -> None:
    """Stand a table or a closed display and heap it."""
    table(place, rng, block, legs=rng.random() < 0.3)
    heap(place, rng, block, wares)


def fruit_stand(place: Place, rng: np.random.Generator, block: Block) -> None:
    """Stand slanted crates of fruit."""
    table(place, rng, block, legs=False)
    heap(place, rng, block, fruit_wares(rng), slope=rng.uniform(0.1, 0.35))


def shelving(place: Place, rng: np.random.Generator, block: Block, wares: list[Ware]) -> None:
    """Stand an open shelf: boards one above the other with rows of things, and a back behind them."""
    place.blocks.append(block)
    half_x, half_z, height = block.half_x, block.half_z, block.height
    side = -1.0 if block.local(place.canvas.camera.position)[2] < 0 else 1.0
    board = random_colour(rng, 90, 240, saturation=int(rng.integers(0, 90)))
    back = random_texture(rng, "wall")[100:200, :200]
    ends = (half_x * side, -half_x * side)
    panel = np.stack([block.point(ends[k in (1, 2)], -side * half_z * 0.9, height if k < 2 else 0.0) for k in range(4)])
    panel = panel if faces(place.canvas, Display("", panel)) else panel[[1, 0, 3, 2]]
    place.canvas.quad(panel, back, rng.uniform(0.35, 0.8))
    place.displays.append(Display(f"rack-{len(place.displays)}", panel))
    step = rng.uniform(0.3, 0.5)
    for level in np.arange(0.12, height - 0.1, step):
        slab = Block(block.x, block.z, half_x, half_z, 0.0, block.yaw)
        box(place.canvas, slab, float(level) - 0.03, float(level), flat_sheet(board), rng)
        narrow = Block(block.x, block.z, half_x, half_z * 0.9, float(level), block.yaw)
        sorts = [wares[int(k)] for k in rng.integers(0, len(wares), 3)]
        heap(place, rng, narrow, [(draw, (low, min(high, step * 0.5)), gain) for draw, (low, high), gain in sorts])
