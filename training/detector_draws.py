"""Draw batches for the detector: stills placed, covered and weathered, and what its maps should say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.augment import People, cut_out, place, weather
from training.batches import LEAST_BODY_PX, LEAST_HEAD_PX, still
from training.clutter import heap
from training.data import STILL_WH
from training.detector_loss import ClassTargets, class_targets
from training.draws import Draws

_SCALE = (0.6, 1.6)
_HEAP_PART = 0.3
_CUT_OUT_PART = 0.2
_LEAST_FACE_PX = 6.0
_UNKNOWN = 0.1
"""Visible part of a face that nobody knows of: it is neither wanted nor punished."""
# Small pictures first: boxes are learnt from twice as many in the same time. Then all sizes the file is made for.
_SMALL_UNTIL, _SMALL_WH = 0.3, (352, 224)
_SIZES_WH = ((320, 192), (416, 256), STILL_WH, STILL_WH, STILL_WH, (640, 384))


@dataclass(frozen=True)
class DetectorDraws:
    """Batches by step."""

    stills: Draws
    batch: int
    steps: int
    seed: int

    def __call__(self, step: int) -> tuple[NDArray[np.uint8], list[ClassTargets]]:
        """Return pictures (N, H, W, 3) BGR and the targets of body, head and face."""
        rng = np.random.default_rng([self.seed, 2, step])
        small = step < _SMALL_UNTIL * self.steps
        size_wh = _SMALL_WH if small else _SIZES_WH[int(rng.integers(len(_SIZES_WH)))]
        pictures, everybody = [], []
        for k in range(self.batch):
            picture, people = place(*still(*self.stills[step * self.batch + k]), size_wh, rng, _SCALE)
            if rng.random() < _HEAP_PART:
                picture, people = heap(picture, people, rng)
            if rng.random() < _CUT_OUT_PART:
                picture, people = cut_out(picture, people, rng)
            pictures.append(weather(picture, rng))
            everybody.append(people)
        return np.stack(pictures), targets_of(everybody, size_wh)


def targets_of(everybody: list[People], size_wh: tuple[int, int]) -> list[ClassTargets]:
    """Return the targets of body, head and face of some pictures of one size."""
    faces = [_faces(people) for people in everybody]
    return [
        class_targets(boxes, visible, size_wh, least_px)
        for boxes, visible, least_px in (
            ([p.body_box for p in everybody], [p.body_visible for p in everybody], LEAST_BODY_PX),
            ([p.head_box for p in everybody], [p.head_visible for p in everybody], LEAST_HEAD_PX),
            ([box for box, _ in faces], [visible for _, visible in faces], _LEAST_FACE_PX),
        )
    ]


def _faces(people: People) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return faces and how much is seen of them; where that is unknown, the head stands in and does not count."""
    unknown = np.isnan(people.face_visible)
    box = np.where(unknown[:, None], people.head_box, people.face_box)
    return box, np.where(unknown, np.float32(_UNKNOWN), people.face_visible)
