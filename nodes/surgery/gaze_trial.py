"""Run gaze files, released and prepared, on the same pictures and heads, and say how far their answers lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.heatmap import kept_cells
from nodes.surgery.batch_pictures import PICTURE_ROW
from nodes.surgery.graph import Array
from nodes.surgery.probing import run
from nodes.surgery.trials import Trial
from nodes.surgery.whole_map import Thinning

PICTURES, BOXES, MAP, IN_FRAME = "image_bgr", "bboxes_x1y1x2y2", "heatmap", "inout"
CLEAR_PEAK = 0.1
"""Heads whose map is lower everywhere look at nothing that can be told; where its top is, is left to chance."""

TIE = 0.02
"""Of two tops whose heights differ by less, either may be the highest; a peak has not moved from one to the other."""


@dataclass(frozen=True)
class Answer:
    """What a gaze model says about M heads.

    Attributes:
        maps: (M, h, w).
        in_frame: (M,), or none of it.
    """

    maps: Array
    in_frame: Array | None

    @classmethod
    def of(cls, names: list[str], values: list[Array]) -> Answer:
        """Return the answer of a run."""
        told = dict(zip(names, values, strict=True))
        return cls(told[MAP], told.get(IN_FRAME))


def ask_released(engine: Any, trial: Trial) -> Answer:
    """Run a released file, picture by picture."""
    answers = []
    names = [item.name for item in engine.get_outputs()]
    for row in range(len(trial.pictures)):
        one = trial.of(row)
        planes = one.pictures.transpose(0, 3, 1, 2).astype(np.float32)
        answers.append(Answer.of(names, run(engine, names, {PICTURES: planes, BOXES: one.boxes[None]})))
    return _joined(answers)


def ask_prepared(engine: Any, trial: Trial, together: bool = True) -> Answer:
    """Run a prepared file: all pictures in one call, or each in its own."""
    names = [item.name for item in engine.get_outputs()]
    parts = [trial] if together else [trial.of(row) for row in range(len(trial.pictures))]
    return _joined([Answer.of(names, run(engine, names, prepared_inputs(part))) for part in parts])


def prepared_inputs(trial: Trial) -> dict[str, Array]:
    """Return the inputs of a prepared file."""
    return {PICTURES: trial.pictures, BOXES: trial.boxes, PICTURE_ROW: trial.rows}


def apart(one: Answer, other: Answer) -> dict[str, float]:
    """Return how far answers with maps of the same size lie apart: values, places of clear peaks in cells."""
    gap = np.abs(one.maps.astype(np.float64) - other.maps)
    found = {"map_max": float(gap.max()), "map_mean": float(gap.mean())}
    clear = one.maps.max(axis=(1, 2)) >= CLEAR_PEAK
    here, there = _peaks(one.maps), _peaks(other.maps)
    lower = one.maps.max(axis=(1, 2)) - one.maps[np.arange(len(there)), there[:, 0], there[:, 1]]
    moved = np.where(lower > TIE, np.abs(here - there).max(axis=1), 0)[clear]
    found |= {
        "peak_cells_max": float(moved.max(initial=0)),
        "peak_cells_mean": float(moved.mean() if clear.any() else 0),
    }
    if one.in_frame is not None and other.in_frame is not None:
        found["inout_max"] = float(np.abs(one.in_frame.astype(np.float64) - other.in_frame).max())
    return found


def thinned(answer: Answer, thinning: Thinning | None) -> Answer:
    """Return what a file that leaves cells of its maps out would have said."""
    if thinning is None:
        return answer
    (source_w, source_h), (out_w, out_h) = thinning.source_wh, thinning.out_wh
    rows, columns = kept_cells(out_h, source_h), kept_cells(out_w, source_w)
    return Answer(answer.maps[:, rows][:, :, columns], answer.in_frame)


def finite(answer: Answer) -> bool:
    """Tell whether all values are numbers within 0 to 1."""
    values = [answer.maps, *([] if answer.in_frame is None else [answer.in_frame])]
    return all(bool(np.isfinite(v).all() and (v >= 0).all() and (v <= 1).all()) for v in values)


def _peaks(maps: Array) -> Array:
    place = maps.reshape(len(maps), -1).argmax(axis=1)
    return np.stack([place // maps.shape[2], place % maps.shape[2]], axis=1)


def _joined(answers: list[Answer]) -> Answer:
    told = [answer.in_frame for answer in answers if answer.in_frame is not None]
    return Answer(np.concatenate([answer.maps for answer in answers]), np.concatenate(told) if told else None)
