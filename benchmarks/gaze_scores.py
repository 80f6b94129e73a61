"""How well gaze maps point, as the VideoAttentionTarget benchmark counts it.

Ref: Chong et al., "Detecting Attended Visual Targets in Video", CVPR 2020, and the evaluation of Gaze-LLE (Ryan et al.,
CVPR 2025): maps of 64 × 64 cells, a square of cells about the target as positives, the first highest cell as the point,
all in fractions of the frame without regard to its aspect.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CELLS = 64
REACH = 9
APART, RADIUS = 0.15, 0.05
"""Distance and size of the two round areas of `pair_won`, in frame widths."""


def to_cells(heat: Array) -> Array:
    """Return a map (h, w) as (64, 64), stretched bilinearly where it has another size."""
    if heat.shape == (CELLS, CELLS):
        return heat
    import cv2

    return np.asarray(cv2.resize(heat, (CELLS, CELLS), interpolation=cv2.INTER_LINEAR))


def positives(target: Array) -> Array:
    """Return the cells (64, 64) bool that count as looked at, for a target (2,) as x, y in fractions.

    19 × 19 cells away from the borders; the last row and the last column never count.
    """
    columns, rows = (
        slice(max(0, int(at - REACH)), min(int(at + REACH + 1), CELLS - 1)) for at in (CELLS * float(v) for v in target)
    )
    made = np.zeros((CELLS, CELLS), bool)
    made[rows, columns] = True
    return made


def area_under_roc(positive: Array, score: Array) -> float:
    """Return the chance that a positive outscores a negative, ties counting half.

    By the rank sum (Mann and Whitney, 1947), equal scores sharing the mean of their ranks.

    Args:
        positive: (N,) bool, both kinds present.
        score: (N,).
    """
    _, group, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[group]  # ranks count from 1
    hits = int(positive.sum())
    return float((rank[positive].sum() - hits * (hits + 1) / 2) / (hits * (len(positive) - hits)))


def average_precision(positive: Array, score: Array) -> float:
    """Return the area under the precision-recall curve, in steps: Σ (Rₙ − Rₙ₋₁) Pₙ over falling thresholds.

    Args:
        positive: (N,) bool, at least one.
        score: (N,); rows of equal score fall under the threshold together.
    """
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(positive[order])
    last = np.append(score[order][1:] != score[order][:-1], True)  # of its threshold
    recall, precision = found[last] / found[-1], (found / np.arange(1, len(order) + 1))[last]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def gaze_auc(heat: Array, target: Array) -> float:
    """Return the area under the ROC curve of a map (64, 64) for a target (2,) inside the frame."""
    return area_under_roc(positives(target).ravel(), heat.ravel())


def peak_distance(heat: Array, target: Array) -> float:
    """Return how far the first highest cell of a map (64, 64), by its upper left corner, is from the target."""
    row, column = divmod(int(heat.argmax()), CELLS)
    return float(np.hypot(column / CELLS - target[0], row / CELLS - target[1]))


def centroid_distance(heat: Array, target: Array) -> float:
    """Return how far the centre of weight of a map (64, 64) is from the target."""
    middles = (np.arange(CELLS) + 0.5) / CELLS
    weight = heat.astype(np.float64) + np.finfo(np.float64).tiny  # a map of zeros has its centre in the middle
    weight /= weight.sum()
    return float(np.hypot(weight.sum(axis=0) @ middles - target[0], weight.sum(axis=1) @ middles - target[1]))


def rival_spot(target: Array, size_wh: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return a point (2,) `APART` from a target in a random direction, its round area whole within the frame.

    Args:
        target: (2,) in fractions of the frame, inside it.
        size_wh: size of the frame; of it only the aspect counts.
        rng: source of the direction.

    Raises:
        ValueError: the frame is too flat or too tall for any such point.
    """
    per_width = np.array([1.0, size_wh[0] / size_wh[1]])  # fractions of the frame for one frame width
    angles = rng.uniform(0, 2 * np.pi, 256)
    spots = target + APART * per_width * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    edge = RADIUS * per_width
    inside = np.flatnonzero(((spots >= edge) & (spots <= 1 - edge)).all(axis=1))
    if not len(inside):
        raise ValueError(f"rival_spot: expected room for a second area, got target {target!r} in a frame {size_wh!r}")
    return np.asarray(spots[inside[0]])


def pair_won(heat: Array, target: Array, rival: Array, size_wh: tuple[int, int]) -> bool:
    """Say whether more of a map (64, 64) lies in the round area about a target (2,) than in that about a rival (2,).

    Cells count whole when their middles are within `RADIUS`; a tie is lost.
    """
    middles = (np.arange(CELLS) + 0.5) / CELLS
    x, y = np.meshgrid(middles, middles * size_wh[1] / size_wh[0])
    masses = []
    for point in (target, rival):
        within = np.hypot(x - point[0], y - point[1] * size_wh[1] / size_wh[0]) <= RADIUS
        masses.append(float(heat[within].sum(dtype=np.float64)))
    return masses[0] > masses[1]
