"""Rows of a detector: what it saw, where, and how sure it is; which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nodes.ops.doubles import best_of_classes, best_of_many
from nodes.ops.wholebody import NAMES

Array = np.ndarray[Any, np.dtype[Any]]

MOST_CANDIDATES = 1000
"""Boxes of one frame that are looked through for doubles, best scores first."""


class Rows(NamedTuple):
    """What a detector saw in one picture, in any order."""

    label: Array
    """(N,) int64, numbered as in `ops.wholebody.NAMES`."""
    box: Array
    """(N, 4) float32 xyxy."""
    score: Array
    """(N,) float32."""

    def take(self, index: Array) -> Rows:
        """Return the rows picked by an index array or a mask."""
        return Rows(self.label[index], self.box[index], self.score[index])


NO_ROWS = Rows(np.empty(0, np.int64), np.empty((0, 4), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Limits:
    """Which rows count. Arrays have an entry for each label of `ops.wholebody.NAMES`, float32."""

    min_score: Array
    """Rows with a lower score are left out; infinite for labels that nobody asks for."""
    max_iou: Array
    """Two boxes of a label that overlap more are one thing, of which the better score is kept."""
    min_height: Array
    """Lower boxes are left out, in the unit of the boxes."""
    attribute_min_iou: float
    """Overlap from which a row of an attribute belongs to a thing."""

    @classmethod
    def closed(cls, attribute_min_iou: float) -> Limits:
        """Return limits that leave out everything, to be filled in."""
        count = len(NAMES)
        closed = np.full(count, np.inf, np.float32)
        return cls(closed, np.ones(count, np.float32), np.zeros(count, np.float32), attribute_min_iou)


def kept(rows: Rows, limits: Limits) -> Array:
    """Return the indices (K,) int64 of the rows that count, ordered by label, then best score first.

    A row counts when its score and height reach the limits of its label, its box is not empty, and it is no double of
    a better row. Of equal scores the earlier row wins.

    Args:
        rows: of one frame, finite.
        limits: those of each label.
    """
    wide, high = (rows.box[:, 2:] - rows.box[:, :2]).T
    large = (wide > 0) & (high > 0) & (high >= limits.min_height[rows.label])
    counts = np.flatnonzero(large & (rows.score >= limits.min_score[rows.label]))
    sure = rows.take(counts)
    return counts[best_of_classes(*sure, limits.max_iou)]


def without_doubles(label: int, boxes: Array, scores: Array, max_iou: float) -> Rows:
    """Return rows of one class, best first, without doubles; what is not finite, or has no score, is nothing.

    Of very many only the best are looked through.
    """
    sound = np.isfinite(boxes).all(axis=1) & (scores > 0)
    boxes, scores = boxes[sound], scores[sound]
    best = best_of_many(boxes, scores, max_iou, MOST_CANDIDATES)
    return Rows(np.full(len(best), label, np.int64), boxes[best], scores[best])


def together(parts: list[Rows]) -> Rows:
    """Return the rows of one part or more as one."""
    label, box, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rows(label, box, score)
