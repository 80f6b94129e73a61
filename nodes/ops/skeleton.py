"""Which joints a bone joins: the nearest ones of one person, none twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.anatomy import BONES

Array = np.ndarray[Any, np.dtype[Any]]


def bones_between(labels: Array, points: Array, person: Array, reach: Array) -> tuple[Array, Array]:
    """Join joints by bones: of all pairs that may be joined, the shortest first, until none is left.

    A joint is the child of one bone of each kind; of how many it is the parent, `ops.anatomy` says.

    Args:
        labels: (N,) classes.
        points: (N, 2) where the joints are, in units that are the same along both axes.
        person: (N,) whose they are, from 0.
        reach: (P,) per person, in the units of the points: a bone of a length of 1 stature is not longer than this.

    Returns:
        Rows of the parents and of the children (K,) int64: by person, by kind of bone, shortest first.

    Ref: greedy by distance as in the demo of DEIMv2-Wholebody34, whose fixed 300 px are a length of the body here.
    """
    found = [_pairs(labels, person, bone.parent, bone.child) for bone in BONES]
    kind = np.repeat(np.arange(len(BONES)), [len(parent) for parent, _ in found])
    parent, child = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    length = np.linalg.norm(points[parent] - points[child], axis=1)
    limits = np.array([bone.length for bone in BONES])[kind] * reach[person[parent]]
    near = np.flatnonzero(length <= limits)
    near = near[np.argsort(length[near], kind="stable")]
    kind, parent, child = kind[near], parent[near], child[near]
    ends = kind * len(labels) + np.stack([parent, child])  # a joint takes part in each kind of bone anew
    kept = _greedy(ends[0], ends[1], np.array([bone.per_parent for bone in BONES])[kind])
    kept = kept[np.lexsort((kept, kind[kept], person[parent[kept]]))]
    return parent[kept], child[kept]


def reach_of(boxes: Array, heads: Array, person: Array, count: int, head_heights: float) -> Array:
    """Return the statures (count,) of people as they show in the picture.

    The longer of the diagonal of all that is seen of somebody, and so many heights of the head: people sit, bend, and
    stand behind counters.

    Args:
        boxes: (N, 4) of parts, in units that are the same along both axes.
        heads: (N,) bool: which of them are heads.
        person: (N,) whose they are, from 0.
        count: people.
        head_heights: stature in heights of a head.
    """
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, person, boxes[:, :2])
    np.maximum.at(high, person, boxes[:, 2:])
    stature: Array = np.linalg.norm(np.maximum(high - low, 0), axis=1)
    np.maximum.at(stature, person[heads], head_heights * (boxes[heads, 3] - boxes[heads, 1]))
    return stature


def isotropic(boxes: Array, aspect: Array) -> Array:
    """Return boxes (N, 4) of fractions of frames in heights of their frame (N, 4) float64, along both axes.

    Args:
        boxes: (N, 4).
        aspect: (N,) width of each frame over its height.
    """
    scaled: Array = boxes.astype(np.float64) * np.stack([aspect, np.ones_like(aspect)] * 2, axis=1)
    return scaled


def _pairs(labels: Array, person: Array, parent: int, child: int) -> tuple[Array, Array]:
    """Return the rows (K,), (K,) of all pairs of a parent and a child of one person."""
    parents, children = np.flatnonzero(labels == parent), np.flatnonzero(labels == child)
    children = children[np.argsort(person[children], kind="stable")]
    first = np.searchsorted(person[children], person[parents], "left")
    count = np.searchsorted(person[children], person[parents], "right") - first
    begin = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) if len(parents) else first
    return np.repeat(parents, count), children[begin + np.arange(count.sum())]


def _greedy(parent: Array, child: Array, most: Array) -> Array:
    """Return which pairs (K,), best first, are taken when each child is taken once, a parent as often as it may be.

    In rounds: a pair that comes first among the rest of both its ends is taken whatever becomes of the others.
    """
    taken: list[Array] = []
    uses = np.zeros(parent.max(initial=-1) + 1, np.int64)
    left = np.arange(len(parent))
    while len(left):
        first = np.zeros(len(left), np.bool_)
        first[np.unique(parent[left], return_index=True)[1]] = True
        best = np.zeros(len(left), np.bool_)
        best[np.unique(child[left], return_index=True)[1]] = True
        won = left[first & best]
        taken.append(won)
        uses[parent[won]] += 1
        left = left[~np.isin(child[left], child[won])]
        left = left[uses[parent[left]] < most[left]]
    return np.concatenate(taken) if taken else left
