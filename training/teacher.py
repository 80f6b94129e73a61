"""Labels for frames that nobody labelled: what a detector is sure of over several views, and what time says of it.

A frame is shown to the detector at three sizes, each also mirrored, and what the views found of one thing is merged
into one box (weighted boxes fusion, Solovyev et al., 2021). Its score is the mean over the views in which it is large
enough to be seen, those that missed it included: what only one view sees is nobody. Boxes with a high score are wanted;
those below are neither wanted nor punished, down to a score from which on they do not count at all. In a clip, a wanted
box must also be there a moment before or after, about where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nodes.ops.boxes import iou
from training.augment import People
from training.batches import LEAST_BODY_PX, LEAST_HEAD_PX
from training.data import STILL_WH
from training.detector_graph import LABELS
from training.detector_net import CLASSES
from training.export import one_thread_session
from training.footage import Pictures, Sample
from training.measure_detector import yaw_deg

Floats = NDArray[np.float32]

VIEWS_WH = ((416, 256), STILL_WH, (640, 384))
WANTED, UNKNOWN, THING = 1, 0, -1
"""What a label says: somebody; perhaps somebody; a thing that never moves, and so background."""

_HEAD = CLASSES.index("head")
_LEAST_PX = np.array([LEAST_BODY_PX, LEAST_HEAD_PX])
_LEAST_SCORE = 0.02
_SAME_IOU = 0.55
_UNKNOWN_VISIBLE = 0.1
_REACH = 1.5
"""People who walk by a camera move this many of their own widths or heights between a frame and those beside it."""
_MOST_GROWTH = 2.0


@dataclass(frozen=True)
class Boxes:
    """What is in one frame."""

    kind: NDArray[np.int64]
    """(N,) number in CLASSES."""
    box: Floats
    """(N, 4) fractions of the frame."""
    score: Floats
    """(N,) 0..1."""

    def take(self, rows: NDArray[Any]) -> Boxes:
        """Return the boxes picked by an index array or a mask."""
        return Boxes(self.kind[rows], self.box[rows], self.score[rows])


@dataclass(frozen=True)
class Labels:
    """Boxes of one frame and what they say."""

    boxes: Boxes
    verdict: NDArray[np.int64]
    """(N,) WANTED, UNKNOWN or THING."""
    nose: Floats
    """(N, 3) unit vectors of the noses of heads, camera-ray frame; nan where nobody knows."""

    def people(self) -> People:
        """Return what is wanted and unknown as people of one part each; nobody knows their gaze and their faces."""
        told = self.verdict != THING
        boxes, visible = self.boxes.take(told), np.where(self.verdict[told] == WANTED, 1.0, _UNKNOWN_VISIBLE)
        count = len(boxes.kind)
        own = boxes.kind[None] == np.arange(len(CLASSES))[:, None]
        body, head = np.where(own[..., None], boxes.box[None], np.nan).astype(np.float32)
        body_seen, head_seen = np.where(own, visible[None], 0.0).astype(np.float32)
        gaze, nowhere, face, face_seen = (
            np.full((count, *width), np.nan, np.float32) for width in ((3,), (2,), (4,), ())
        )
        vectors = np.concatenate([self.nose[told], gaze], axis=1)
        return People(
            body, head, body_seen, head_seen, vectors, nowhere, np.zeros(count, np.bool_), face, face_seen
        )  # fmt: skip


class Detector:
    """A detector's file, shown one picture at a time."""

    def __init__(self, path: Path) -> None:
        self._session = one_thread_session(path)

    def find(self, picture: Pictures, size_wh: tuple[int, int] = STILL_WH, mirrored: bool = False) -> Boxes:
        """Return what is found in a picture (H, W, 3) u8 BGR that is read at a size; also faint boxes."""
        return _boxes(self._rows(picture, size_wh, mirrored), mirrored)[0]

    def find_with_yaws(self, picture: Pictures) -> tuple[Boxes, Floats]:
        """Return what is found in a picture (H, W, 3) u8 BGR, and (N,) yaws in degrees; nan for bodies."""
        rows = self._rows(picture, STILL_WH, mirrored=False)
        found, told = _boxes(rows, mirrored=False)
        yaws = [
            yaw_deg(rows, box) if kind == _HEAD else np.nan
            for kind, box in zip(found.kind, rows[told, 1:5], strict=True)
        ]
        return found, np.array(yaws, np.float32)

    def _rows(self, picture: Pictures, size_wh: tuple[int, int], mirrored: bool) -> Floats:
        """Return what the file tells of a picture, (R, 6)."""
        shrinks = size_wh[0] < picture.shape[1]
        shown = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        if mirrored:
            shown = shown[:, ::-1]
        feed = {"input_bgr": np.ascontiguousarray(shown.transpose(2, 0, 1)[None], np.float32)}
        return np.asarray(self._session.run(None, feed)[0][0])

    def find_over_views(self, picture: Pictures) -> Boxes:
        """Return what is found in a picture over all views of it."""
        views = [(size_wh, mirrored) for size_wh in VIEWS_WH for mirrored in (False, True)]
        found = [self.find(picture, *view) for view in views]
        return merged(found, [size_wh[1] for size_wh, _ in views])


def _boxes(rows: Floats, mirrored: bool) -> tuple[Boxes, NDArray[np.bool_]]:
    """Return the boxes of people that rows (R, 6) of a file tell of, and which rows these are."""
    kind = np.full(len(rows), -1)
    for number, name in enumerate(CLASSES):
        kind[rows[:, 0] == LABELS[name]] = number
    told = (kind >= 0) & (rows[:, 5] >= _LEAST_SCORE) & (rows[:, 3:5] > rows[:, 1:3]).all(axis=1)
    box = rows[told, 1:5]
    if mirrored:
        box = np.stack([1 - box[:, 2], box[:, 1], 1 - box[:, 0], box[:, 3]], axis=1)
    return Boxes(kind[told], box.astype(np.float32), rows[told, 5].astype(np.float32)), told


@dataclass(frozen=True)
class Scores:
    """From which scores on boxes count."""

    wanted: float
    unknown: float


def labelled(detector: Detector, sample: Sample, scores: Scores) -> tuple[Labels, list[Boxes]]:
    """Return the labels of one frame by itself and those beside it, and what these show."""
    found = detector.find_over_views(sample.picture)
    found = found.take(found.score >= scores.unknown)
    # At the largest size: who is followed from frame to frame should not jitter.
    shown = [detector.find(picture, VIEWS_WH[-1]) for picture in sample.beside]
    beside = [other.take(other.score >= scores.unknown) for other in shown]
    verdict = np.where((found.score >= scores.wanted) & supported(found, beside), WANTED, UNKNOWN)
    return Labels(found, verdict, np.full((len(verdict), 3), np.nan, np.float32)), beside


def merged(views: Sequence[Boxes], heights_px: Sequence[int]) -> Boxes:
    """Merge what several views found, best boxes first: a class at a time, one box of each view at most.

    Args:
        views: what each view found, in fractions of the same picture.
        heights_px: of the views.
    """
    view = np.concatenate([np.full(len(found.kind), k) for k, found in enumerate(views)])
    whole = Boxes(*(np.concatenate([getattr(v, name) for v in views]) for name in ("kind", "box", "score")))
    overlap = iou(whole.box, whole.box) * (whole.kind[:, None] == whole.kind[None])
    left = np.ones(len(view), np.bool_)
    kinds, boxes, scores = [], [], []
    for best in np.argsort(-whole.score, kind="stable"):
        if not left[best]:
            continue
        same = np.flatnonzero(left & (overlap[best] > _SAME_IOU))
        left[same] = False
        same = same[np.argsort(-overlap[best, same], kind="stable")]
        same = same[np.unique(view[same], return_index=True)[1]]  # of each view the one that overlaps most
        box = np.average(whole.box[same], axis=0, weights=whole.score[same])
        able = (box[3] - box[1]) * np.asarray(heights_px) >= _LEAST_PX[whole.kind[best]]
        able |= np.asarray(heights_px) == max(heights_px)
        kinds.append(whole.kind[best])
        boxes.append(box)
        scores.append(whole.score[same][able[view[same]]].sum() / able.sum())
    return Boxes(np.array(kinds, np.int64), np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))


def supported(found: Boxes, beside: Iterable[Boxes]) -> NDArray[np.bool_]:
    """Tell which boxes (N,) are also in one of the frames beside theirs, about there and about as large.

    Where there are no frames beside it, all count as supported.
    """
    others = list(beside)
    there = np.full(len(found.kind), not others)
    for other in others:
        there |= near(found, other).any(axis=1)
    return there


def near(some: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Tell which boxes (N, M) of two frames a moment apart may be of one person."""
    side, other = some.box[:, 2:] - some.box[:, :2], others.box[:, 2:] - others.box[:, :2]
    apart = np.abs((some.box[:, :2] + some.box[:, 2:])[:, None] - (others.box[:, :2] + others.box[:, 2:])[None]) / 2
    growth = np.abs(np.log(side[:, None] / other[None]))
    alike = (apart <= _REACH * side[:, None]).all(axis=2) & (growth <= np.log(_MOST_GROWTH)).all(axis=2)
    return np.asarray(alike & (some.kind[:, None] == others.kind[None]))


def without_things(labels: Labels, is_thing: NDArray[np.bool_]) -> Labels:
    """Return labels with those marked (N,) told as things."""
    return replace(labels, verdict=np.where(is_thing, THING, labels.verdict))
