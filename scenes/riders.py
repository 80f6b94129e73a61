"""Children in prams and those who push prams and wheelchairs: people whose place follows from somebody else's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.colours import random_colour
from scenes.figure import Figure, Target
from scenes.geometry import direction, unit
from scenes.looks import Looks, sample_looks
from scenes.place import Place
from scenes.pose import GRIP, Pose, head_centre, sample_eye_turn, turned_head
from scenes.seats import PRAM_LIFT_M

Floats = NDArray[np.float64]

_PRAM_AHEAD_M, _PUSHER_BEHIND_M = 0.98, 0.72
_PRAM_SHARE, _PUSHED_SHARE = 0.12, 0.5


def with_riders(
    place: Place, figures: list[Figure], rng: np.random.Generator, restyle: Callable[[Looks], Looks], most: int
) -> list[Figure]:
    """Return the people with up to `most` others: children in prams they push, pushers of their wheelchairs."""
    everybody, added = list(figures), 0
    for row, figure in enumerate(figures):
        if added == most:
            break
        forward = direction(figure.pose.body_yaw_rad, 0.0)
        number = 1 + max(other.person_id for other in everybody)
        if figure.looks.seat == "wheelchair" and rng.random() < _PUSHED_SHARE:
            spot = figure.pose.ground - _PUSHER_BEHIND_M * forward
            looks = replace(restyle(sample_looks(rng)), seat="none")
            yaw = figure.pose.body_yaw_rad
            other = bound_figure(rng, number, looks, spot, yaw, figure, seated=False)
        elif _may_push(figure) and rng.random() < _PRAM_SHARE:
            spot = figure.pose.ground + _PRAM_AHEAD_M * forward - np.array([0.0, PRAM_LIFT_M, 0.0])
            facing = rng.random() < 0.4
            yaw = figure.pose.body_yaw_rad + (math.pi if facing else 0.0)
            child = toddler(restyle(sample_looks(rng)), rng, facing=facing)
            other = bound_figure(rng, number, child, spot, yaw, figure, seated=True)
        else:
            continue
        if place.free(float(spot[0]), float(spot[2]), 0.2):
            everybody.append(other)
            added += 1
            if other.pose.seated:
                everybody[row] = _pushing(figure)
    return everybody


def toddler(looks: Looks, rng: np.random.Generator, *, facing: bool) -> Looks:
    """Return the person as a child of a size that fits a pram, facing its parent or away."""
    hat = looks.hat if looks.hat in ("beanie", "knit", "sun-hat", "hood-up") else "none"
    outfit = None if looks.outfit is None else replace(looks.outfit, carried="none", pack=None, tie=None)
    return replace(
        looks,
        height_m=float(rng.uniform(0.74, 1.0)),
        head_scale=float(rng.uniform(0.74, 0.88)),
        hat=hat,
        mask=None,
        beard=0.0,
        glasses=None,
        backpack=None,
        bag=None,
        skirt="none",
        outfit=outfit,
        headphones=None,
        seat="facing-pram" if facing else "pram",
        seat_colour=random_colour(rng, 15, 150, saturation=int(rng.integers(0, 120))),
        hair=replace(looks.hair, volume=min(looks.hair.volume, 0.06), hang=0.1),
    )


def bound_figure(
    rng: np.random.Generator, person_id: int, looks: Looks, ground: Floats, yaw: float, other: Figure, *, seated: bool
) -> Figure:
    """Return a person whose body faces a given azimuth and who looks at somebody or within 70 degrees of ahead."""
    centre = head_centre(looks, ground, yaw, 0.0, seated)
    aside, climb = rng.uniform(-1.2, 1.2), rng.normal(-0.1, 0.25)
    ahead = direction(yaw + float(aside), float(np.clip(climb, -0.8, 0.8)))
    target = Target(centre + rng.uniform(0.6, 3.0) * ahead, "elsewhere")
    way = unit(other.head_centre - centre)
    if rng.random() < 0.4 and float(way @ direction(yaw, 0.0)) > 0.35 and abs(float(way[1])) < 0.8:
        target = Target(other.head_centre, "person", f"person:{other.person_id}")
    gaze = unit(target.point - centre)
    eye_yaw, eye_pitch = sample_eye_turn(rng)
    pose = Pose(
        ground=ground,
        body_yaw_rad=yaw,
        lean=0.0,
        seated=seated,
        stride=0.0 if seated else float(rng.normal(0, 0.25)),
        arms=("cross", "hang") if seated else ("hold", "hold"),
        arms_before=None,
        arms_share=1.0,
        head=turned_head(gaze, eye_yaw, eye_pitch, float(rng.normal(0, 8))),
        gaze=gaze,
    )
    return Figure(person_id=person_id, looks=looks, pose=pose, target=target)


def _may_push(figure: Figure) -> bool:
    outfit = figure.looks.outfit
    loaded = outfit is not None and outfit.carried in ("cart", "floor-basket", "basket", "suitcase")
    return not figure.pose.seated and figure.looks.height_m > 1.5 and not loaded and GRIP not in figure.pose.arms


def _pushing(figure: Figure) -> Figure:
    outfit = figure.looks.outfit
    if outfit is not None and outfit.carried in ("phone", "tote"):
        figure = replace(figure, looks=replace(figure.looks, outfit=replace(outfit, carried="none")))
    return replace(figure, pose=replace(figure.pose, arms=("hold", "hold")))
