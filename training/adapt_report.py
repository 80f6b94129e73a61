"""What adapting changed: figures of a detector on held-back footage and on rendered stills, and what speaks against it.

On footage nothing is labelled by hand, so a figure there tells whether the detector agrees with what several views and
the frames around tell, with where those who walk go, and how steady it is; only on rendered stills does a figure tell
how right it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nodes.detect_people import Config as Shown
from nodes.ops.angles import wrap_deg
from nodes.ops.directions import yaw_pitch
from training.data import Rows
from training.detector_net import CLASSES
from training.labelled_footage import Clip
from training.measure_detector import Tally, tallied
from training.still_things import on_places
from training.teacher import THING, WANTED, Boxes, Detector, Floats, near

Figures = dict[str, Any]

SHOWN = np.array([Shown().body_min_score, Shown().head_min_score])
"""Scores from which on bodies and heads count in a graph that sets no others."""
MARGIN = 0.02
YAW_SLACK_DEG = 2.0
AGREEMENT_SLACK = 0.01
"""What agreement may fall by where heads of those who walk are read better than before."""
CLOSE_DEG = 45.0
FLICKER_SLACK = 0.01
_DIGITS = 4


@dataclass
class _Steadiness:
    """What is added up over held-back frames."""

    frames: int = 0
    shown: Any = field(default_factory=lambda: np.zeros(len(CLASSES), np.int64))
    still: int = 0
    """Shown boxes on places where nothing ever moves."""
    followed: int = 0
    """Shown boxes of frames with others before and after."""
    alone: int = 0
    """Of these, boxes that neither of the others shows."""
    walking: int = 0
    """Heads of those who walk."""
    read: int = 0
    """Of these, heads that were found and are told to point where somebody walks, within `CLOSE_DEG`."""


def on_footage(path: Path, clips: Sequence[Clip], still_s: float) -> Figures:
    """Return the figures of a detector's file on the frames that are held back."""
    detector = Detector(path)
    tallies = [Tally() for _ in CLASSES]
    sums = _Steadiness()
    for clip in clips:
        told_of = [detector.find_with_yaws(sample.picture) for sample in clip.frames]
        found = [boxes for boxes, _ in told_of]
        known = clip.places(found, still_s)
        for number in np.flatnonzero(clip.held_back):
            (boxes, yaws), labels, sample = told_of[number], clip.labels[number], clip.frames[number]
            told = labels.verdict != THING
            for kind, tally in enumerate(tallies):
                own, truth = boxes.take(boxes.kind == kind), told & (labels.boxes.kind == kind)
                match = tally.add(own.box, own.score, labels.boxes.box[truth], labels.verdict[truth] == WANTED)
                sure = (match >= 0) & (own.score >= SHOWN[kind])
                sums.read += _close(yaws[boxes.kind == kind][sure], labels.nose[truth][match[sure]])
            sums.walking += int((~np.isnan(labels.nose[:, 0])).sum())
            seen = _shown(boxes)
            sums.frames += 1
            sums.shown += np.bincount(seen.kind, minlength=len(CLASSES))
            sums.still += int(on_places(seen, known, int(number)).sum())
            if len(sample.beside) == 2:
                others = [_shown(detector.find(picture)) for picture in sample.beside]
                sums.followed += len(seen.kind)
                sums.alone += int((~np.any([near(seen, other).any(axis=1) for other in others], axis=0)).sum())
    return _figures(tallies, sums)


def on_stills(path: Path, rows: Rows) -> Figures:
    """Return the figures of a detector's file on rendered stills."""
    tallies, turns = tallied(path, rows)
    figures: Figures = {}
    for name, tally in tallies.items():
        own = tally.figures(name, float(SHOWN[CLASSES.index("body" if name == "body" else "head")]))
        figures |= {f"{name}_{key}": own[f"{name}_{key}"] for key in ("recall", "precision", "ap50")}
        figures[f"{name}_calibration_error"] = own[f"{name}_calibration_error"]
    sure = [error for score, error in turns if score >= SHOWN[CLASSES.index("head")]]
    errors = [error for error in sure if not np.isnan(error)]
    return {**figures, "yaw_mae_deg": round(float(np.mean(errors)), 2) if errors else None}


def objections(before: Figures, after: Figures, margin: float) -> list[str]:
    """Return what speaks against a detector, a line for each figure; none where it may replace the one before.

    Args:
        before: `footage` and `stills` of the one before.
        after: of the new one.
        margin: by how much its average precision on rendered stills may fall.
    """
    lines = []
    for name in ("body", "head", "face"):
        key = f"{name}_ap50"
        was, now = before["stills"][key], after["stills"][key]
        if now < was - margin:
            lines.append(f"stills.{key}: expected at least {was - margin:.4f}, {margin} less than before, got {now}")
    was, now = (figures["stills"]["yaw_mae_deg"] for figures in (before, after))
    if was is not None and (now is None or now > was + YAW_SLACK_DEG):
        lines.append(f"stills.yaw_mae_deg: expected at most {was + YAW_SLACK_DEG:g}, got {now}")
    was, now = (figures["footage"]["walkers_read"] for figures in (before, after))
    if was is not None and now < was:
        lines.append(f"footage.walkers_read: expected at least what it was before, {was}, got {now}")
    reads_better = was is not None and now > was
    was, now = (figures["footage"]["agreement"] for figures in (before, after))
    if reads_better and now < was - AGREEMENT_SLACK:
        lines.append(f"footage.agreement: expected at least {was - AGREEMENT_SLACK:.4f}, got {now}")
    if not reads_better and now <= was:
        lines.append(f"footage.agreement: expected more than before, {was}, got {now}")
    was, now = (figures["footage"]["still_boxes"] for figures in (before, after))
    if now > was:
        lines.append(f"footage.still_boxes: expected no more than before, {was}, got {now}")
    was, now = (figures["footage"]["flicker"] for figures in (before, after))
    if was is not None and now is not None and now > was + FLICKER_SLACK:
        lines.append(f"footage.flicker: expected at most {was + FLICKER_SLACK:.4f}, got {now}")
    return lines


def table(before: Figures, after: Figures) -> str:
    """Return the figures of both side by side."""
    keys = [(part, key) for part, figures in before.items() for key in figures]
    names = [f"{part}.{key}" for part, key in keys]
    width = max(map(len, names))
    lines = [f"{'':<{width}}  {'before':>8}  {'after':>8}"]
    for name, (part, key) in zip(names, keys, strict=True):
        was, now = (_text(figures[part][key]) for figures in (before, after))
        lines.append(f"{name:<{width}}  {was:>8}  {now:>8}")
    return "\n".join(lines) + "\n"


def agreement(tallies: Sequence[Tally]) -> float:
    """Return how far scores agree with labels, 0 to 1: 1 if accepted boxes have 1 each, and nothing else has any.

    It is what the scores of the accepted boxes that were found add up to, over the number of accepted boxes and the
    scores of boxes where nothing is; boxes where there may be somebody count neither way.
    """
    scores = np.concatenate([np.asarray(tally.scores, np.float64) for tally in tallies])
    right = np.concatenate([np.asarray(tally.right, np.bool_) for tally in tallies])
    wanted = sum(tally.wanted for tally in tallies)
    return round(float(scores[right].sum() / max(1e-9, wanted + scores[~right].sum())), _DIGITS)


def _figures(tallies: Sequence[Tally], sums: _Steadiness) -> Figures:
    figures: Figures = {"frames": sums.frames, "agreement": agreement(tallies)}
    for name, score, tally, shown in zip(CLASSES, SHOWN, tallies, sums.shown.tolist(), strict=True):
        own = tally.figures(name, float(score))
        figures |= {f"{name}_{key}": own[f"{name}_{key}"] for key in ("recall", "precision", "calibration_error")}
        figures |= {f"{name}_agreement": agreement([tally]), f"{name}_per_frame": _share(shown, sums.frames)}
    walkers = {"walkers": sums.walking, "walkers_read": _share(sums.read, sums.walking)}
    return {**figures, **walkers, "still_boxes": sums.still, "flicker": _share(sums.alone, sums.followed)}


def _close(yaw_deg: Floats, nose: Floats) -> int:
    """Count the yaws (K,) that are near those of noses (K, 3); nan is near nothing."""
    return int((np.abs(wrap_deg(yaw_deg - yaw_pitch(nose)[:, 0])) <= CLOSE_DEG).sum())


def _shown(boxes: Boxes) -> Boxes:
    return boxes.take(boxes.score >= SHOWN[boxes.kind])


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, _DIGITS) if whole else None


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:g}"
