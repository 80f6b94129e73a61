"""YOLO text: a row `class cx cy width height` for each thing in a picture, in fractions of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.boxes import centres, sizes
from nodes.ops.wholebody import ATTRIBUTES, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

_LABELS = np.array([NAMES.index(name) for name in ATTRIBUTES])
_GROUPS = (slice(0, 2), slice(2, 4), slice(4, 12), slice(12, 14))
"""Attributes of which a thing has at most one: age, sex, direction of the head, side of the hand."""


def with_attributes(labels: Array, boxes: Array, attribute_scores: Array, min_score: float) -> tuple[Array, Array]:
    """Return classes (K,) and boxes (K, 4) of things and of what is said of them, ordered as the things were.

    What is said of a thing is a row of its own, with the box of the thing, behind it: that is how whole-body detectors
    are trained, and what they put out. Of attributes that rule each other out the best is told.

    Args:
        labels: (N,) classes.
        boxes: (N, 4).
        attribute_scores: (N, 14), in the order of `ops.wholebody.ATTRIBUTES`.
        min_score: attributes with a lower score are not told.
    """
    told = np.zeros(attribute_scores.shape, np.bool_)
    rows = np.arange(len(labels))
    for group in _GROUPS:
        best = attribute_scores[:, group].argmax(axis=1) + group.start
        score = attribute_scores[rows, best]
        told[rows, best] = (score >= min_score) & (score > 0)
    thing, attribute = np.nonzero(told)
    owner = np.concatenate([rows, thing])
    classes = np.concatenate([labels, _LABELS[attribute]])
    order = np.argsort(owner, kind="stable")
    return classes[order], boxes[owner[order]]


def rows_text(classes: Array, boxes: Array) -> str:
    """Return the text of K boxes (K, 4) xyxy, fractions of the picture: six decimals, a line each."""
    placed = np.concatenate([centres(boxes), sizes(boxes)], axis=1).astype(np.float64)
    return "".join(
        f"{label} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n"
        for label, (x, y, w, h) in zip(classes.tolist(), placed.tolist(), strict=True)
    )


def data_yaml() -> str:
    """Return the description of a data set of such rows: where its pictures are, and the names of the classes."""
    names = "".join(f"  {label}: {name}\n" for label, name in enumerate(NAMES))
    return f"train: images\nval: images\nnames:\n{names}"
