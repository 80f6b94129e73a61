"""Set out teapots, kettles and jars close together: on what stands there, and on tables near the camera."""

from __future__ import annotations

import math

import numpy as np

from scenes.clutter import fits, in_view
from scenes.colours import grey, random_colour
from scenes.place import Block, Place
from scenes.pots import POTS, TURNS, pot
from scenes.stock import Ware, heap, heaped_table, white_wares

_PLAIN_SHARE = 0.72
"""White ones."""
_BESIDE_SHARE = 0.5
"""Tables on which other crockery stands between."""


def add_tableware(place: Place, rng: np.random.Generator) -> None:
    """Add pots to a place: some to each of most low blocks, and one to three tables in view."""
    wares = _pots(rng)
    if rng.random() < _BESIDE_SHARE:
        wares += white_wares(rng)[:3]
    for block in place.blocks:
        if block.height < 1.6 and block.half_z > 0.15 and rng.random() < 0.5:
            heap(place, rng, block, wares)
    for _ in range(int(rng.integers(1, 4))):
        _table(place, rng, wares)


def _pots(rng: np.random.Generator) -> list[Ware]:
    """Return two to six sorts of pots; those of a sort stand the same way round."""

    def ware(kind: str, turn: int) -> Ware:
        white = rng.random() < _PLAIN_SHARE
        gain = grey(rng, 200, 265) / 255 if white else random_colour(rng, 20, 230) / 255
        return lambda pitch: pot(kind, turn, pitch), (0.12, 0.34), gain.astype(np.float32)

    return [ware(POTS[int(rng.integers(len(POTS)))], int(rng.integers(TURNS))) for _ in range(int(rng.integers(2, 7)))]


def _table(place: Place, rng: np.random.Generator, wares: list[Ware]) -> None:
    """Stand a table in the view, nearer than people mostly are."""
    camera = place.canvas.camera
    x, z = in_view(camera, rng, farthest_m=4.0, spread_rad=0.35)
    low = min(1.3, float(-camera.position[1]) - 0.1)
    block = Block(
        x,
        z,
        rng.uniform(0.4, 1.3),
        rng.uniform(0.2, 0.6),
        rng.uniform(0.5, max(low, 0.6)),
        rng.normal(0, 0.2) + (math.pi / 2 if rng.random() < 0.5 else 0.0),
    )
    if fits(place, block):
        heaped_table(place, rng, block, wares)
