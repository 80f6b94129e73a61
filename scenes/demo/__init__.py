"""Build the clip that ships: people in a small shop that was furnished by hand, and the truth about them.

`python -m scenes --demo` renders `shop.mp4` and `shop.truth.json` in this folder again, and writes `mot/`: boxes of the
people in it, for trackers.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scenes.aois import Aoi, image_of
from scenes.camera import aimed_camera
from scenes.canvas import Canvas, Light
from scenes.clip import OVERSAMPLED, Clip, all_fixations
from scenes.furniture import gondola, goods_on, items_on, table
from scenes.geometry import unit
from scenes.photo import Recorder
from scenes.place import Block, Display, Place
from scenes.room import Room, Surface, paint_room
from scenes.script import write_script
from scenes.textures import texture

VIDEO = Path(__file__).parent / "shop.mp4"
BOXES = Path(__file__).parent / "mot"

_SEED = 129
_SIZE_WH = (854, 480)
_SECONDS, _FPS, _PEOPLE = 12.0, 25.0, 4
_WALL_M = 2.1

# What each plane shows: family and number of its texture, texels a metre, first texel, brightness.
_SURFACES = (
    ("shelf", 2, 150, 0, 1.15),
    ("shelf", 15, 150, 0, 1.1),
    ("wall", 2, 150, 0, 1.2),
    ("floor", 3, 130, 0, 1.1),
    ("ceiling", 1, 110, 0, 1.1),
)


def make_demo() -> Clip:
    """Return the clip that ships."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([6, _SEED])
    place = _shop()
    aois = _areas(place)
    actors = write_script(place, aois, rng, people=_PEOPLE, seconds=_SECONDS)
    return Clip(
        seed=_SEED,
        size_wh=_SIZE_WH,
        fps=_FPS,
        seconds=_SECONDS,
        place=place,
        aois=aois,
        actors=actors,
        fixations=all_fixations(place, actors, _SECONDS),
        recorder=_recorder(),
    )


def _shop() -> Place:
    """Build a shop with shelves at the back and on the left, one in the middle, and a checkout on the right."""
    rng = np.random.default_rng(6)
    width, height = (round(side * OVERSAMPLED) for side in _SIZE_WH)
    camera = aimed_camera((width, height), focal_in_widths=0.76, height_m=2.35, yaw_deg=0.0, pitch_down_deg=14.0)
    lamp = camera.world_from_camera.T @ unit(np.array([0.4, -1.0, -0.7]))
    canvas = Canvas(camera, Light(ambient=0.66, diffuse=0.42, towards_lamp=lamp))
    surfaces = tuple(
        Surface(texture(family, number), per_m, first, gain, stocked=family == "shelf")
        for family, number, per_m, first, gain in _SURFACES
    )
    room = Room(left=-2.5, right=2.8, back=5.9, top=-2.9, surfaces=surfaces)
    paint_room(canvas, room, rng)
    place = Place(kind="shop", room=room, canvas=canvas)
    middle = Block(x=-0.75, z=4.2, half_x=0.75, half_z=0.28, height=1.0)
    gondola(place, rng, middle, "shelf", "middle")
    goods_on(place, rng, middle, 14)
    counter = Block(x=2.15, z=4.2, half_x=0.35, half_z=0.85, height=0.95)
    table(place, rng, counter, legs=False)
    goods_on(place, rng, counter, 4)
    return place


def _areas(place: Place) -> tuple[Aoi, ...]:
    """Name four displays."""
    room = place.room
    back, left = room.back - 0.01, room.left + 0.01
    displays = (
        Display("cereal", _upright((0.35, back), (2.2, back), -_WALL_M, -0.5)),
        Display("checkout", _upright((1.79, 5.0), (1.79, 3.4), -1.4, -0.2)),
        Display("coffee", _upright((left, 3.7), (left, 5.7), -_WALL_M, -0.4)),
        Display("snacks", _upright((-1.5, 3.91), (0.0, 3.91), -1.0, -0.1)),
    )
    rng = np.random.default_rng(7)
    areas = []
    for display in displays:
        if display.name != "checkout":
            items_on(place, rng, display, 4)
        polygon = image_of(place.canvas, display)
        if polygon is None:
            raise ValueError(f"scenes.demo: expected {display.name!r} in the picture, got it outside")
        areas.append(Aoi(display.name, polygon, display))
    return tuple(areas)


def _upright(
    start: tuple[float, float], end: tuple[float, float], top: float, bottom: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the corners of an upright rectangle over a line of the floor."""
    (x0, z0), (x1, z1) = start, end
    return np.array([(x0, top, z0), (x1, top, z1), (x1, bottom, z1), (x0, bottom, z0)])


def _recorder() -> Recorder:
    return Recorder(
        gamma=0.85,
        balance=np.array([1.0, 1.0, 1.02], np.float32),
        haze=0.0,
        vignette=0.15,
        blur_px=0.0,
        sharpen=0.0,
        noise=1.2,
        grey=False,
        jpeg=0,
        stamp=0,
    )
