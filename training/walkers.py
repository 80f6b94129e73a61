"""Where heads point of people who walk: where they go. A label of real heads that no model has to guess.

Who walks at a brisk pace looks about where he goes, as Benfold and Reid (Unsupervised Learning of a Scene-Specific
Coarse Gaze Estimator, ICCV 2011) found. A head is followed from the frame before to the frame after its own; its way
along the floor is how its nose is taken to point, level, and what is slower or not straight says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nodes.estimate_camera_motion import CELLS_ACROSS
from nodes.estimate_camera_motion import Config as Motion
from nodes.ops import picture_motion
from training.detector_net import CLASSES
from training.floor import Floor
from training.footage import Pictures
from training.teacher import Boxes, near

Floats = NDArray[np.floating[Any]]

WALKS_FROM = 3.0
"""Heights of a head in a second, about 0.7 m, from which on somebody walks to get somewhere."""
_RUNS_FROM = 16.0
"""What seems to go faster was taken for somebody else."""
_STRAIGHT = 0.7
"""Cosine between the first and the second half of the way."""
_HEAD = CLASSES.index("head")
_MOTION = Motion()
"""What `nodes.estimate_camera_motion` takes for rest and for agreement."""


def steadied(found: Boxes, there: Pictures, here: Pictures) -> Boxes:
    """Return what is found in one frame as if the camera had been where it is in another, a moment apart.

    Masts sway and floors shake. Where too few corners tell how the picture moved, it is taken to stand still.

    Args:
        found: in the one frame; what is in these boxes moves by itself.
        there: this frame, (H, W, 3) u8 BGR.
        here: the other one.
    """
    if not len(found.box):
        return found
    before, now = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (there, here))
    size_wh = before.shape[1], before.shape[0]
    points = picture_motion.corners(before, found.box * np.array(size_wh * 2), size_wh[0] // CELLS_ACROSS)
    pairs = picture_motion.followed(before, now, points)
    motion = picture_motion.common_motion(*pairs, _MOTION.still * size_wh[0], _MOTION.min_share)
    if motion is None:
        return found
    whole = picture_motion.in_fractions(motion, size_wh)
    box = found.box.reshape(-1, 2, 2) @ whole[:, :2].T + whole[:, 2]
    return replace(found, box=box.reshape(-1, 4).astype(np.float32))


def followed(found: Boxes, beside: Sequence[Boxes]) -> Floats:
    """Return where each of N heads was a moment before and after, (N, 2, 4) f32; nan for bodies and where nobody knows.

    A head is the same if each is nearest to the other, of those that can be of one person.

    Args:
        found: in the frame.
        beside: in the frames before and after; where there are not both of them, nobody is followed.
    """
    way = np.full((len(found.kind), 2, 4), np.nan, np.float32)
    for side, others in enumerate(beside if len(beside) == 2 else ()):
        apart = np.where(near(found, others), _apart(found.box, others.box), np.inf)
        apart[found.kind != _HEAD] = np.inf
        if not apart.size:
            continue
        nearest = apart.argmin(axis=1)
        own = np.arange(len(apart))
        same = (apart.min(axis=1) < np.inf) & (apart[:, nearest].argmin(axis=0) == own)
        way[same, side] = others.box[nearest[same]]
    return way


def noses(floor: Floor, box: Floats, way: Floats, moment_s: float) -> Floats:
    """Return unit vectors (N, 3) of noses in the camera-ray frames of heads, f32; nan for who does not walk.

    Args:
        floor: of the camera.
        box: (N, 4) of heads, fractions.
        way: (N, 2, 4) as from `followed`.
        moment_s: from before to now and from now to after.
    """
    places = floor.places(np.stack([way[:, 0], box, way[:, 1]], axis=1).astype(np.float64))  # (N, 3, 2)
    steps = np.diff(places, axis=1) / (moment_s * floor.heights(box.astype(np.float64))[:, None, None])
    first, second = steps[:, 0], steps[:, 1]
    speed = np.linalg.norm(first + second, axis=1) / 2
    straight = (first * second).sum(axis=1) > _STRAIGHT * np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    walks = straight & (speed >= WALKS_FROM) & (speed <= _RUNS_FROM)  # nan: no
    told = np.full((len(box), 3), np.nan, np.float32)
    told[walks] = floor.in_rays(box[walks], (first + second)[walks])
    return told


def _apart(some: Floats, others: Floats) -> Floats:
    """Return the distances (N, M) of centres."""
    centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (some, others)]
    return np.asarray(np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2))
