"""Detectors of one class, or of many by columns: decoded boxes with their scores, and YOLOX."""

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
from nodes.ops.cell_boxes import boxes_of, cells
from nodes.ops.detected import Rows, together, without_doubles
from pipeline.card_contract import fits
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


class Boxes(Family):
    """Outputs `boxes` [pictures, anchors, 4] in fractions of the input and `scores` [pictures, anchors, classes].

    Class 0 is the background, as in detectors made with SSD. Ref: Open Model Zoo (Apache-2.0) and Ultra-Light-Fast-
    Generic-Face-Detector (MIT), with the overlap of doubles that the former publish.
    """

    MAX_IOU = 0.45
    outputs = ("boxes", "scores")

    def __init__(self, table: Array, unknown: tuple[str, ...]) -> None:
        self.labels, self.unknown = known_labels(table), unknown
        self._table = table

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        shapes, table = shapes_of(session), label_table(session.card.classes)
        count = len(table[0])
        if not (fits(shapes.get("boxes", ()), (None, None, 4)) and len(shapes.get("scores", ())) == 3) or (
            isinstance(shapes["scores"][2], int) and shapes["scores"][2] < count
        ):
            wanted = f"outputs 'boxes' [pictures, anchors, 4] and 'scores' [pictures, anchors, {count} classes]"
            raise Unfit(f"expected {wanted}, got {worded(shapes)}")
        return cls(*table)

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`."""
        boxes, scores = outputs["boxes"][picture], outputs["scores"][picture]
        parts = []
        for column in np.flatnonzero(self._table >= 0):
            label = int(self._table[column])
            found = np.flatnonzero(scores[:, column] >= min_score[label])
            parts.append(without_doubles(label, boxes[found], scores[found, column], self.MAX_IOU))
        return together(parts)


class Yolox(Family):
    """One output [pictures, cells, 5 + classes]: raw boxes, object score, class scores, all scores 0 to 1.

    Ref: YOLOX (Apache-2.0), its raw export.
    """

    MAX_IOU = 0.45

    def __init__(self, output: str, size_wh: tuple[int, int], table: Array, unknown: tuple[str, ...]) -> None:
        self.outputs, self.unknown = (output,), unknown
        self.labels = known_labels(table)
        self._table, self._size_wh = table, size_wh
        self._size = np.array([*size_wh, *size_wh], np.float32)

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        size_wh, (table, _) = session.card.input_size_wh or (0, 0), label_table(session.card.classes)
        count = len(cells(size_wh))
        what = f"one output [pictures, {count} cells, 5 + {len(table)} classes or more]"
        output = only_output(session, None, what)
        shape = shapes_of(session)[output]
        if not fits(shape, (None, count, None)) or (isinstance(shape[2], int) and shape[2] < 5 + len(table)):
            raise Unfit(f"expected {what}, got {worded({output: shape})}")
        return cls(output, size_wh, table, ())  # of the eighty classes of COCO nobody expects more than people

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`."""
        found, of_cells = outputs[self.outputs[0]][picture], cells(self._size_wh)
        parts = []
        for column in np.flatnonzero(self._table >= 0):
            label = int(self._table[column])
            scores = found[:, 4] * found[:, 5 + column]
            picked = np.flatnonzero(scores >= min_score[label])
            boxes = boxes_of(found[picked, :4], of_cells[picked]) / self._size
            parts.append(without_doubles(label, boxes, scores[picked], self.MAX_IOU))
        return together(parts)
