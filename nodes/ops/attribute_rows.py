"""Rows of a whole-body detector that say something of another row, such as `male` of a body: whose they are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from nodes.ops.assignment import assign
from nodes.ops.boxes import centres, iou, sizes
from nodes.ops.detected import Rows
from nodes.ops.wholebody import ATTRIBUTES, BODY, HAND, HEAD, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

_LABELS = [NAMES.index(name) for name in ATTRIBUTES]
IS_ATTRIBUTE = np.isin(np.arange(len(NAMES)), _LABELS)
"""(labels,) bool."""
_COLUMN = np.full(len(NAMES), -1)
_COLUMN[_LABELS] = np.arange(len(_LABELS))
"""Column of an attribute in `attribute_scores`, by its label."""
_OWNER = np.full(len(NAMES), -1)
_OWNER[_LABELS] = [BODY] * 4 + [HEAD] * 8 + [HAND] * 2
"""Label of what an attribute is said of, by the label of the attribute."""

_CLOSENESS, _SURENESS = 1e-3, 1e-5
"""Worth of equal centres, and of a full score, beside that of an equal box: they decide between overlaps that are as
good as the same."""


def joined(owners: Rows, rows: Rows, min_iou: float) -> Array:
    """Return what attribute rows say of bodies, heads and hands: scores (N, 14), 0 where nothing is said.

    For each attribute, rows and owners are paired one to one so that the total overlap is largest. Rows nearly always
    repeat the very box of their owner; of overlaps that are as good as the same, the centre decides that is nearer in
    sizes of the owner. Nothing depends on the size of the picture. Of rows with the same box the best counts.

    Args:
        owners: N things of one frame.
        rows: attributes of that frame.
        min_iou: overlap from which a row may belong to a thing.
    """
    scores = np.zeros((len(owners.label), len(ATTRIBUTES)), np.float32)
    if not len(rows.label):
        return scores
    spoken_of = np.flatnonzero((owners.label == BODY) | (owners.label == HEAD) | (owners.label == HAND))
    if len(spoken_of):
        scores[spoken_of] = _joined(owners.take(spoken_of), rows, min_iou)
    return scores


def _joined(owners: Rows, rows: Rows, min_iou: float) -> Array:
    """Return the same of bodies, heads and hands alone, one or more, and one row or more."""
    scores = np.zeros((len(owners.label), len(ATTRIBUTES)), np.float32)
    worth = _worth(owners, rows, min_iou)  # (N, M)
    whose = worth.argmax(axis=0)
    said = worth[whose, np.arange(len(whose))] > 0
    place = (rows.label * len(owners.label) + whose)[said].tolist()
    # Where each row has a favourite of its own, nothing gains more than that.
    wanted_twice: set[int] = set()
    if len(set(place)) < len(place):
        wanted_twice = {one // len(owners.label) for one, count in Counter(place).items() if count > 1}
        said &= ~np.isin(rows.label, list(wanted_twice))
    scores[whose[said], _COLUMN[rows.label[said]]] = rows.score[said]
    for label in wanted_twice:
        row = np.flatnonzero(rows.label == label)
        owner, which = assign(worth[:, row])
        scores[owner, _COLUMN[label]] = rows.score[row[which]]
    return scores


def _worth(owners: Rows, rows: Rows, min_iou: float) -> Array:
    """Return what each pair is worth (N, M) float64: 0 below the overlap, and for things such rows are not said of."""
    overlap = iou(owners.box, rows.box)
    side = np.maximum(sizes(owners.box).max(axis=1), np.finfo(np.float32).tiny)
    apart = np.hypot(*(centres(owners.box)[:, None] - centres(rows.box)[None]).transpose(2, 0, 1)) / side[:, None]
    finer = _CLOSENESS * np.maximum(1 - apart, 0) + _SURENESS * rows.score.astype(np.float64)
    meant = (owners.label[:, None] == _OWNER[rows.label]) & (overlap >= np.float32(min_iou))
    return np.asarray(np.where(meant, overlap + finer, 0))
