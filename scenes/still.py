"""Render one still with its truth from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.attention import TargetChooser, attentive_figure
from scenes.backlight import sample_backlight
from scenes.bent import bent_truth
from scenes.company import Company, restyled
from scenes.dressing import dress
from scenes.figure import Figure, draw_people
from scenes.film import sample_film
from scenes.interest import SALIENT_SHARE, InterestChooser
from scenes.layout import build_place, sample_camera
from scenes.lens import sample_lens
from scenes.photo import record, sample_recorder
from scenes.place import Place
from scenes.restyle import Restyler
from scenes.spots import DISTANCES_M, Standing, try_spot
from scenes.style import PLAIN, Style
from scenes.tilt import tilted
from scenes.truth import PeopleTruth

Floats = NDArray[np.float64]

RENDER_WIDTH = 560
"""Pictures are drawn at this width and shrunk, which smooths their edges."""

_VIEW_SHARES = {"close": 0.17, "eye": 0.27, "wall": 0.33, "ceiling": 0.23}
_KIND_SHARES = {"shop": 0.62, "office": 0.16, "corridor": 0.12, "queue": 0.10}
_COUNTS = (0.04, 0.17, 0.23, 0.19, 0.14, 0.09, 0.05, 0.04, 0.05)


@dataclass(frozen=True)
class Still:
    """One picture and what is in it."""

    bgr: NDArray[np.uint8]
    """(H, W, 3)."""
    people: PeopleTruth


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
    restyle, company = Restyler(style, seed), Company(style, seed)
    view = company.view(view)
    camera = company.camera(sample_camera(rng, drawn_wh, view))
    lens = sample_lens(style, seed, camera, view)
    place = build_place(rng, camera if lens is None else lens.camera, kind, view, difficulty)
    dressing = dress(place, seed, style)
    standing = company.joined(place, _place_people(place, rng, view), view)
    standing = [restyled(person, restyle(person.looks)) for person in standing]
    drawn_to = np.random.default_rng([29, seed])
    if style.salience and drawn_to.random() < SALIENT_SHARE:
        figures = InterestChooser(place, drawn_to, standing, close=view == "close").figures()
    else:
        figures = _attentive(place, rng, standing, close=view == "close")
    figures = tilted(company.with_riders(place, figures, restyle), seed, style)
    people = draw_people(place.canvas, figures)
    dressing.finish(place.canvas)
    backlight = sample_backlight(style, seed)
    if backlight is not None:
        backlight.shine(place.canvas)
    film, chance = sample_film(style, seed)
    film.smear(place.canvas, chance)
    picture = place.canvas.bgr
    if lens is not None:
        picture, people = lens.picture(picture), bent_truth(lens, place.canvas, figures, people)
    recorder = sample_recorder(rng, difficulty)
    photo = record(film.expose(picture), size_wh, recorder, rng)
    return Still(bgr=film.develop(photo, chance), people=people)


def _attentive(place: Place, rng: np.random.Generator, standing: list[Standing], *, close: bool) -> list[Figure]:
    """Give everybody something to look at."""
    chooser = TargetChooser(place, rng, close=close)
    heads = [(k + 1, person.head) for k, person in enumerate(standing)]
    figures = []
    for k, person in enumerate(standing):
        target = chooser.choose(person.head, [other for other in heads if other[0] != k + 1])
        figures.append(attentive_figure(rng, k + 1, person.looks, person.ground, person.seated, target))
    return figures


def _place_people(place: Place, rng: np.random.Generator, view: str) -> list[Standing]:
    count = int(rng.choice(len(_COUNTS), p=_COUNTS))
    if count == len(_COUNTS) - 1:
        count = int(rng.integers(8, 15))
    if view == "close":
        count = min(count, 3)
    sitting = {"office": 0.45, "shop": 0.05, "corridor": 0.03, "queue": 0.08}[place.kind]
    standing: list[Standing] = []
    for _ in range(count):
        for _ in range(14):
            person = try_spot(place, rng, DISTANCES_M[view], seated=rng.random() < sitting)
            if person is None or any(np.linalg.norm(other.ground - person.ground) < 0.42 for other in standing):
                continue
            standing.append(person)
            break
    return standing
