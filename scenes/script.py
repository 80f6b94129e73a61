"""Write the parts of a clip: who enters when, walks where, stops before what, and looks at which things in turn."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scenes.actor import Actor
from scenes.aois import Aoi, sees
from scenes.geometry import unit
from scenes.habits import PLAIN_HABITS, Habits
from scenes.looks import Looks, sample_looks
from scenes.place import Display, Place
from scenes.plan import Part, PlanWriter
from scenes.pose import head_centre
from scenes.route import Floor, Route, Spot

Floats = NDArray[np.float64]

_SEATED_SHARE = {"office": 0.4, "shop": 0.0, "corridor": 0.0, "queue": 0.0}
_HEAD_M = 0.24
_USUAL_HEAD = 0.085
"""Height in frame widths from which a head is as welcome as any larger one."""


def write_script(
    place: Place,
    aois: tuple[Aoi, ...],
    rng: np.random.Generator,
    *,
    people: int,
    seconds: float,
    restyle: Callable[[Looks], Looks] = lambda looks: looks,
    habits: Habits = PLAIN_HABITS,
) -> tuple[Actor, ...]:
    """Return up to `people` actors, ids from 1, looking as `restyle` makes them; fewer if there is no more room."""
    floor = Floor(place)
    parts: list[Part] = []
    for number in range(people):
        part = _walk_on(
            place, floor, aois, rng, parts, person_id=number + 1, seconds=seconds, restyle=restyle, habits=habits
        )
        if part is not None:
            parts.append(part)
    return tuple(PlanWriter(place, aois, rng, parts, part, habits).actor() for part in parts)


def _walk_on(
    place: Place,
    floor: Floor,
    aois: tuple[Aoi, ...],
    rng: np.random.Generator,
    parts: list[Part],
    *,
    person_id: int,
    seconds: float,
    restyle: Callable[[Looks], Looks],
    habits: Habits,
) -> Part | None:
    """Give a person a start, stops, ways between them and perhaps an exit."""
    looks = restyle(sample_looks(rng))
    seated = rng.random() < _SEATED_SHARE[place.kind]
    low = seated or looks.seat == "wheelchair"
    comes_in = person_id > 1 and not seated and rng.random() < 0.45
    enters = rng.uniform(0.0, 0.45 * seconds) if comes_in else 0.0
    spot, aim = _stop(place, aois, rng, parts, (looks, low), habits)
    if comes_in:
        spot, aim = _outside(place, rng, looks), None
    if spot is None:
        return None
    now = enters
    times, spots = [now], [spot]
    stops: list[tuple[float, float, Aoi | None]] = []
    while now < seconds and len(stops) < 12:
        if len(spots) > 1 or not comes_in:
            stay = seconds + 1 if seated else rng.uniform(2.2, 6.5)
            stops.append((now, now + stay, aim))
            now += stay
            times.append(now)
            spots.append(spot)
        leaves = not seated and rng.random() < 0.3
        if leaves:
            goal, aim = _outside(place, rng, looks), None
        else:
            goal, aim = _stop(place, aois, rng, parts, (looks, low), habits)
        way = None if goal is None else floor.way(spot, goal)
        if way is None or goal is None:
            if not stops:
                return None
            continue
        speed = rng.uniform(0.75, 1.35)
        for corner in way[1:]:
            now += math.hypot(corner[0] - spot[0], corner[1] - spot[1]) / speed + 1e-3
            times.append(now)
            spots.append(corner)
            spot = corner
        if leaves:
            break
    end = min(seconds, now)
    route = Route(np.array(times), np.array(spots, np.float64))
    return Part(person_id, looks, low, route, enters, max(end, enters + 0.2), tuple(stops))


def _stop(
    place: Place,
    aois: tuple[Aoi, ...],
    rng: np.random.Generator,
    parts: list[Part],
    person: tuple[Looks, bool],
    habits: Habits,
) -> tuple[Spot | None, Aoi | None]:
    """Return a free spot from which the head of a person, seated or not, is in view, mostly before a display."""
    looks, seated = person
    for attempt in range(160):
        before_one = aois and rng.random() < habits.before_display and attempt < 120
        aim = aois[int(rng.integers(len(aois)))] if before_one else None
        if aim is not None:
            middle = before(aim.display, rng)
            spot = float(middle[0]), float(middle[2])
        else:
            room = place.room
            spot = rng.uniform(room.left + 0.3, room.right - 0.3), rng.uniform(1.2, room.back - 0.3)
        head = head_centre(looks, np.array([spot[0], 0.0, spot[1]]), 0.0, 0.0, seated)
        if not place.free(*spot) or not sees(place.canvas, head) or not _distance_fits(place, rng, head):
            continue
        if any(math.hypot(spot[0] - x, spot[1] - z) < 0.75 for part in parts for x, z in part.route.spots.tolist()):
            continue
        return spot, aim
    return None, None


def before(display: Display, rng: np.random.Generator) -> Floats:
    """Return a (3,) point in front of an upright display, or beside one that lies, mostly on its far side."""
    if not display.lies:
        return display.at(rng.uniform(0.1, 0.9), 0.5) + display.normal * rng.uniform(0.7, 2.4)
    beyond = rng.random() < 0.75
    away = display.corners[0] - display.corners[3] if beyond else display.corners[3] - display.corners[0]
    return display.at(rng.uniform(-0.1, 1.1), 0.0 if beyond else 1.0) + unit(away) * rng.uniform(0.35, 1.0)


def _distance_fits(place: Place, rng: np.random.Generator, head: Floats) -> bool:
    """Say whether a head is shown whole, a third of the picture at most; small ones count less the smaller they are."""
    camera = place.canvas.camera
    height_px = _HEAD_M * camera.focal_px / float(camera.to_camera(head)[2])
    if height_px > 0.34 * camera.size_wh[1]:
        return False
    return rng.random() < (height_px / (_USUAL_HEAD * camera.size_wh[0])) ** 2


def _outside(place: Place, rng: np.random.Generator, looks: Looks) -> Spot | None:
    """Return a free spot from which nothing of the person is in view."""
    room, camera = place.room, place.canvas.camera
    for _ in range(80):
        spot = rng.uniform(room.left + 0.3, room.right - 0.3), rng.uniform(-1.0, room.back - 0.3)
        ground = np.array([spot[0], 0.0, spot[1]])
        if not place.free(*spot):
            continue
        head = head_centre(looks, ground, 0.0, 0.0, False)
        pixels, depth = camera.project(np.stack([head - [0, 0.35, 0], head, ground]))
        width, height = camera.size_wh
        ahead = depth > 0.05
        margin = 0.45 * camera.focal_px / np.maximum(depth, 0.05)
        beside = (pixels[:, 0] < -margin) | (pixels[:, 0] > width + margin)
        if not ahead.any() or (beside | ~ahead).all() or (ahead.all() and (pixels[:, 1] > height).all()):
            return spot
    return None
