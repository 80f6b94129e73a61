"""Detectors of faces by grids of anchors: YuNet and SCRFD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from nodes.adapters.detector_family import Family, Unfit, shapes_of, worded
from nodes.ops import scrfd
from nodes.ops.cell_boxes import STRIDES, boxes_of, cells
from nodes.ops.detected import NO_ROWS, Rows, without_doubles
from nodes.ops.wholebody import FACE
from pipeline.card_contract import fits
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


class Yunet(Family):
    """Outputs `cls_S`, `obj_S` [pictures, cells, 1] and `bbox_S` [pictures, cells, 4] for strides S of 8, 16 and 32.

    Ref: YuNet (Wu et al., 2023), libfacedetection.train (Apache-2.0), with the overlap of doubles of its evaluation.
    """

    MAX_IOU = 0.45
    labels = (FACE,)
    outputs = tuple(f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox"))

    def __init__(self, size_wh: tuple[int, int]) -> None:
        self._size_wh = size_wh
        self._size = np.array([*size_wh, *size_wh], np.float32)

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        width, height = session.card.input_size_wh or (0, 0)
        if width % 32 or height % 32:
            raise Unfit(f"expected an input_size_wh of multiples of 32, got {[width, height]}")
        shapes = shapes_of(session)
        for name in cls.outputs:
            kind, stride = name.split("_")
            wanted = (None, (width // int(stride)) * (height // int(stride)), 4 if kind == "bbox" else 1)
            if not fits(shapes.get(name, ()), wanted):
                raise Unfit(f"expected an output {name!r} [pictures, {wanted[1]}, {wanted[2]}], got {worded(shapes)}")
        return cls((width, height))

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`. A score is the geometric mean of what both outputs say, each within 0 to 1."""
        least, first, found = min_score[FACE] ** 2, 0, []
        for stride in STRIDES:
            of_class, of_object, raw = (outputs[f"{kind}_{stride}"][picture] for kind in ("cls", "obj", "bbox"))
            product = (of_class * of_object)[:, 0]
            cell = np.flatnonzero(product >= least)
            if len(cell):
                score = np.sqrt(_within(of_class[cell, 0]) * _within(of_object[cell, 0]))
                found.append((first + cell, raw[cell], score))
            first += len(product)
        if not found:
            return NO_ROWS
        cell, raw, score = (np.concatenate(column) for column in zip(*found, strict=True))
        return without_doubles(FACE, boxes_of(raw, cells(self._size_wh)[cell]) / self._size, score, self.MAX_IOU)


class Scrfd(Family):
    """6, 9, 10 or 15 outputs: scores of each stride, then boxes, then points where there are any.

    With or without a leading axis of pictures. Ref: SCRFD (Guo et al., 2021), InsightFace (code MIT; weights for
    research only), with the overlap of doubles of its own detector.
    """

    MAX_IOU = 0.4
    labels = (FACE,)

    def __init__(self, size_wh: tuple[int, int], outputs: tuple[str, ...], strides: tuple[int, ...], each: int) -> None:
        self.outputs = outputs
        self._size_wh, self._strides, self._each = size_wh, strides, each
        self._size = np.array([*size_wh, *size_wh], np.float32)

    @classmethod
    def of(cls, session: Session) -> Self:
        """See `Family.of`."""
        shapes = shapes_of(session)
        if len(shapes) not in scrfd.LAYOUTS:
            raise Unfit(f"expected 6, 9, 10 or 15 outputs, got {len(shapes)}: {worded(shapes)}")
        strides, each = scrfd.LAYOUTS[len(shapes)]
        size_wh = session.card.input_size_wh or (0, 0)
        names, count = tuple(shapes), len(strides)
        for place, name in enumerate(names[: 2 * count]):
            wanted = (len(scrfd.anchors(size_wh, strides[place % count], each)), (1, 4)[place // count])
            if not fits(shapes[name][-2:], wanted) or len(shapes[name]) not in (2, 3):
                what = f"output {place + 1} to be [{wanted[0]}, {wanted[1]}] for stride {strides[place % count]}"
                raise Unfit(f"expected {what}, got {worded({name: shapes[name]})}")
        return cls(size_wh, names[: 2 * count], strides, each)

    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """See `Family.rows`."""
        found = [array if array.ndim == 2 else array[picture] for array in (outputs[name] for name in self.outputs)]
        boxes, scores = [], []
        count = len(self._strides)
        for stride, score, raw in zip(self._strides, found[:count], found[count:], strict=True):
            anchor = np.flatnonzero(score[:, 0] >= min_score[FACE])
            centres = scrfd.anchors(self._size_wh, stride, self._each)[anchor]
            boxes.append(scrfd.boxes_of(raw[anchor], centres, stride))
            scores.append(score[anchor, 0])
        return without_doubles(FACE, np.concatenate(boxes) / self._size, np.concatenate(scores), self.MAX_IOU)


def _within(scores: Array) -> Array:
    """Return scores held within 0 to 1."""
    return np.minimum(np.maximum(scores, 0), 1)
