"""Which parts of bodies and heads are whose. Constants were chosen on made-up crowds (`benchmarks/bodies.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.anatomy import BODY_PARTS, HEAD_HEIGHTS, HEAD_PARTS, LIMBS, Part
from nodes.ops.assignment import assign
from nodes.ops.boxes import centres, iou, share_inside, sizes

Array = np.ndarray[Any, np.dtype[Any]]

_GROWN = 0.05
"""Bodies and heads reach this much beyond their boxes, shares of their sides: boxes of a detector differ that much."""
_OUTSIZE = 1.8
"""A part this many times smaller or larger than such parts are fits not at all."""
_LIMB = 1.3
"""A part this far from what it hangs on, in lengths of that limb, fits half as well as one that is there."""
_LOOSE = 0.45
"""Fit of a part that hangs on nothing: about that of one at the end of a limb that is longer than it can be."""
_LEAST = 1e-9
"""Boxes may have no extent."""


@dataclass(frozen=True)
class People:
    """M people of one frame, in units that are the same along both axes; what was not seen is NaN."""

    head: Array
    """(M, 4)."""
    body: Array
    """(M, 4)."""
    stature: Array
    """(M,) how tall they are in the picture: heights of the head, or what is seen if that is more."""
    top: Array
    """(M, 2) middles of their heads, where none was seen those to be expected."""

    @classmethod
    def of(cls, head: Array, body: Array) -> People:
        """Return people with such heads (M, 4) and bodies (M, 4)."""
        stature = np.fmax(np.linalg.norm(sizes(body), axis=1), HEAD_HEIGHTS * sizes(head)[:, 1])
        stature = np.maximum(stature, _LEAST)
        expected = np.stack([centres(body)[:, 0], body[:, 1] + stature / (2 * HEAD_HEIGHTS)], axis=1)
        return cls(head, body, stature, np.where(np.isnan(head[:, :2]), expected, centres(head)))


def owners(labels: Array, boxes: Array, people: People, min_fit: float) -> Array:
    """Tell whose the parts of bodies and heads are, so that the fit of all parts of a class is best in total.

    Nobody gets more of a class than a person has. Parts are given away from the trunk outward, because a wrist is
    better known by the elbow it hangs on.

    Args:
        labels: (N,) classes; others than those of `ops.anatomy` are nobody's.
        boxes: (N, 4), in the units of the people.
        people: M people.
        min_fit: parts that fit nobody better than this are nobody's.

    Returns:
        (N,) int64 rows of people, -1 for nobody's.
    """
    owner = np.full(len(labels), -1, np.int64)
    fit = np.zeros((len(labels), len(people.stature)))
    for kinds, fit_to in ((HEAD_PARTS, fit_in_head), (BODY_PARTS, fit_on_body)):
        rows = np.flatnonzero(np.isin(labels, list(kinds)))
        fit[rows] = fit_to(boxes[rows], [kinds[label] for label in labels[rows].tolist()], people)
    middles = centres(boxes)
    for label, part in {**HEAD_PARTS, **BODY_PARTS}.items():
        rows = np.flatnonzero(labels == label)
        if len(rows):
            worth = fit[rows] * _hangs(label, labels, middles, rows, owner, people.stature) - min_fit
            which, whose = assign(np.tile(worth, part.most))
            owner[rows[which]] = whose % max(len(people.stature), 1)
    return owner


def aids_of(aids: Array, bodies: Array, min_fit: float) -> tuple[Array, Array]:
    """Pair wheelchairs or crutches (N, 4), whose boxes hold their person, with bodies (M, 4), one to one.

    The fit is the overlap times the share of the body in the box: who pushes a wheelchair stands out of it.

    Returns:
        Rows of aids and rows of bodies (K,) int64.
    """
    return assign(iou(aids, bodies) * share_inside(bodies, aids).T - min_fit)


def fit_in_head(boxes: Array, parts: Sequence[Part], people: People) -> Array:
    """Return how well parts (N, 4) fit the heads of people (M): (N, M), 0 not at all to 1.

    The share within the head, times how near it is to the middle, times whether its size is right.
    """
    side = np.maximum(np.fmax(*sizes(people.head).T), _LEAST)
    apart = (centres(boxes)[:, None] - centres(people.head)) / side[:, None]  # (N, M, 2)
    return _fit(share_inside(boxes, _grown(people.head)), apart, _longer(boxes)[:, None] / side, parts)


def fit_on_body(boxes: Array, parts: Sequence[Part], people: People) -> Array:
    """Return how well parts (N, 4) fit the bodies of people (M): (N, M), 0 not at all to 1.

    The share within the body, times how near it is to where such a part mostly is, seen from the head, times whether
    its size is right. Both sides of a body are alike.
    """
    apart = (centres(boxes)[:, None] - people.top) / people.stature[:, None]
    apart[..., 0] = np.abs(apart[..., 0])
    return _fit(share_inside(boxes, _grown(people.body)), apart, _longer(boxes)[:, None] / people.stature, parts)


def _fit(inside: Array, apart: Array, size: Array, parts: Sequence[Part]) -> Array:
    """Return the product (N, M) of share within, place (N, M, 2) and size (N, M); 0 for what is not known of people."""
    expected = np.array([(part.place, part.spread, part.size or (0, np.inf)) for part in parts]).reshape(-1, 3, 1, 2)
    away = (apart - expected[:, 0]) / expected[:, 1]
    smallest, largest = expected[:, 2, :, 0], expected[:, 2, :, 1]
    outside = np.log(np.maximum(np.maximum(smallest / np.maximum(size, _LEAST), size / largest), 1)) / np.log(_OUTSIZE)
    return np.asarray(np.nan_to_num(inside / (1 + (away**2).sum(axis=2) / 2) * np.maximum(1 - outside, 0)))


def _hangs(label: int, labels: Array, points: Array, rows: Array, owner: Array, stature: Array) -> Array:
    """Return by how much (N, M) the fit of parts of a class changes by what of each person they may hang on.

    Those of heads hang on nothing.
    """
    if label in HEAD_PARTS:
        return np.ones((len(rows), len(stature)))
    whole = np.full((len(stature), len(rows)), np.inf)
    for limb in LIMBS:
        if limb.child == label:
            held = np.flatnonzero((labels == limb.parent) & (owner >= 0))
            long = np.linalg.norm(points[held][:, None] - points[rows], axis=2)
            np.minimum.at(whole, owner[held], long / (limb.length * stature[owner[held]])[:, None])
    return np.where(np.isinf(whole), _LOOSE, 1 / (1 + (whole / _LIMB) ** 2)).T


def _grown(boxes: Array) -> Array:
    margin = sizes(boxes) * _GROWN
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def _longer(boxes: Array) -> Array:
    return np.asarray(np.maximum(*sizes(boxes).T))
