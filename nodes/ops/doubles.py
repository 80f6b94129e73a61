"""Boxes that are told twice: of those of a class that overlap, the best is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 64
"""Boxes of which all pairs are looked at: enough for most frames at once, few enough to be quick."""


def best_of_classes(label: Array, boxes: Array, scores: Array, max_iou: Array | float) -> Array:
    """Return the indices (K,) int64 of boxes that overlap no better kept one of their class too much.

    They are ordered by class, then best score first. Greedy non-maximum suppression; of equal scores the earlier box
    wins. Classes are gone through together: only pairs of one class are looked at.

    Args:
        label: (N,) int64, the class of each box.
        boxes: (N, 4) in one frame.
        scores: (N,).
        max_iou: overlap up to which two boxes count as two things, for all or by class (classes,).
    """
    order = np.lexsort((-scores, label))
    if len(order) < 2:
        return order
    better, worse = _pairs_within(label[order])
    box = boxes[order].T
    overlap = overlaps(box[:, better], box[:, worse])
    limit = max_iou if isinstance(max_iou, float) else max_iou[label[order[better]]]
    double = overlap > limit
    kept = np.ones(len(order), np.bool_)
    for first, second in zip(better[double].tolist(), worse[double].tolist(), strict=True):
        if kept[first]:
            kept[second] = False
    return order[kept]


def best_of_many(boxes: Array, scores: Array, max_iou: float, most: int) -> Array:
    """Return what `best_of_classes` returns for boxes of one class, in less time where very many tell of few things.

    The best are gone through first, and what doubles them is left out before the next ones are looked at. Only the best
    `most` are looked at.
    """
    left = np.argsort(-scores, kind="stable")[:most]
    kept = [left[:0]]
    while len(left):
        block, left = left[:_BLOCK], left[_BLOCK:]
        best = block[best_of_classes(np.zeros(len(block), np.int64), boxes[block], scores[block], max_iou)]
        kept.append(best)
        if len(left):
            left = left[(overlaps(boxes[left].T[:, :, None], boxes[best].T[:, None]) <= max_iou).all(axis=1)]
    return np.concatenate(kept)


def _pairs_within(label: Array) -> tuple[Array, Array]:
    """Return all pairs of places (P,), the earlier and the later, that have one label, of labels (N,) in order."""
    place = np.arange(len(label))
    after = np.searchsorted(label, label, side="right") - place - 1  # places of the same label behind each
    first = np.repeat(place, after)
    second = np.arange(len(first)) - np.repeat(np.cumsum(after) - after, after) + first + 1
    return first, second


def overlaps(a: Array, b: Array) -> Array:
    """Return intersection over union of boxes whose coordinates are the first axis (4, ...), as `ops.boxes.iou` does.

    For many pairs in a fraction of its time: nothing is no box here.
    """
    shared = np.maximum(np.minimum(a[2], b[2]) - np.maximum(a[0], b[0]), 0)
    shared *= np.maximum(np.minimum(a[3], b[3]) - np.maximum(a[1], b[1]), 0)
    area_a, area_b = (np.maximum(each[2] - each[0], 0) * np.maximum(each[3] - each[1], 0) for each in (a, b))
    union = area_a + area_b - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))
