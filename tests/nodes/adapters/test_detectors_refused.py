"""Files that are no detector of the family that their card names are refused when they are opened."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.card_fields import Picture
from pipeline.errors import ModelError
from tests.helpers import FakeSession
from tests.nodes.adapters.test_detectors import opened


def bare(family: str, outputs: dict[str, tuple[Any, ...]], inputs: Any = None, **card: Any) -> FakeSession:
    values = {"input_size_wh": (64, 32), "classes": {0: "body"}, **card}
    return FakeSession(dict, inputs or {"in": (1, 3, 32, 64)}, outputs, family=family, **values)


ROWS = {"rows": (1, 40, 6)}
FACES = {
    f"{kind}_{s}": (1, 2048 // s**2, 4 if kind == "bbox" else 1) for s in (8, 16, 32) for kind in ("cls", "obj", "bbox")
}


@pytest.mark.parametrize(
    ("session", "said"),
    [
        (
            bare("gazelle", ROWS),
            "expected a card of a detector (wholebody34, wholebody25, yolox, boxes, yunet, scrfd) with input_size_wh, "
            "got 'm' of 'gazelle' with (64, 32); choose a detector",
        ),
        (
            bare("wholebody34", ROWS, input_size_wh=None),
            "expected a card of a detector (wholebody34, wholebody25, yolox, boxes, yunet, scrfd) with input_size_wh, "
            "got 'm' of 'wholebody34' with None; choose a detector",
        ),
        (
            bare("wholebody34", ROWS, classes={0: "glasses", 3: "male"}),
            "expected a detector of bodies, heads or faces, got 'm' with the classes ['glasses', 'male']; correct the "
            "classes of its card",
        ),
        (
            bare("wholebody34", {"rows": (1, 40, 7)}),
            "'m': expected one output [pictures, rows, 6] of label, x1, y1, x2, y2 and score, got 'rows' [1, 40, 7]; "
            "give a file of the family 'wholebody34', or correct the card",
        ),
        (
            bare("wholebody34", {**ROWS, "more": (1, 40, 6)}),
            "'m': expected one output [pictures, rows, 6] of label, x1, y1, x2, y2 and score, got 'rows' [1, 40, 6], "
            "'more' [1, 40, 6]; give a file of the family 'wholebody34', or correct the card",
        ),
        (
            bare("wholebody25", {"rows": ("K", 6)}),
            "'m': expected one output [rows, 7] of picture, class, score, x1, y1, x2 and y2, got 'rows' [K, 6]; give a "
            "file of the family 'wholebody25', or correct the card",
        ),
        (
            bare("yolox", {"output": (1, 40, 85)}),
            "'m': expected one output [pictures, 42 cells, 5 + 1 classes or more], got 'output' [1, 40, 85]; give a "
            "file of the family 'yolox', or correct the card",
        ),
        (
            bare("boxes", {"boxes": (1, 9, 4), "scores": (1, 9, 2)}, classes={1: "face", 2: "body"}),
            "'m': expected outputs 'boxes' [pictures, anchors, 4] and 'scores' [pictures, anchors, 3 classes], got "
            "'boxes' [1, 9, 4], 'scores' [1, 9, 2]; give a file of the family 'boxes', or correct the card",
        ),
        (
            bare("yunet", {**FACES, "obj_16": (1, 9, 1)}),
            "'m': expected an output 'obj_16' [pictures, 8, 1], got "
            + ", ".join(f"{n!r} [1, {9 if n == 'obj_16' else s[1]}, {s[2]}]" for n, s in FACES.items())
            + "; give a file of the family 'yunet', or correct the card",
        ),
        (
            bare("yunet", FACES, input_size_wh=(320, 180)),
            "'m': expected an input_size_wh of multiples of 32, got [320, 180]; give a file of the family 'yunet', or "
            "correct the card",
        ),
        (
            bare("scrfd", {str(k): (1, 9, 1) for k in range(7)}),
            "'m': expected 6, 9, 10 or 15 outputs, got 7: "
            + ", ".join(f"'{k}' [1, 9, 1]" for k in range(7))
            + "; give a file of the family 'scrfd', or correct the card",
        ),
        (
            bare("scrfd", {str(k): (64 // 4**k, 1) for k in range(6)}),
            "'m': expected output 4 to be [64, 4] for stride 8, got '3' [1, 1]; give a file of the family 'scrfd', or "
            "correct the card",
        ),
        (
            bare("wholebody34", ROWS, {"in": (4, 3, 32, 64)}),
            "'m': expected a model that takes one picture at a time, or any number, got 4 at a time; give a file of "
            "the family 'wholebody34', or correct the card",
        ),
        (
            bare("wholebody34", ROWS, {"in": (1, 1, 32, 64)}),
            "'m': expected pictures of 3 channels, float32 or uint8, got the input 'in' [1, 1, 32, 64] float32; give a "
            "file of the family 'wholebody34', or correct the card",
        ),
        (
            bare("wholebody34", ROWS, {"in": (1, 3, 32, 64), "size": (1, 2)}),
            "'m': expected one input, got ['in', 'size']; give a file of the family 'wholebody34', or correct the card",
        ),
    ],
    ids=[
        "family", "no size", "classes", "columns", "outputs", "columns of 25", "cells", "columns of boxes", "grid",
        "no whole cells", "count", "anchors", "batch", "channels", "inputs",
    ],
)  # fmt: skip
def test_what_is_no_detector_of_its_family_is_refused(session: FakeSession, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        opened(session)

    assert str(caught.value) == f"node.model: {said}"


def test_bytes_take_no_mean() -> None:
    session = bare("wholebody34", ROWS, picture=Picture(mean=(1, 2, 3)))
    session.inputs = {"in": ((1, 3, 32, 64), "uint8")}  # type: ignore[dict-item]

    with pytest.raises(ModelError) as caught:
        opened(session)

    assert str(caught.value) == (
        "node.model: 'm': expected no mean and std beside an input of uint8, got (1.0, 2.0, 3.0) and (1.0, 1.0, 1.0); "
        "give a file of the family 'wholebody34', or correct the card"
    )
