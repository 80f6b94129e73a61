"""Footage with the teacher's labels: which frames train, which are held back, and what stands still in each clip."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.outputs import make_folder
from training.detector_net import CLASSES
from training.floor import Floor
from training.footage import BESIDE_S, Sample, files_of, samples
from training.still_things import Place, on_places, places
from training.teacher import THING, UNKNOWN, WANTED, Boxes, Detector, Labels, Scores, labelled, without_things
from training.walkers import followed, noses, steadied

logger = logging.getLogger(__name__)

HoldBack = Literal["ends", "clips"]
HELD_PART = 0.25
"""Of each clip its end, or of all clips whole ones."""
MOST_IN_ALL = 1200
"""Frames of all clips together: each takes 1 MB of memory, and twice that where it is held back."""
_ARROW, _ARROW_COLOUR = 2.0, (255, 120, 0)
_COLOURS = {WANTED: (80, 220, 80), UNKNOWN: (0, 200, 255), THING: (60, 60, 230)}


@dataclass(frozen=True)
class Clip:
    """The frames of one clip, or of one folder of stills, with their labels."""

    name: str
    frames: list[Sample] = field(default_factory=list)
    """In order of time; those beside a frame are kept only where it is held back."""
    labels: list[Labels] = field(default_factory=list)
    held_back: list[bool] = field(default_factory=list)

    def places(self, found: list[Boxes], still_s: float) -> list[Place]:
        """Return where somebody is found, by whatever detector, and nothing ever moves."""
        return places([s.picture for s in self.frames], [s.at_s for s in self.frames], found, still_s)

    def count(self, verdict: int, held_back: bool | None = None) -> int:
        """Count the labels of a verdict, of all frames or of those that are held back or not."""
        chosen = [
            label.verdict
            for label, held in zip(self.labels, self.held_back, strict=True)
            if held_back is None or held is held_back
        ]
        return sum(int((told == verdict).sum()) for told in chosen)

    def walkers(self, held_back: bool | None = None) -> int:
        """Count the heads that are known to point where somebody walks, of frames as for `count`."""
        frames = zip(self.labels, self.held_back, strict=True)
        return sum(int((~np.isnan(label.nose[:, 0])).sum()) for label, held in frames if held_back in (None, held))


@dataclass(frozen=True)
class Plan:
    """How footage is read and labelled."""

    per_second: float
    most: int
    """Frames of one clip."""
    scores: Scores
    still_s: float
    hold_back: HoldBack


def label_footage(folder: Path, detector: Detector, plan: Plan) -> list[Clip]:
    """Read, label and split the footage of a folder, one clip after another.

    Raises:
        ConfigError: there is nothing to read or to hold back, or a file cannot be read.
    """
    clips, stills = files_of(folder)
    count = len(clips) + len(stills)
    if plan.hold_back == "clips" and count < 2:
        raise ConfigError(f"--hold-back clips: expected two clips or more in {folder}, got {count}; hold back ends")
    most = min(plan.most, max(1, MOST_IN_ALL // count))
    made = []
    for number, (name, frames) in enumerate(groupby(samples(folder, plan.per_second, most), lambda one: one.clip)):
        whole = held_whole(number, count) if plan.hold_back == "clips" else None
        made.append(_label_clip(name, frames, detector, plan, whole))
        clip = made[-1]
        logger.info("%s: %d frames, %d boxes accepted, %d open, %d of things, %d heads of who walks", name,
                    len(clip.frames), clip.count(WANTED), clip.count(UNKNOWN), clip.count(THING),
                    clip.walkers())  # fmt: skip
    return made


def held_whole(number: int, count: int) -> bool:
    """Tell whether the clip of a number, from 0, is held back: every fourth, of fewer the last."""
    every = min(count, round(1 / HELD_PART))
    return number % every == every - 1


def _label_clip(name: str, frames: Iterator[Sample], detector: Detector, plan: Plan, whole: bool | None) -> Clip:
    clip, ways = Clip(name), []
    for sample in frames:
        held = sample.part >= 1 - HELD_PART if whole is None else whole
        label, beside = labelled(detector, sample, plan.scores)
        steady = [steadied(boxes, there, sample.picture) for boxes, there in zip(beside, sample.beside, strict=True)]
        ways.append(followed(label.boxes, steady))
        clip.labels.append(label)
        clip.frames.append(replace(sample, sharp=None) if held else replace(sample, beside=()))
        clip.held_back.append(held)
    known = clip.places([label.boxes for label in clip.labels], plan.still_s)
    clip.labels[:] = [
        without_things(label, on_places(label.boxes, known, number)) for number, label in enumerate(clip.labels)
    ]
    clip.labels[:] = with_noses(clip.labels, ways, clip.frames[0].aspect)
    return clip


def with_noses(labels: list[Labels], ways: list[NDArray[Any]], aspect: float) -> list[Labels]:
    """Return the labels of one camera with the noses of those who walk, of which the heads tell how it looks down.

    Args:
        labels: by frame.
        ways: by frame (N, 2, 4), as from `walkers.followed`.
        aspect: of the picture.
    """
    sure = [(label.boxes.kind == CLASSES.index("head")) & (label.verdict == WANTED) for label in labels]
    heads = np.concatenate([label.boxes.box[rows] for label, rows in zip(labels, sure, strict=True)])
    floor = Floor.of_heads(heads, aspect)
    if floor is None:
        return labels
    told = []
    for label, way, rows in zip(labels, ways, sure, strict=True):
        nose = noses(floor, label.boxes.box, way, BESIDE_S)
        nose[~rows] = np.nan
        told.append(replace(label, nose=nose))
    return told


def training_frames(clips: list[Clip]) -> list[tuple[Sample, Labels]]:
    """Return all frames that are not held back, with their labels."""
    return [
        (sample, label)
        for clip in clips
        for sample, label, held in zip(clip.frames, clip.labels, clip.held_back, strict=True)
        if not held
    ]


def keep_labels(clips: list[Clip], folder: Path) -> None:
    """Write frames with their boxes, accepted green, open yellow, things that never move red, and where heads point.

    An arrow is a nose as it is seen, twice as long as the head is high: short where it points to the camera or away.
    """
    make_folder(folder)
    for number, clip in enumerate(clips):
        for sample, label in zip(clip.frames, clip.labels, strict=True):
            picture = sample.picture.copy()
            scale = np.tile(picture.shape[1::-1], 2)
            rows = label.boxes.box * scale, label.boxes.kind, label.verdict, label.nose
            for box, kind, told, nose in zip(*rows, strict=True):
                x1, y1, x2, y2 = box.round().astype(int).tolist()
                cv2.rectangle(picture, (x1, y1), (x2, y2), _COLOURS[int(told)], 1)
                if not np.isnan(nose[0]):
                    middle, reach = ((x1 + x2) // 2, (y1 + y2) // 2), _ARROW * (y2 - y1)
                    tip = int(middle[0] + reach * nose[0]), int(middle[1] + reach * nose[1])
                    cv2.arrowedLine(picture, middle, tip, _ARROW_COLOUR, 1)
                cv2.putText(picture, CLASSES[kind][0], (x1, y1 - 2), cv2.FONT_HERSHEY_PLAIN, 0.7, _COLOURS[int(told)])
            path = folder / f"{number:03d}-{sample.at_s:08.2f}.jpg"
            if not cv2.imwrite(str(path), picture):
                raise ConfigError(f"{path}: expected to write a picture, got a failure; check folder and disk")
