"""Render one still with its truth from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.attention import TargetChooser, attentive_figure
from scenes.dressing import dress
from scenes.figure import Figure, draw_people
from scenes.interest import SALIENT_SHARE, InterestChooser
from scenes.layout import build_place, sample_camera
from scenes.looks import Looks, sample_looks
from scenes.photo import record, sample_recorder
from scenes.place import Place
from scenes.pose import head_centre
from scenes.restyle import Restyler
from scenes.style import PLAIN, Style
from scenes.truth import PeopleTruth

Floats = NDArray[np.float64]

RENDER_WIDTH = 560
"""Pictures are drawn at this width and shrunk, which smooths their edges."""

_VIEW_SHARES = {"close": 0.17, "eye": 0.27, "wall": 0.33, "ceiling": 0.23}
_KIND_SHARES = {"shop": 0.62, "office": 0.16, "corridor": 0.12, "queue": 0.10}
_DISTANCES_M = {"close": (0.7, 2.4), "eye": (1.6, 8.0), "wall": (1.6, 9.0), "ceiling": (1.4, 8.0)}
_COUNTS = (0.04, 0.17, 0.23, 0.19, 0.14, 0.09, 0.05, 0.04, 0.05)


@dataclass(frozen=True)
class Still:
    """One picture and what is in it."""

    bgr: NDArray[np.uint8]
    """(H, W, 3)."""
    people: PeopleTruth


@dataclass(frozen=True)
class _Standing:
    """A person who has a spot but nothing to look at yet."""

    looks: Looks
    ground: Floats
    seated: bool
    head: Floats


def render_still(
    seed: int, size_wh: tuple[int, int] = (480, 288), *, difficulty: float | None = None, style: Style = PLAIN
) -> Still:
    """Render the still of a seed.

    Args:
        seed: not negative; the picture depends on nothing but the arguments.
        size_wh: size of the picture in pixels.
        difficulty: 0 (clean) to 1 (odd surfaces, floating shapes, strong noise and blur); None draws it.
        style: what the scene may show beyond a plain one.

    Raises:
        ValueError: for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"render_still: expected a seed of at least 0, got {seed!r}")
    cv2.setNumThreads(1)
    rng = np.random.default_rng([1, seed])
    drawn = max(0.0, rng.uniform(-1.0, 1.0))
    difficulty = drawn if difficulty is None else difficulty
    view = str(rng.choice(list(_VIEW_SHARES), p=list(_VIEW_SHARES.values())))
    kind = str(rng.choice(list(_KIND_SHARES), p=list(_KIND_SHARES.values())))
    drawn_wh = (RENDER_WIDTH, round(RENDER_WIDTH * size_wh[1] / size_wh[0]))
    camera = sample_camera(rng, drawn_wh, view)
    place = build_place(rng, camera, kind, view, difficulty)
    dressing = dress(place, seed, style)
    standing = _restyled(_place_people(place, rng, view), Restyler(style, seed))
    drawn_to = np.random.default_rng([29, seed])
    if style.salience and drawn_to.random() < SALIENT_SHARE:
        figures = InterestChooser(place, drawn_to, standing, close=view == "close").figures()
    else:
        figures = _attentive(place, rng, standing, close=view == "close")
    people = draw_people(place.canvas, figures)
    dressing.finish(place.canvas)
    recorder = sample_recorder(rng, difficulty)
    return Still(bgr=record(place.canvas.bgr, size_wh, recorder, rng), people=people)


def _attentive(place: Place, rng: np.random.Generator, standing: list[_Standing], *, close: bool) -> list[Figure]:
    """Give everybody something to look at."""
    chooser = TargetChooser(place, rng, close=close)
    heads = [(k + 1, person.head) for k, person in enumerate(standing)]
    figures = []
    for k, person in enumerate(standing):
        target = chooser.choose(person.head, [other for other in heads if other[0] != k + 1])
        figures.append(attentive_figure(rng, k + 1, person.looks, person.ground, person.seated, target))
    return figures


def _place_people(place: Place, rng: np.random.Generator, view: str) -> list[_Standing]:
    count = int(rng.choice(len(_COUNTS), p=_COUNTS))
    if count == len(_COUNTS) - 1:
        count = int(rng.integers(8, 15))
    if view == "close":
        count = min(count, 3)
    sitting = {"office": 0.45, "shop": 0.05, "corridor": 0.03, "queue": 0.08}[place.kind]
    standing: list[_Standing] = []
    for _ in range(count):
        for _ in range(14):
            person = _try_spot(place, rng, view, seated=rng.random() < sitting)
            if person is None or any(np.linalg.norm(other.ground - person.ground) < 0.42 for other in standing):
                continue
            standing.append(person)
            break
    return standing


def _restyled(standing: list[_Standing], restyle: Restyler) -> list[_Standing]:
    """Alter people where they stand."""
    altered = []
    for person in standing:
        looks = restyle(person.looks)
        head = head_centre(looks, person.ground, 0.0, 0.0, person.seated)
        altered.append(replace(person, looks=looks, head=head))
    return altered


def _try_spot(place: Place, rng: np.random.Generator, view: str, *, seated: bool) -> _Standing | None:
    """Return somebody at a random spot if it is free and the head is in view, partly or whole."""
    camera = place.canvas.camera
    width, height = camera.size_wh
    nearest, farthest = (math.log(v) for v in _DISTANCES_M[view])
    distance = math.exp(rng.uniform(nearest, farthest))
    u = rng.uniform(-0.01, 1.01) * width
    ray = camera.world_from_camera @ np.array([(u - camera.centre_px[0]) / camera.focal_px, 0.0, 1.0])
    azimuth = math.atan2(ray[0], ray[2])
    ground = np.array([math.sin(azimuth) * distance, 0.0, math.cos(azimuth) * distance])
    if not place.free(float(ground[0]), float(ground[2])):
        return None
    looks = sample_looks(rng)
    head = head_centre(looks, ground, 0.0, 0.0, seated)
    pixel, depth = camera.project(head)
    half = 0.11 * camera.focal_px / max(float(depth), 0.1)
    low = -0.4 * half if rng.random() < 0.5 else half
    if not (low < pixel[1] < height - 0.3 * half) or not (-0.3 * half < pixel[0] < width + 0.3 * half):
        return None
    row, column = int(pixel[1].clip(0, height - 1)), int(pixel[0].clip(0, width - 1))
    if place.canvas.depth[row, column] < depth - 0.1 and rng.random() < 0.8:
        return None
    return _Standing(looks=looks, ground=ground, seated=seated, head=head)
