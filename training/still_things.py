"""Places of a clip where a detector sees somebody though nothing has moved there from its beginning to its end.

People who sit sway, breathe and turn by more than noise does; a poster, a mannequin or a bowl on a shelf looks the same
in every frame, unless somebody passes in front of it. The measure of motion is that of the node `detect_still`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nodes.detect_still import AROUND
from nodes.detect_still import Config as Still
from nodes.ops.boxes import iou
from nodes.ops.patches import change
from nodes.ops.spots import SIDE
from training.detector_net import CLASSES
from training.footage import Pictures
from training.teacher import Boxes

Floats = NDArray[np.float32]

MOST_MOTION = Still().max_motion / AROUND
"""What a thing may seem to move, in sides of its patch."""
_SEEN_PART, _UNMOVED_PART = 0.25, 0.85
"""Part of the frames in which something must be detected at the place, and in which the place must look the same."""
_LEAST_FRAMES = 8
_SAME_IOU = 0.5


@dataclass(frozen=True)
class Place:
    """Where something stands that never moves."""

    kind: int
    box: Floats
    """(4,) fractions of the frame."""
    unmoved: NDArray[np.bool_]
    """(T,) in which frames of the clip it is seen as it is, and not hidden."""


def places(pictures: Sequence[Pictures], at_s: Sequence[float], found: Sequence[Boxes], still_s: float) -> list[Place]:
    """Return the places of one clip.

    Args:
        pictures: T frames, evenly spread over the whole clip.
        at_s: their times.
        found: what was detected in each.
        still_s: a clip that is shorter tells nothing: somebody may sit still for so long.
    """
    if len(pictures) < _LEAST_FRAMES or at_s[-1] - at_s[0] < still_s:
        return []
    grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in pictures]
    made = []
    for kind, box in _often(found):
        patches = np.stack([_patch(frame, box) for frame in grey])
        usual = np.broadcast_to(np.median(patches, axis=0), patches.shape).astype(np.float32)
        levels, side_levels = change(patches, usual)
        unmoved = levels <= MOST_MOTION * side_levels
        if unmoved.mean() >= _UNMOVED_PART:
            made.append(Place(kind, box, unmoved))
    return made


def on_places(found: Boxes, known: Sequence[Place], frame: int) -> NDArray[np.bool_]:
    """Tell which boxes (N,) of a frame of the clip, by number, are of things that never move.

    A body with a head that is none is none: who sits at a desk may move nothing but the head.
    """
    there = [place for place in known if place.unmoved[frame]]
    boxes = np.array([place.box for place in there], np.float32).reshape(-1, 4)
    kinds = np.array([place.kind for place in there], np.int64)
    same = (iou(found.box, boxes) >= _SAME_IOU) & (found.kind[:, None] == kinds[None])
    thing = same.any(axis=1)
    head = (found.kind == CLASSES.index("head")) & ~thing
    centre = (found.box[:, :2] + found.box[:, 2:])[None, head] / 2
    within: NDArray[np.bool_] = (centre >= found.box[:, None, :2]) & (centre <= found.box[:, None, 2:])
    holds = np.any(np.all(within, axis=2), axis=1)
    return np.asarray(thing & ~(holds & (found.kind == CLASSES.index("body"))))


def _often(found: Sequence[Boxes]) -> list[tuple[int, Floats]]:
    """Return class and box of where something is detected in many frames, best first."""
    frame = np.concatenate([np.full(len(boxes.kind), k) for k, boxes in enumerate(found)])
    whole = Boxes(*(np.concatenate([getattr(f, name) for f in found]) for name in ("kind", "box", "score")))
    left = np.ones(len(frame), np.bool_)
    often: list[tuple[int, Any]] = []
    for best in np.argsort(-whole.score, kind="stable"):
        if not left[best]:
            continue
        same = left & (whole.kind == whole.kind[best])
        same[same] = iou(whole.box[same], whole.box[best : best + 1])[:, 0] >= _SAME_IOU
        left &= ~same
        if len(np.unique(frame[same])) >= _SEEN_PART * len(found):
            often.append((int(whole.kind[best]), np.median(whole.box[same], axis=0).astype(np.float32)))
    return often


def _patch(grey: NDArray[Any], box: Floats) -> Floats:
    """Return a small picture (24, 24) of a box and what is around it; beyond the frame its edge is repeated."""
    height, width = grey.shape
    centre = (box[:2] + box[2:]) / 2 * (width, height)
    side = np.maximum((box[2:] - box[:2]) * (width, height) * AROUND, 1.0)
    scale = SIDE / side
    shift = (SIDE - 1) / 2 - scale * (centre - 0.5)
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    spread = [max(1, round(float(part))) for part in 1 / scale]  # one sample stands for so many pixels
    smooth = cv2.blur(grey, spread) if max(spread) > 1 else grey
    patch = cv2.warpAffine(smooth, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.float32)
