"""Fill a scene with company: crowds, groups, seated people, heads at the frame's edge and far away; children."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.figure import Figure
from scenes.looks import Looks
from scenes.place import Place
from scenes.pose import head_centre
from scenes.riders import with_riders
from scenes.spots import DISTANCES_M, Standing, stand_at, try_spot
from scenes.style import Style

Floats = NDArray[np.float64]

MOST_PEOPLE = 30
COMPANY_STREAM = 24
_JOINED_SHARE = 0.7
_CROWDED_CLIPS = 0.25
_MODES = {"few": 0.3, "crowd": 0.26, "groups": 0.26, "seated": 0.18}
_EDGE_SHARE, _FAR_SHARE = 0.3, 0.35
_APART_M = 0.42
_HEAD_M = 0.235
_FAR_PX = (8.0, 16.0)
"""Height of far heads in a picture 480 pixels wide."""


def actors_of_clip(style: Style, seed: int, drawn: int) -> int:
    """Return how many take part in a clip in which plainly `drawn` would; some clips are crowded."""
    rng = np.random.default_rng([COMPANY_STREAM + 100, seed, 1])
    return int(rng.integers(7, 13)) if style.people and rng.random() < _CROWDED_CLIPS else drawn


class Company:
    """Who joins the people of one still; in some stills nobody."""

    def __init__(self, style: Style, seed: int) -> None:
        """Decide whether anybody does."""
        self.rng = np.random.default_rng([COMPANY_STREAM, seed, 1])
        self.comes = style.people and self.rng.random() < _JOINED_SHARE
        self.mode = str(self.rng.choice(list(_MODES), p=list(_MODES.values()))) if self.comes else "few"

    def view(self, view: str) -> str:
        """Return from where the camera looks: crowds are mostly seen from above."""
        if self.mode != "crowd" or view in ("wall", "ceiling"):
            return view
        return "wall" if view == "close" or self.rng.random() < 0.6 else view

    def camera(self, camera: Camera) -> Camera:
        """Return the camera, wide enough for a crowd."""
        if self.mode != "crowd":
            return camera
        return replace(camera, focal_px=camera.focal_px * self.rng.uniform(0.62, 0.9))

    def joined(self, place: Place, standing: list[Standing], view: str) -> list[Standing]:
        """Return the people with others among them; the first ones stay."""
        return _with_company(place, standing, self.rng, view, self.mode) if self.comes else standing

    def with_riders(self, place: Place, figures: list[Figure], restyle: Callable[[Looks], Looks]) -> list[Figure]:
        """Return the people with children in prams and pushers of wheelchairs."""
        if not self.comes:
            return figures
        return with_riders(place, figures, self.rng, restyle, max(0, MOST_PEOPLE - len(figures)))


def _with_company(
    place: Place, standing: list[Standing], rng: np.random.Generator, view: str, mode: str
) -> list[Standing]:
    people = list(standing)
    near, far = DISTANCES_M[view]
    if mode == "crowd":
        _scatter(place, people, rng, int(rng.integers(12, MOST_PEOPLE + 4)), (near, far * 1.6), seated=0.03)
    elif mode == "groups":
        _groups(place, people, rng, (near, far), int(rng.integers(1, 4)))
    elif mode == "seated":
        _scatter(place, people, rng, len(people) + int(rng.integers(2, 7)), (near, far), seated=1.0)
    if rng.random() < _FAR_SHARE:
        focal = place.canvas.camera.focal_px * 480 / place.canvas.camera.size_wh[0]
        depths = _HEAD_M * focal / _FAR_PX[1], _HEAD_M * focal / _FAR_PX[0]
        _scatter(place, people, rng, len(people) + int(rng.integers(1, 6)), depths, seated=0.05)
    if rng.random() < _EDGE_SHARE:
        _at_edges(place, people, rng, int(rng.integers(1, 4)))
    return people[:MOST_PEOPLE]


def _apart(people: list[Standing], ground: Floats) -> bool:
    return not any(np.linalg.norm(other.ground - ground) < _APART_M for other in people)


def _scatter(
    place: Place,
    people: list[Standing],
    rng: np.random.Generator,
    count: int,
    distances_m: tuple[float, float],
    *,
    seated: float,
) -> None:
    """Add people anywhere until there are `count`, or too many tries have failed."""
    for _ in range(30 * count):
        if len(people) >= count:
            return
        person = try_spot(place, rng, distances_m, seated=rng.random() < seated)
        if person is not None and _apart(people, person.ground):
            people.append(person)


def _groups(
    place: Place, people: list[Standing], rng: np.random.Generator, distances_m: tuple[float, float], count: int
) -> None:
    """Add groups of two to five who stand close together."""
    for _ in range(40 * count):
        if count == 0:
            return
        first = try_spot(place, rng, distances_m, seated=False)
        if first is None or not _apart(people, first.ground):
            continue
        count -= 1
        people.append(first)
        for _ in range(int(rng.integers(1, 5))):
            around, far = rng.uniform(0, 2 * math.pi), rng.uniform(0.45, 0.85)
            ground = first.ground + far * np.array([math.sin(around), 0.0, math.cos(around)])
            other = stand_at(place, rng, ground, seated=False) if _apart(people, ground) else None
            if other is not None:
                people.append(other)


def _at_edges(place: Place, people: list[Standing], rng: np.random.Generator, count: int) -> None:
    """Add people whose head an edge of the frame cuts."""
    camera = place.canvas.camera
    width, height = camera.size_wh
    for _ in range(60 * count):
        if count == 0:
            return
        person = try_spot(place, rng, (0.7, 6.0), seated=rng.random() < 0.1)
        if person is None or not _apart(people, person.ground):
            continue
        pixel, depth = camera.project(person.head)
        half = 0.12 * camera.focal_px / max(float(depth), 0.1)
        beyond = min(float(pixel[0]), width - float(pixel[0]), float(pixel[1]), height - float(pixel[1]))
        if beyond < half:
            people.append(person)
            count -= 1


def restyled(person: Standing, looks: Looks) -> Standing:
    """Return the person with other looks where it stands; who sits in a wheelchair sits."""
    seated = person.seated or looks.seat == "wheelchair"
    head = head_centre(looks, person.ground, 0.0, 0.0, seated)
    return replace(person, looks=looks, seated=seated, head=head)
