"""Detectors of each family that answer what a test says, in the form of that family's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nodes.ops.wholebody import NAMES
from pipeline.card_fields import Picture
from tests.helpers import FakeSession

WHOLE_BODY = dict(enumerate(NAMES))
"""All classes of DEIMv2-Wholebody34."""
WHOLE_BODY_25 = {**dict(enumerate(NAMES[:21])), 21: "hand", 22: "hand_left", 23: "hand_right", 24: "foot"}
"""All classes of YOLOv9-Wholebody25."""
SIZE_WH = (64, 32)

Row = Sequence[float]
Answer = Callable[[np.ndarray], Sequence[Row]]


def whole_body_34(answer: Answer, count: int = 40, batch: Any = "N", **card: Any) -> FakeSession:
    """Return a detector with `count` rows `[label, x1, y1, x2, y2, score]`, zeros where the answer has fewer."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        made = np.zeros((len(inputs["input_bgr"]), count, 6), np.float32)
        for rows, image in zip(made, inputs["input_bgr"], strict=True):
            found = np.asarray(answer(image), np.float32).reshape(-1, 6)
            rows[: len(found)] = found
        return {"label_xyxy_score": made}

    values = {"family": "wholebody34", "input_size_wh": SIZE_WH, "classes": WHOLE_BODY, **card}
    inputs, outputs = {"input_bgr": (batch, 3, "H", "W")}, {"label_xyxy_score": (batch, count, 6)}
    return FakeSession(run, inputs, outputs, **values)


def whole_body_25(answer: Answer, batch: Any = 1, **card: Any) -> FakeSession:
    """Return a detector whose rows are `[class, score, x1, y1, x2, y2]` in pixels of its size, 64 by 32."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        found = [[picture, *row] for picture, image in enumerate(inputs["in"]) for row in answer(image)]
        return {"rows": np.asarray(found, np.float32).reshape(-1, 7)}

    values = {"family": "wholebody25", "input_size_wh": SIZE_WH, "classes": WHOLE_BODY_25, **card}
    return FakeSession(run, {"in": (batch, 3, "H", "W")}, {"rows": ("K", 7)}, **values)


def yolox(answer: Answer, **card: Any) -> FakeSession:
    """Return a detector of 3 classes whose cells are `[cell, x, y, log w, log h, object, class 0, 1, 2]`."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        made = np.zeros((1, 42, 8), np.float32)
        for cell, *row in answer(inputs["images"][0]):
            made[0, int(cell)] = row
        return {"output": made}

    values = {
        "family": "yolox",
        "input_size_wh": SIZE_WH,
        "classes": {0: "body"},
        "picture": Picture(fit="letterbox", fill=114),
        **card,
    }
    return FakeSession(run, {"images": (1, 3, 32, 64)}, {"output": (1, 42, 8)}, **values)


def boxes(answer: Answer, label: str = "face", **card: Any) -> FakeSession:
    """Return a detector with 9 anchors, whose answer is `[x1, y1, x2, y2, score]` in fractions of its input."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        found = np.zeros((1, 9, 5), np.float32)
        rows = np.asarray(answer(inputs["data"][0]), np.float32).reshape(-1, 5)
        found[0, : len(rows)] = rows
        scores = np.stack([1 - found[:, :, 4], found[:, :, 4]], axis=2)
        return {"boxes": found[:, :, :4], "scores": scores}

    values = {"family": "boxes", "input_size_wh": SIZE_WH, "classes": {1: label}, **card}
    return FakeSession(run, {"data": (1, 3, 32, 64)}, {"boxes": (1, 9, 4), "scores": (1, 9, 2)}, **values)


def yunet(answer: Answer, batch: Any = 1, free: bool = False, **card: Any) -> FakeSession:
    """Return a detector of faces whose cells are `[cell, class, object, x, y, log w, log h]`, 42 in three grids."""
    counts = {8: 32, 16: 8, 32: 2}
    ends = np.cumsum([0, *counts.values()])

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        made = np.zeros((len(inputs["input"]), 42, 6), np.float32)
        for picture, image in zip(made, inputs["input"], strict=True):
            for cell, *row in answer(image):
                picture[int(cell)] = row
        columns = {"cls": slice(0, 1), "obj": slice(1, 2), "bbox": slice(2, 6)}
        return {
            f"{kind}_{stride}": made[:, start:end, column]
            for kind, column in columns.items()
            for stride, start, end in zip(counts, ends[:-1], ends[1:], strict=True)
        }

    shapes = {
        f"{kind}_{stride}": (batch, "cells" if free else count, columns)
        for kind, columns in (("cls", 1), ("obj", 1), ("bbox", 4))
        for stride, count in counts.items()
    }
    values = {"family": "yunet", "input_size_wh": SIZE_WH, "classes": {0: "face"}, **card}
    side = ("height", "width") if free else (32, 64)
    return FakeSession(run, {"input": (batch, 3, *side)}, shapes, **values)


def scrfd(answer: Answer, outputs: int = 9, batched: bool = True, **card: Any) -> FakeSession:
    """Return a detector of faces whose anchors are `[stride, anchor, score, left, up, right, down]`."""
    strides, each = ((8, 16, 32), 2) if outputs in (6, 9) else ((8, 16, 32, 64, 128), 1)
    starts = ((0, 1), (1, 4), (5, 10))[: outputs // len(strides)]  # column of the table, and how many, of each kind
    counts = [(-(-64 // s)) * (-(-32 // s)) * each for s in strides]

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        tables = [np.zeros((count, 15), np.float32) for count in counts]
        for stride, anchor, *row in answer(inputs["input.1"][0]):
            tables[strides.index(int(stride))][int(anchor), :5] = row
        parts = [table[:, start : start + columns] for start, columns in starts for table in tables]
        return {str(440 + k): part[None] if batched else part for k, part in enumerate(parts)}

    axes = [(count, columns) for _, columns in starts for count in counts]
    shapes = {str(440 + k): (1, *axis) if batched else axis for k, axis in enumerate(axes)}
    values = {"family": "scrfd", "input_size_wh": SIZE_WH, "classes": {0: "face"}, **card}
    return FakeSession(run, {"input.1": (1, 3, 32, 64)}, shapes, **values)
