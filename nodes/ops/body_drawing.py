"""Draw parts of bodies and the bones between their joints on a canvas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nodes.ops import colours
from nodes.ops.canvas import Canvas
from nodes.ops.wholebody import ATTRIBUTES, BODY, CRUTCHES, HAND, HEAD, JOINTS, NAMES, WHEELCHAIR

Joints = Literal["dot", "box", "both", "none"]
_LEFT, _RIGHT = ATTRIBUTES.index("hand_left"), ATTRIBUTES.index("hand_right")
_NAMED = (WHEELCHAIR, CRUTCHES)


@dataclass(frozen=True)
class PartBox:
    """What is drawn of one part of a body."""

    label: int
    """As in `ops.wholebody.NAMES`."""
    box: Sequence[float]
    """x1, y1, x2, y2 in fractions of the picture."""
    attribute_scores: Sequence[float]
    """(14,) as in `Parts`."""
    track_id: int = 0


def draw_parts(
    canvas: Canvas, parts: Sequence[PartBox], hidden: Collection[str], joints: Joints, sides: bool = True
) -> None:
    """Draw the boxes of parts, each class in its colour, and joints as dots, boxes or both.

    Bodies and heads are left out: they are drawn as people are.

    Args:
        canvas: what is drawn on.
        parts: of one picture.
        hidden: names of classes that are not drawn.
        joints: how joints are drawn.
        sides: write L or R at hands whose side is known.
    """
    for part in parts:
        if part.label in (BODY, HEAD) or NAMES[part.label] in hidden:
            continue
        colour = colours.of_track(part.label)
        joint = part.label in JOINTS
        if not joint or joints in ("box", "both"):
            canvas.box(part.box, colour, 0.5)
        if joint and joints in ("dot", "both"):
            x1, y1, x2, y2 = part.box
            canvas.spot(((x1 + x2) / 2, (y1 + y2) / 2), colour)
        if word := _word(part, sides):
            canvas.label((part.box[0], part.box[1]), [(word, colour)])


def draw_bones(canvas: Canvas, track_ids: Sequence[int], points: np.ndarray) -> None:
    """Draw lines between joints in the colours of their people.

    Args:
        canvas: what is drawn on.
        track_ids: (N,) whose bone it is.
        points: (N, 2, 2) its ends, fractions of the picture.
    """
    for track_id, (start, end) in zip(track_ids, points.tolist(), strict=True):
        canvas.path([tuple(start), tuple(end)], colours.of_track(track_id), 0.6)


def _word(part: PartBox, sides: bool) -> str:
    if part.label in _NAMED:
        return NAMES[part.label].removeprefix("body_with_")
    left, right = part.attribute_scores[_LEFT], part.attribute_scores[_RIGHT]
    if not sides or part.label != HAND or left == right:
        return ""
    return "L" if left > right else "R"
