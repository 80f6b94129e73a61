"""Rows of a whole-body detector that say something of another row, such as `male` of a body: whose they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.assignment import assign
from nodes.ops.boxes import centres, iou, sizes
from nodes.ops.detected import Rows
from nodes.ops.wholebody import ATTRIBUTES, BODY, HAND, HEAD, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

OWNER = {NAMES.index(name): BODY if k < 4 else HEAD if k < 12 else HAND for k, name in enumerate(ATTRIBUTES)}
"""Label of what an attribute is said of, by the label of the attribute."""
COLUMN = {NAMES.index(name): k for k, name in enumerate(ATTRIBUTES)}
"""Column of an attribute in `attribute_scores`, by its label."""
IS_ATTRIBUTE = np.isin(np.arange(len(NAMES)), list(OWNER))
"""(labels,) bool."""

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
    if not len(rows.label) or not len(owners.label):
        return scores
    worth = _worth(owners.box, rows, min_iou)
    for label in np.unique(rows.label).tolist():
        owner, row = np.flatnonzero(owners.label == OWNER[label]), np.flatnonzero(rows.label == label)
        whose, which = assign(worth[np.ix_(owner, row)])
        scores[owner[whose], COLUMN[label]] = rows.score[row[which]]
    return scores


def _worth(owners: Array, rows: Rows, min_iou: float) -> Array:
    """Return what each pair is worth (N, M) float64: 0 below the overlap that is wanted."""
    overlap = iou(owners, rows.box)
    side = np.maximum(sizes(owners).max(axis=1), np.finfo(np.float32).tiny)
    apart = np.hypot(*(centres(owners)[:, None] - centres(rows.box)[None]).transpose(2, 0, 1)) / side[:, None]
    finer = _CLOSENESS * np.maximum(1 - apart, 0) + _SURENESS * rows.score.astype(np.float64)
    return np.asarray(np.where(overlap >= np.float32(min_iou), overlap + finer, 0))
