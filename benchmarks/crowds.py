"""Made-up crowds as sequences: what the settings of the tracker are chosen on, so that footage only scores them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from benchmarks.mot_sequences import MotSequence
from nodes.ops.mot_text import MotRows
from scenes.crowd import Boxes, make_crowd

SECONDS = 20.0
_PEDESTRIAN = 1


def crowd_sequences(seeds: Iterable[int]) -> list[MotSequence]:
    """Return the sequences of some seeds, called `crowd-<seed>`."""
    made = []
    for seed in seeds:
        crowd = make_crowd(seed, seconds=SECONDS)
        made.append(
            MotSequence(
                name=f"crowd-{seed}",
                fps=crowd.fps,
                size_wh=crowd.size_wh,
                frames=crowd.frames,
                found=_rows(crowd.found, np.full(len(crowd.found.frame), -1), crowd.found.score),
                truth=_rows(crowd.truth, crowd.truth.person_id, np.ones(len(crowd.truth.frame))),
            )
        )
    return made


def _rows(boxes: Boxes, ids: np.ndarray, score: np.ndarray) -> MotRows:
    """Return boxes as rows of MOT text: frames from 1, left, top, width and height."""
    box_px = np.concatenate([boxes.box_px[:, :2], boxes.box_px[:, 2:] - boxes.box_px[:, :2]], axis=1)
    solid = (box_px[:, 2:] > 0).all(axis=1)
    return MotRows(
        frame=boxes.frame[solid] + 1,
        id=ids[solid],
        box_px=box_px[solid],
        score=score[solid],
        class_id=np.full(int(solid.sum()), _PEDESTRIAN),
        visibility=boxes.score[solid],
    )
