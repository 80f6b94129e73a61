"""Detectors of many classes at once, whose rows are decoded already: DEIMv2-Wholebody34 and YOLOv9-Wholebody25."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from nodes.adapters.detector_family import (
    Family,
    Unfit,
    known_labels,
    label_table,
    only_output,
    shapes_of,
    worded,
)
from nodes.ops.detected import Rows
from pipeline.card_contract import fits
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


class Wholebody34(Family):
    """Rows `[label, x1, y1, x2, y2, score]`, as many for each picture, in fractions of it; none is a double.

    Classes are those of the card, so that files with more of them fit, too. Ref: DEIMv2-Wholebody34 (Apache-2.0).
    """

    def __init__(self, output: str, table: Array, unknown: tuple[str, ...]) -> None:
        self.outputs, self.unknown = (output,), unknown
        self.labels = known_labels(table)
        self._table = table

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        output = only_output(session, 6, "one output [pictures, rows, 6] of label, x1, y1, x2, y2 and score")
        return cls(output, *label_table(session.card.classes))

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`."""
        found = outputs[self.outputs[0]][picture]
        return _rows(found[:, 0], found[:, 1:5], found[:, 5], self._table, min_score)

    def full_at(self, outputs: Mapping[str, Array], picture: int) -> float:
        """See `Family.full_at`."""
        scores = outputs[self.outputs[0]][picture, :, 5]
        return float(scores.min()) if len(scores) else 0.0


class Wholebody25(Family):
    """Rows `[picture, class, score, x1, y1, x2, y2]` in pixels of the processing size, doubles gone already.

    Ref: YOLOv9-Wholebody25, its published output only (the weights are under the GPL).
    """

    def __init__(self, output: str, size_wh: tuple[int, int], table: Array, unknown: tuple[str, ...]) -> None:
        self.outputs, self.unknown = (output,), unknown
        self.labels = known_labels(table)
        self._table = table
        self._size = np.array([*size_wh, *size_wh], np.float32)

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        shapes = shapes_of(session)
        if len(shapes) != 1 or not fits(next(iter(shapes.values())), (None, 7)):
            wanted = "one output [rows, 7] of picture, class, score, x1, y1, x2 and y2"
            raise Unfit(f"expected {wanted}, got {worded(shapes)}")
        return cls(next(iter(shapes)), session.card.input_size_wh or (1, 1), *label_table(session.card.classes))

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`."""
        found = outputs[self.outputs[0]]
        found = found[found[:, 0] == picture]
        return _rows(found[:, 1], found[:, 3:7] / self._size, found[:, 2], self._table, min_score)


def _rows(label: Array, box: Array, score: Array, table: Array, min_score: Array) -> Rows:
    """Return the rows of classes that we know, with our labels; what is not finite, or has no score, is nothing."""
    sure = np.flatnonzero((score >= min_score.min()) & (score > 0) & (label >= 0) & (label < len(table)))
    box, score = box[sure], score[sure]
    ours = table[label[sure].astype(np.int64)]
    counts = (ours >= 0) & (score >= min_score[ours]) & (score < np.inf) & np.isfinite(box).all(axis=1)
    return Rows(ours, box, score).take(counts)
