"""Render moving people before a fixed camera, with the truth of every frame and every fixation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.actor import Actor
from scenes.aois import Aoi, choose_aois
from scenes.company import actors_of_clip
from scenes.dressing import UNDRESSED, Dressing, dress
from scenes.figure import draw_people
from scenes.film import CLEAR, Film, sample_film
from scenes.habits import PLAIN_HABITS, SHOPPERS
from scenes.layout import build_place, hang_posters, sample_camera
from scenes.photo import Recorder, record, sample_recorder
from scenes.place import KINDS, Place
from scenes.restyle import Restyler
from scenes.script import write_script
from scenes.showroom import furnished_showroom
from scenes.style import PLAIN, Style
from scenes.truth import Fixation, PeopleTruth

Floats = NDArray[np.float64]

OVERSAMPLED = 7 / 6
"""Frames are drawn this much larger than they are asked for."""
_ZOOM = 1.5
"""Cameras of clips see less of a place than those of stills: their people are the subject, not passers-by."""
_VIEW_SHARES = {"eye": 0.3, "wall": 0.45, "ceiling": 0.25}
_KIND_SHARES = {"shop": 0.6, "office": 0.14, "corridor": 0.12, "queue": 0.14}
_MOMENT_S = 0.02
_SAME_STAY_S = 0.5
"""Longest shift of the gaze between two spots of one target."""


@dataclass(frozen=True)
class ClipFrame:
    """One frame of a clip."""

    pts_ns: int
    bgr: NDArray[np.uint8]
    """(H, W, 3)."""
    people: PeopleTruth


@dataclass(frozen=True)
class Clip:
    """A script, ready to be rendered: frames depend on their index alone and may be asked for in any order."""

    seed: int
    size_wh: tuple[int, int]
    fps: float
    seconds: float
    place: Place
    """Without people."""
    aois: tuple[Aoi, ...]
    """Ordered by name."""
    actors: tuple[Actor, ...]
    """Ordered by person id."""
    fixations: tuple[Fixation, ...]
    """Ordered by person, then time; only what happens while the person's head is in the picture."""
    recorder: Recorder
    dressing: Dressing = UNDRESSED
    """What is drawn over the people of each frame."""
    film: Film = CLEAR

    def __len__(self) -> int:
        """Count the frames."""
        return max(1, round(self.seconds * self.fps))

    def pts_ns(self, index: int) -> int:
        """Return the presentation time of a frame."""
        return round(index * 1e9 / self.fps)

    def frame(self, index: int) -> ClipFrame:
        """Render one frame."""
        at_s = self.pts_ns(index) / 1e9
        canvas = self.place.canvas.copy()
        figures = [actor.figure(at_s) for actor in self.actors if actor.present(at_s)]
        people = draw_people(canvas, figures)
        self.dressing.finish(canvas)
        rng = np.random.default_rng([4, self.seed, index])
        photo = record(self.film.expose(canvas.bgr), self.size_wh, self.recorder, rng, compress=False)
        return ClipFrame(
            pts_ns=self.pts_ns(index),
            bgr=self.film.develop(photo, np.random.default_rng([128, self.seed, index])),
            people=people,
        )

    def frames(self) -> Iterator[ClipFrame]:
        """Render all frames in order."""
        return (self.frame(index) for index in range(len(self)))


def make_clip(
    seed: int,
    *,
    seconds: float = 12.0,
    fps: float = 12.5,
    size_wh: tuple[int, int] = (480, 288),
    place: str | None = None,
    people: int | None = None,
    style: Style = PLAIN,
) -> Clip:
    """Write the script of a seed and furnish its place; frames are rendered when asked for.

    Args:
        seed: not negative; the clip depends on nothing but the arguments.
        seconds: length.
        fps: frames a second.
        size_wh: size of the picture in pixels.
        place: one of `place.KINDS`; None draws it.
        people: how many take part (fewer if the place has no room); None draws 2 to 6.
        style: what the clip may show beyond a plain one.

    Raises:
        ValueError: for an argument out of its range, before anything is drawn.
    """
    _check(seed, seconds, fps, size_wh, place, people)
    cv2.setNumThreads(1)
    rng = np.random.default_rng([3, seed])
    view = str(rng.choice(list(_VIEW_SHARES), p=list(_VIEW_SHARES.values())))
    drawn_kind = str(rng.choice(list(_KIND_SHARES), p=list(_KIND_SHARES.values())))
    kind = drawn_kind if place is None else place
    difficulty = 0.6 * max(0.0, rng.uniform(-1.0, 1.0))
    drawn_people = int(rng.choice([2, 3, 4, 5, 6], p=[0.15, 0.3, 0.3, 0.15, 0.1]))
    wanted = max(3, drawn_people) if style.salience else drawn_people
    drawn_wh = (round(size_wh[0] * OVERSAMPLED), round(size_wh[1] * OVERSAMPLED))
    if style.salience:
        furnished, aois, dressing = furnished_showroom(drawn_wh, kind, difficulty, _ZOOM, seed, style)
    else:
        furnished, aois, dressing = _furnished(rng, drawn_wh, kind, view, difficulty, (seed, style))
    actors = write_script(
        furnished,
        aois,
        rng,
        people=actors_of_clip(style, seed, wanted) if people is None else people,
        seconds=seconds,
        restyle=Restyler(style, seed, clip=True),
        habits=SHOPPERS if style.salience else PLAIN_HABITS,
    )
    return Clip(
        seed=seed,
        size_wh=size_wh,
        fps=fps,
        seconds=seconds,
        place=furnished,
        aois=aois,
        actors=actors,
        fixations=all_fixations(furnished, actors, seconds),
        recorder=replace(sample_recorder(rng, difficulty), stamp=0),
        dressing=dressing,
        film=replace(sample_film(style, seed, stream=100)[0], shake=0.0),
    )


def _furnished(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    kind: str,
    view: str,
    difficulty: float,
    dressed: tuple[int, Style],
) -> tuple[Place, tuple[Aoi, ...], Dressing]:
    """Return a place in which the camera sees at least two areas worth a name, or the last of five tries."""
    for _ in range(5):
        camera = sample_camera(rng, size_wh, view)
        camera = replace(camera, focal_px=camera.focal_px * _ZOOM)
        place = build_place(rng, camera, kind, view, difficulty / 2)
        dressing = dress(place, *dressed, stream=100)
        aois = choose_aois(place, rng, most=5)
        if len(aois) < 2:
            hang_posters(place, rng)
            aois = choose_aois(place, rng, most=5)
        if len(aois) >= 2:
            break
    return place, aois, dressing


def _check(
    seed: int, seconds: float, fps: float, size_wh: tuple[int, int], place: str | None, people: int | None
) -> None:
    if seed < 0:
        raise ValueError(f"make_clip: expected a seed of at least 0, got {seed!r}")
    if not 0 < seconds <= 3600:
        raise ValueError(f"make_clip: expected seconds between 0 and 3600, got {seconds!r}")
    if not 0 < fps <= 240:
        raise ValueError(f"make_clip: expected fps between 0 and 240, got {fps!r}")
    if min(size_wh) < 64 or max(size_wh) > 4096:
        raise ValueError(f"make_clip: expected a size between 64 and 4096 pixels a side, got {size_wh!r}")
    if place is not None and place not in KINDS:
        raise ValueError(f"make_clip: expected a place among {', '.join(KINDS)}, got {place!r}")
    if people is not None and not 0 <= people <= 12:
        raise ValueError(f"make_clip: expected 0 to 12 people, got {people!r}")


def all_fixations(place: Place, actors: tuple[Actor, ...], seconds: float) -> tuple[Fixation, ...]:
    """Return what all actors look at, by person, then time; looks at spots of one display in a row are one fixation."""
    merged: list[Fixation] = []
    for fixation in (fixation for actor in actors for fixation in _fixations(place, actor, seconds)):
        last = merged[-1] if merged else None
        if (
            last is not None
            and (last.person_id, last.target) == (fixation.person_id, fixation.target)
            and fixation.target != ""
            and fixation.start_s - last.end_s < _SAME_STAY_S
        ):
            merged[-1] = replace(last, end_s=fixation.end_s)
        else:
            merged.append(fixation)
    return tuple(merged)


def _fixations(place: Place, actor: Actor, seconds: float) -> list[Fixation]:
    """Return an actor's looks, cut to the time its head is in the picture."""
    camera = place.canvas.camera
    size = np.array(camera.size_wh, np.float64)
    found = []
    for look in actor.plan:
        start, end = max(look.start_s, actor.enters_s), min(look.end_s, actor.leaves_s, seconds)
        moments = np.arange(start, end, _MOMENT_S)
        shown = []
        for at_s in moments:
            pixel, depth = camera.project(actor.upright_head(float(at_s)))
            shown.append(bool(depth > 0.3 and (pixel >= 0).all() and (pixel < size).all()))
        if not any(shown):
            continue
        first, last = shown.index(True), len(shown) - 1 - shown[::-1].index(True)
        until = end if last == len(shown) - 1 else float(moments[last])
        name = "camera" if look.kind == "camera" else look.name
        found.append(Fixation(actor.person_id, name, look.kind, float(moments[first]), until))
    return found
