"""Pair what was found with what is there, and count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.results import share
from nodes.ops.boxes import areas, centres, iou, share_inside

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_IOU = 0.5


@dataclass
class Count:
    """What was wanted, what of it was found, and what was found but is not there."""

    wanted: int = 0
    right: int = 0
    wrong: int = 0

    @property
    def recall(self) -> float | None:
        """Return the share of what is there that was found."""
        return share(self.right, self.wanted)

    @property
    def precision(self) -> float | None:
        """Return the share of what was found that is there."""
        return share(self.right, self.right + self.wrong)

    def add(self, match: Array, wanted: int, excused: Array) -> None:
        """Count one frame.

        Args:
            match: (N,) what each found one was paired with, -1 nothing.
            wanted: how many there are.
            excused: (N,) bool, found ones that are not wrong though they are paired with nothing.
        """
        self.wanted += wanted
        self.right += int((match >= 0).sum())
        self.wrong += int(((match < 0) & ~excused).sum())


def pair(scores: Array, fit: Array) -> Array:
    """Pair greedily, one to one: the best score first, each with what fits it best of what is left.

    Args:
        scores: (N,) of the found.
        fit: (N, M) how well each found one fits each true one; 0 where it does not.

    Returns:
        (N,) int64: the true one of each found one, -1 none.
    """
    match = np.full(len(scores), -1, np.int64)
    left = np.array(fit, np.float64)
    for row in np.argsort(-scores, kind="stable") if left.size else ():
        best = int(left[row].argmax())
        if left[row, best] > 0:
            match[row] = best
            left[:, best] = 0
    return match


def fit_by_iou(boxes: Array, truth: Array) -> Array:
    """Return IoU (N, M) where it is 0.5 or more, else 0."""
    overlap = iou(boxes, truth)
    return np.asarray(np.where(overlap >= LEAST_IOU, overlap, 0.0))


def fit_loosely(boxes: Array, truth: Array) -> Array:
    """Return how well head boxes (N, 4) fit true ones (M, 4) that were drawn by eye, 0 to 2; 0 where they do not.

    A box fits when its centre lies in the true one and it has 0.2 to 3 times its area, or when IoU exceeds 0.4.
    """
    overlap, centre = iou(boxes, truth), centres(boxes)[:, None]
    inside = ((centre >= truth[None, :, :2]) & (centre <= truth[None, :, 2:])).all(axis=2)
    ratio = areas(boxes)[:, None] / areas(truth)[None]
    fits = (inside & (ratio >= 0.2) & (ratio <= 3.0)) | (overlap > 0.4)
    return np.asarray(np.where(fits, 1.0 + overlap, 0.0))


def on_ignored(boxes: Array, ignored: Array) -> Array:
    """Tell which boxes (N, 4) are of things that count neither way (M, 4): IoU 0.5, or half of the box inside."""
    same = (iou(boxes, ignored) >= LEAST_IOU) | (share_inside(boxes, ignored) >= 0.5)
    return np.asarray(same.any(axis=1))
