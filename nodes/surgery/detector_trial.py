"""Run detectors, released and prepared, on the same pictures, and say how far what they find lies apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nodes.ops.boxes import iou
from nodes.surgery.graph import Array
from nodes.surgery.probing import run
from nodes.surgery.trials import Trial
from pipeline.card_fields import Picture

Outputs = dict[str, Array]
Decode = Callable[[Outputs, int], tuple[Array, Array, Array]]
"""Outputs of a call, and the number of a picture in it, to what was found: labels (N,), boxes (N, 4) in fractions of
the input, scores (N,)."""

CLEAR_SCORE = 0.35
"""Things with a lower score in single precision are not looked for in the other file."""
_SAME_IOU = 0.5
"""Boxes that overlap less are not the same thing."""


def released_inputs(name: str, pictures: Array, how: Picture) -> Outputs:
    """Return the input of a released file for pictures (N, H, W, 3) u8 BGR."""
    ordered = pictures[..., ::-1] if how.colour == "rgb" else pictures
    values: Array = ordered.astype(np.float32)
    if any(how.mean):
        values = values - np.array(how.mean, np.float32)
    if any(spread != 1.0 for spread in how.std):
        values = np.divide(values, np.asarray(how.std, np.float32))
    return {name: np.ascontiguousarray(values.transpose(0, 3, 1, 2))}


def ask(engine: Any, inputs: Callable[[Array], Outputs], trial: Trial) -> list[Outputs]:
    """Return the outputs for each picture, one at a time, so that files for one picture are asked alike."""
    names = [item.name for item in engine.get_outputs()]
    rows = range(len(trial.pictures))
    return [dict(zip(names, run(engine, names, inputs(trial.pictures[k : k + 1])), strict=True)) for k in rows]


def largest_gap(one: list[Outputs], other: list[Outputs]) -> float:
    """Return the largest difference of any value, in shares of it where it is larger than 1; infinite where a shape is.

    Meant for files that compute the same; the order of rows counts.
    """
    worst = 0.0
    for mine, theirs in zip(one, other, strict=True):
        for name, wanted in mine.items():
            got = theirs[name]
            if got.shape != wanted.shape:
                return float("inf")
            gap = np.abs(got.astype(np.float64) - wanted) / np.maximum(1, np.abs(wanted))
            worst = max(worst, float(gap.max(initial=0)))
    return worst


def found_apart(one: list[Outputs], other: list[Outputs], decode: Decode) -> dict[str, float]:
    """Return how far the things that one file finds lie from those that another finds.

    Returns:
        `found`: clear things of the first; `lost`: the share of them that the second lacks; `iou_min`, `iou_mean`,
        `score_max`: overlap and difference of score of the others.
    """
    overlaps: list[Array] = []
    gaps: list[Array] = []
    lost = 0
    for mine, theirs in zip(one, other, strict=True):
        label, box, score = decode(mine, 0)
        clear = score >= CLEAR_SCORE
        label, box, score = label[clear], box[clear], score[clear]
        other_label, other_box, other_score = decode(theirs, 0)
        if not len(label):
            continue
        if not len(other_label):
            lost += len(label)
            continue
        same = np.where(label[:, None] == other_label, iou(box, other_box), -1.0)
        best = same.argmax(axis=1)
        overlap = same[np.arange(len(best)), best]
        kept = overlap >= _SAME_IOU
        lost += int((~kept).sum())
        overlaps.append(overlap[kept])
        gaps.append(np.abs(score - other_score[best])[kept])
    overlap, gap = (np.concatenate(parts) if parts else np.empty(0) for parts in (overlaps, gaps))
    count = lost + len(overlap)
    return {
        "found": float(count),
        "lost": lost / count if count else 0.0,
        "iou_min": float(overlap.min(initial=1.0)),
        "iou_mean": float(overlap.mean()) if len(overlap) else 1.0,
        "score_max": float(gap.max(initial=0.0)),
    }
