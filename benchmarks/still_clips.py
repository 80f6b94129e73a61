"""Rendered clips of people who hardly move among things that look like people and do not move at all.

Things are people of the scenes that are drawn alike in every frame: harder than any poster or mannequin, because in a
single frame nothing tells them from people. Those who sit or stand still sway and breathe by some millimetres, turn
their heads by a fraction of a degree, and do nothing else. One walks about, and before the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.actor import Actor
from scenes.clip import Clip, make_clip
from scenes.figure import Figure, draw_people
from scenes.photo import record
from scenes.truth import PeopleTruth

FPS = 8.0
SIZE_WH = (768, 448)
GOP_S = 4
"""Seconds from one key frame to the next."""
_APART_M = 0.55
_PEOPLE = 9
_HERTZ = (0.07, 0.19, 0.45)
"""Sway is slow: these together."""
_BREATHS_HZ = 0.26
_TURN_RAD_PER_M = 2.0
"""How far a head turns that sways by so much: 0.2 degrees with 2 mm."""
_TICKS_PER_S = 90_000


@dataclass(frozen=True)
class StillClip:
    """A scene ready to be rendered."""

    clip: Clip
    """Gives the place and the camera."""
    things: tuple[Figure, ...]
    sitters: tuple[Figure, ...]
    walker: Actor | None
    sway_m: float
    """Standard deviation of where a sitter's head is, metres."""
    seconds: float

    def __len__(self) -> int:
        """Count the frames."""
        return round(self.seconds * FPS)

    def frame(self, index: int) -> tuple[NDArray[np.uint8], PeopleTruth]:
        """Render one frame (H, W, 3) with the truth of all figures, things too."""
        at_s = index / FPS
        figures = [*self.things, *(swayed(sitter, at_s, self.sway_m) for sitter in self.sitters)]
        if self.walker is not None:
            begins_s, lasts_s = self.walker.enters_s, self.walker.leaves_s - self.walker.enters_s
            figures.append(self.walker.figure(begins_s + at_s % lasts_s))
        canvas = self.clip.place.canvas.copy()
        truth = draw_people(canvas, figures)
        rng = np.random.default_rng([41, self.clip.seed, index])
        return record(canvas.bgr, SIZE_WH, self.clip.recorder, rng, compress=False), truth

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], PeopleTruth]]:
        """Render all frames in order."""
        return (self.frame(index) for index in range(len(self)))


def still_clip(seed: int, sway_m: float, seconds: float) -> StillClip:
    """Furnish the place of a seed and put people and things where its people would stand or sit."""
    clip = make_clip(seed, seconds=16.0, fps=FPS, size_wh=SIZE_WH, place="office", people=_PEOPLE)
    figures: list[Figure] = []
    walker = None
    for actor in clip.actors:
        figure = _at_rest(actor, clip)
        if figure is not None and all(_apart(figure, other) for other in figures):
            figures.append(figure)
        elif walker is None and not actor.seated:
            walker = actor
    return StillClip(clip, tuple(figures[::2]), tuple(figures[1::2]), walker, sway_m, seconds)


def swayed(figure: Figure, at_s: float, sway_m: float) -> Figure:
    """Return somebody as sway and breath have moved it at a time; `sway_m` is the standard deviation on each axis."""
    number = figure.person_id
    phases = np.random.default_rng([42, number]).uniform(0, 2 * math.pi, (4, len(_HERTZ)))
    waves = np.sin(2 * math.pi * np.array(_HERTZ) * at_s + phases).sum(axis=1) * math.sqrt(2 / len(_HERTZ))
    breath = math.sin(2 * math.pi * _BREATHS_HZ * at_s + number)
    ground = figure.pose.ground + sway_m * np.array([waves[0], 0.5 * breath, waves[1]])
    turn = _TURN_RAD_PER_M * sway_m * np.array([0.7 * waves[2], waves[3], 0.0])
    import cv2

    head = cv2.Rodrigues(turn)[0] @ figure.pose.head
    return replace(figure, pose=replace(figure.pose, ground=ground, head=head))


def encode(frames: Iterator[NDArray[np.uint8]], video: Path, quality: int) -> None:
    """Write frames as H.264 of a rate factor, with the few key frames of a surveillance camera."""
    import av

    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = round(GOP_S * FPS)
        stream.options = {"crf": str(quality), "preset": "veryfast", "x264-params": "mbtree=0"}
        for bgr in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(bgr, format="bgr24")))
        container.mux(stream.encode(None))


def _at_rest(actor: Actor, clip: Clip) -> Figure | None:
    """Return somebody in the middle of its longest rest whose head is in the picture; None where it never rests."""
    moments = np.arange(actor.enters_s + 0.5, min(actor.leaves_s, clip.seconds), 0.25)
    rests = [float(at_s) for at_s in moments if _rests(actor, clip, float(at_s))]
    return actor.figure(rests[len(rests) // 2]) if rests else None


def _rests(actor: Actor, clip: Clip, at_s: float) -> bool:
    pixel, depth = clip.place.canvas.camera.project(actor.upright_head(at_s))
    inside = (pixel > 0.06 * np.array(SIZE_WH)).all() and (pixel < 1.1 * np.array(SIZE_WH)).all()
    return bool(inside and depth > 0.6 and float(np.hypot(*actor.route.velocity(at_s))) < 0.02)


def _apart(a: Figure, b: Figure) -> bool:
    return float(np.linalg.norm((a.pose.ground - b.pose.ground)[[0, 2]])) > _APART_M
