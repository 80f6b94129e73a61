"""Figures of a detector file on held-out stills, and the calibration of its scores.

Recall and precision at IoU 0.5, average precision, how far scores are from the share that is right, yaw error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.gaze_scores import average_precision
from nodes.ops.boxes import iou
from training.batches import LEAST_BODY_PX, LEAST_HEAD_PX, LEAST_VISIBLE, still
from training.data import STILL_WH, Rows
from training.detector_graph import DIRECTIONS, FRONT_LABEL, LABELS
from training.export import one_thread_session

Floats = NDArray[np.float32]

SIZES_PX = (0, 16, 24, 36, 1000)
WANTED_PRECISION = 0.95
"""A tracker forgives a miss more easily than a ghost."""

_LEAST_PX = {"body": LEAST_BODY_PX, "head": LEAST_HEAD_PX, "face": 6.0}
_LEAST_SCORE = 0.02
_MATCH_IOU = 0.5
_IGNORE_OVERLAP = 0.3
_BINS = 15


@dataclass
class Tally:
    """The judged rows of one class over all pictures."""

    scores: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    wanted: int = 0
    wanted_by_size: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(SIZES_PX) - 1, np.int64))
    found_px: list[tuple[float, float]] = field(default_factory=list)
    """Score and height of each true box that was found."""

    def add(self, boxes: Floats, scores: Floats, truth: Floats, judged: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Match boxes, best first, to truth; return the true row of each box, -1 for none.

        Truth that is not judged (hidden, tiny) makes a box neither right nor wrong.
        """
        height_px = (truth[:, 3] - truth[:, 1]) * STILL_WH[1]
        self.wanted += int(judged.sum())
        self.wanted_by_size += np.histogram(height_px[judged], SIZES_PX)[0]
        overlap = iou(boxes, truth)
        free = np.ones(len(truth), bool)
        matches = np.full(len(boxes), -1)
        for k in range(len(boxes)):
            candidates = np.where(free, overlap[k], 0.0) if len(truth) else np.zeros(1)
            best = int(candidates.argmax())
            if candidates[best] >= _MATCH_IOU:
                free[best] = False
                matches[k] = best
                if judged[best]:
                    self.scores.append(float(scores[k]))
                    self.right.append(True)
                    self.found_px.append((float(scores[k]), float(height_px[best])))
            elif not (overlap[k][~judged] > _IGNORE_OVERLAP).any():
                self.scores.append(float(scores[k]))
                self.right.append(False)
        return matches

    def at(self, threshold: float) -> tuple[float, float]:
        """Return recall and precision of rows at or above a score."""
        kept = np.array(self.scores) >= threshold
        right = int(np.array(self.right)[kept].sum())
        return right / max(1, self.wanted), right / max(1, int(kept.sum()))

    def threshold(self) -> float:
        """Return the lowest score, in steps of 0.01, from which on the precision is WANTED_PRECISION."""
        steps = np.arange(0.10, 0.96, 0.01)
        enough = [step for step in steps if self.at(step)[1] >= WANTED_PRECISION]
        return round(float(enough[0] if enough else steps[-1]), 2)

    def calibration_error(self) -> float:
        """Return the mean distance of score and share of right boxes over bins of as many boxes each."""
        order = np.argsort(self.scores)
        scores, right = np.array(self.scores)[order], np.array(self.right, float)[order]
        parts = [part for part in np.array_split(np.arange(len(order)), _BINS) if len(part)]
        return float(sum(len(p) * abs(scores[p].mean() - right[p].mean()) for p in parts) / max(1, len(order)))

    def line(self) -> tuple[float, float]:
        """Return slope and offset that turn the logit of the score into that of the share of right boxes.

        Right counts as a little less than certain, and wrong as a little more than impossible, so that a few boxes do
        not make a certainty (Platt, 1999). Where higher scores do not speak for right boxes, scores stay as they are.
        """
        count, right = len(self.right), np.array(self.right, bool)
        if right.all() or not right.any():
            return 1.0, 0.0
        score = np.array(self.scores).clip(1e-6, 1 - 1e-6)
        logit = np.log(score / (1 - score))
        share = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / (count - right.sum() + 2))

        def loss(line: NDArray[np.float64]) -> float:
            at = line[0] * logit + line[1]
            return float(np.mean(np.logaddexp(0.0, at) - share * at))

        slope, offset = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
        return (round(float(slope), 4), round(float(offset), 4)) if slope > 0 else (1.0, 0.0)

    def figures(self, name: str, threshold: float) -> dict[str, float | list[float]]:
        """Return the figures of this class."""
        recall, precision = self.at(threshold)
        ap = 0.0
        if any(self.right):
            ap = average_precision(np.array(self.right), np.array(self.scores)) * sum(self.right) / self.wanted
        return {
            f"{name}_wanted": self.wanted,
            f"{name}_threshold": threshold,
            f"{name}_recall": round(recall, 4),
            f"{name}_precision": round(precision, 4),
            f"{name}_ap50": round(ap, 4),
            f"{name}_calibration_error": round(self.calibration_error(), 4),
            f"{name}_recall_by_px_{'_'.join(map(str, SIZES_PX[1:-1]))}": self.recall_by_size(threshold),
        }

    def recall_by_size(self, threshold: float) -> list[float]:
        """Return the recall of each class of sizes."""
        tall = [height for score, height in self.found_px if score >= threshold]
        recall = np.histogram(tall, SIZES_PX)[0] / np.maximum(1, self.wanted_by_size)
        return [round(float(part), 3) for part in recall]


def calibrate(path: Path, rows: Rows) -> dict[str, tuple[float, float]]:
    """Return slope and offset of the scores of each class, fitted on the rows."""
    tallies, _ = tallied(path, rows)
    return {name: tally.line() for name, tally in tallies.items()}


def measure_detector(path: Path, rows: Rows) -> dict[str, float | list[float]]:
    """Run the file on the rows and return its figures at the thresholds it should be used with."""
    tallies, turns = tallied(path, rows)
    figures: dict[str, float | list[float]] = {}
    for name, tally in tallies.items():
        figures |= tally.figures(name, tally.threshold())
    errors = np.array([error for score, error in turns if score >= tallies["head"].threshold()])
    return figures | yaw_figures(errors)


def yaw_figures(errors: NDArray[np.float64]) -> dict[str, float | list[float]]:
    """Return the figures of yaw errors in degrees; heads without direction, nan, are missing and not within 45."""
    told = errors[~np.isnan(errors)]
    mean, median, near = (told.mean(), np.median(told), (errors <= 45).mean()) if len(told) else [float("nan")] * 3
    return {
        "yaw_mae_deg": round(float(mean), 2),
        "yaw_median_deg": round(float(median), 2),
        "yaw_within_45": round(float(near), 4),
        "yaw_missing": int(np.isnan(errors).sum()),
    }


def tallied(path: Path, rows: Rows) -> tuple[dict[str, Tally], list[tuple[float, float]]]:
    """Run the file on the rows; return the tally of each class, and score and yaw error of each head that was found."""
    session = one_thread_session(path)
    tallies = {name: Tally() for name in LABELS}
    turns: list[tuple[float, float]] = []
    for index in rows.ready():
        picture, people = still(rows, int(index))
        feed = {"input_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32)}
        found = session.run(None, feed)[0][0]
        found = found[found[:, 5] >= _LEAST_SCORE]
        for name, tally in tallies.items():
            there = getattr(people, f"{name}_visible") > 0
            truth, visible = getattr(people, f"{name}_box")[there], getattr(people, f"{name}_visible")[there]
            own = found[found[:, 0] == LABELS[name]]
            judged = (visible >= LEAST_VISIBLE) & ((truth[:, 3] - truth[:, 1]) * picture.shape[0] >= _LEAST_PX[name])
            matches = tally.add(own[:, 1:5], own[:, 5], truth, judged)
            if name == "head":
                for row, match in zip(own, matches, strict=True):
                    if match >= 0 and judged[match]:
                        x, _, z = people.vectors[there][match, :3]
                        turn = yaw_deg(found, row[1:5]) - np.degrees(np.arctan2(x, -z))
                        turns.append((float(row[5]), abs((turn + 180) % 360 - 180)))
    return tallies, turns


def yaw_deg(found: Floats, head_box: Sequence[float] | Floats) -> float:
    """Return the yaw of a head from the score-weighted sum of its direction rows; nan without such rows."""
    own = found[(found[:, 0] >= FRONT_LABEL) & (found[:, 0] < FRONT_LABEL + DIRECTIONS)]
    own = own[(own[:, 1:5] == head_box).all(1)]
    if not len(own):
        return float("nan")
    angle = np.radians((own[:, 0] - FRONT_LABEL) * 360.0 / DIRECTIONS)
    return float(np.degrees(np.arctan2((own[:, 5] * np.sin(angle)).sum(), (own[:, 5] * np.cos(angle)).sum())))
