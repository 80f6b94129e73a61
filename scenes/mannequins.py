"""People's shapes that are none: mannequins, busts, torsos and coats on hangers. Their pixels belong to nobody."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.attention import attentive_figure
from scenes.body import BodyPainter
from scenes.canvas import plain
from scenes.colours import grey, random_colour
from scenes.figure import Figure, Target, draw_people
from scenes.geometry import looking_along
from scenes.head import HeadPainter
from scenes.looks import Looks, sample_looks
from scenes.place import Block, Place

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_UPRIGHT = np.eye(3)


def mannequin(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Stand a dressed or bare mannequin, with a head of its own kind, a plain egg, or none."""
    figure = _posed(rng, np.array([x, 0.0, z]), _plastic(rng))
    kind = rng.random()
    canvas = place.canvas
    place.blocks.append(Block(x, z, 0.2, 0.2, 1.5))
    if kind < 0.5:
        draw_people(canvas, [figure])
    else:
        canvas.floor_shade(figure.pose.ground, 0.42, 0.45)
        BodyPainter(canvas, figure.looks, figure.pose, 1).draw()
        centre = figure.head_centre
        skin = plain(figure.looks.skin)
        stub = centre + np.array([0.0, 0.15, 0.0])
        canvas.ellipsoid(stub, _UPRIGHT, np.array([0.045, 0.09, 0.045]), skin)
        if kind < 0.8:
            canvas.ellipsoid(centre, figure.pose.head, np.array([0.08, 0.12, 0.1]), skin)
    _disown(place)


def bust(place: Place, rng: np.random.Generator, foot: Floats) -> None:
    """Put a head on a neck or shoulders down at a world point, bare, with a wig or with a hat."""
    looks = _plastic(rng)
    if rng.random() < 0.5:
        looks = replace(looks, hair=sample_looks(rng).hair)
    centre = foot - np.array([0.0, rng.uniform(0.24, 0.34), 0.0])
    figure = _posed(rng, foot, looks)
    if rng.random() < 0.5:
        wide = np.array([0.19, 0.08, 0.1])
        place.canvas.ellipsoid(foot - np.array([0.0, 0.07, 0.0]), _UPRIGHT, wide, plain(looks.skin))
    HeadPainter(place.canvas, looks, figure.pose, centre, 2).draw(foot - np.array([0.0, 0.02, 0.0]))
    _disown(place)


def coats(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Hang coats and shirts side by side on a rail, some below round hats."""
    turn = looking_along(np.array([rng.normal(), 0, rng.normal()]) + 1e-3)
    rail = rng.uniform(1.35, 1.7)
    count = int(rng.integers(1, 8))
    step = rng.uniform(0.12, 0.5)
    for k in range(count):
        colour = random_colour(rng, 10, 230, saturation=int(rng.integers(0, 150)))
        middle = np.array([x, -rail, z]) + turn @ np.array([(k - count / 2) * step, 0.0, 0.0])
        flat = looking_along(turn @ np.array([rng.normal(0, 0.3), 0.0, 1.0]))
        long = rng.uniform(0.3, 0.5)
        for offset, radii in (
            ((0.0, 0.16, 0.0), (0.2, 0.08, 0.06)),
            ((0.0, 0.12 + long, 0.0), (0.19, long, 0.07)),
            ((-0.19, 0.42, 0.0), (0.05, 0.28, 0.05)),
            ((0.19, 0.42, 0.0), (0.05, 0.28, 0.05)),
        ):
            place.canvas.ellipsoid(middle + flat @ np.array(offset), flat, np.array(radii), plain(colour))
        if rng.random() < 0.2:
            hat = middle - np.array([0.0, 0.05, 0.0])
            place.canvas.ellipsoid(hat, flat, np.array([0.11, 0.08, 0.12]), plain(random_colour(rng, 15)))
    bar = np.array([count * step / 2 + 0.15, 0.015, 0.015])
    place.canvas.ellipsoid(np.array([x, -rail, z]), turn, bar, plain(grey(rng, 60, 220)))


def _plastic(rng: np.random.Generator) -> Looks:
    """Return somebody bald with skin of white, black, grey or skin-coloured plastic, sometimes bare all over."""
    looks = sample_looks(rng)
    kind = rng.random()
    skin = looks.skin if kind < 0.35 else grey(rng, 170, 255) if kind < 0.75 else grey(rng, 15, 90)
    looks = replace(
        looks,
        height_m=float(rng.normal(1.76, 0.06)),
        skin=skin.astype(np.float32),
        hat="none" if rng.random() < 0.8 else looks.hat,
        mask=None,
        glasses=None,
        beard=0.0,
        eye=(skin * np.float32(0.75)).astype(np.float32),
        eye_open=0.3,
    )
    if rng.random() < 0.75:
        looks = replace(looks, hair=replace(looks.hair, style="bald"))
    if rng.random() < 0.3:
        bare = replace(looks.top, colour=looks.skin, pattern=99)
        looks = replace(looks, top=bare, trousers=bare, shoes=looks.skin, skirt="none", backpack=None, bag=None)
    return looks


def _posed(rng: np.random.Generator, ground: Floats, looks: Looks) -> Figure:
    """Return a stiff pose that faces roughly the camera, or anywhere."""
    heading = math.atan2(-ground[0], -ground[2]) + rng.normal(0, 0.7) if rng.random() < 0.6 else rng.uniform(-3, 3)
    ahead = np.array([math.sin(heading), 0.0, math.cos(heading)]) * 3
    target = Target(ground + ahead - np.array([0.0, 1.6, 0.0]), "elsewhere")
    return attentive_figure(rng, 1, looks, ground, False, target)


def _disown(place: Place) -> None:
    """Make all that is drawn so far nobody's; people are drawn later."""
    place.canvas.owner[:] = 0
    place.canvas.covered[:] = 0
