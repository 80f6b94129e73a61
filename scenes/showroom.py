"""Furnish places in which what people look at can be told apart: well framed areas that look like nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.aois import Aoi, Framing, choose_aois
from scenes.branding import brand
from scenes.dressing import Dressing, dress
from scenes.exhibits import set_out
from scenes.furniture import table
from scenes.layout import build_place, hang_posters, sample_camera
from scenes.place import Block, Display, Place, Thing, open_spot
from scenes.style import Style

SHOWN = Framing(smallest=0.04, largest=0.22, apart=0.2)
_VIEW_SHARES = {"eye": 0.3, "wall": 0.55, "ceiling": 0.15}
_TABLE_SHARE = 0.7
_TABLE_TRIES = 12
_ENOUGH = 3
_TRIES = 14


def furnished_showroom(
    size_wh: tuple[int, int], kind: str, difficulty: float, zoom: float, seed: int, style: Style
) -> tuple[Place, tuple[Aoi, ...], Dressing]:
    """Return a place in which the camera sees three areas or more as `SHOWN` wants them, or the best of 14 tries.

    Args:
        size_wh: size of the picture in pixels.
        kind: one of `place.KINDS`.
        difficulty: 0 to 1.
        zoom: how much narrower the view is than that of cameras of stills.
        seed: of the clip.
        style: what it may show.
    """
    rng = np.random.default_rng([129, seed])
    best: tuple[Place, tuple[Aoi, ...], Dressing] | None = None
    for _ in range(_TRIES):
        view = str(rng.choice(list(_VIEW_SHARES), p=list(_VIEW_SHARES.values())))
        camera = sample_camera(rng, size_wh, view)
        camera = replace(camera, focal_px=camera.focal_px * zoom)
        place = build_place(rng, camera, kind, view, difficulty / 2)
        dressing = dress(place, seed, style, stream=100)
        if rng.random() < _TABLE_SHARE:
            _promotion(place, rng)
        aois = choose_aois(place, rng, 4, SHOWN)
        if len(aois) < _ENOUGH:
            hang_posters(place, rng)
            aois = choose_aois(place, rng, 4, SHOWN)
        if best is None or len(aois) > len(best[1]):
            best = place, aois, dressing
        if len(aois) >= _ENOUGH:
            break
    assert best is not None
    place, aois, dressing = best
    brand(place, rng, aois)
    polygons = [aoi.polygon for aoi in aois]
    beside = set_out(place, rng, int(rng.integers(1, 4)), avoid=polygons, standing=False)
    place.things += [Thing(exhibit.point) for exhibit in beside]
    return place, aois, dressing


def _promotion(place: Place, rng: np.random.Generator) -> None:
    """Stand a table whose top is a display where people face the camera across it, if there is room."""
    for _ in range(_TABLE_TRIES):
        x, z = open_spot(place, rng)
        block = Block(x, z, rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.6), rng.uniform(0.7, 0.9), rng.normal(0, 0.2))
        spots = [block.point(a * block.half_x, b * block.half_z, 0) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        if 2.0 < z < 5.0 and all(place.free(float(spot[0]), float(spot[2]), 0.3) for spot in spots):
            break
    else:
        return
    table(place, rng, block, legs=False)
    ring = ((-1, 1), (1, 1), (1, -1), (-1, -1))
    corners = np.stack([block.point(a * block.half_x, b * block.half_z, block.height) for a, b in ring])
    place.displays.append(Display(f"table-{len(place.displays)}", corners))
