"""How likely a person found in a frame is a person followed so far: by place and size, and by looks where known."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.association import fit_in_body

Array = np.ndarray[Any, np.dtype[Any]]

HEAD, BODY = 0, 1
_SLACK = np.array([[0.25], [0.0]])
"""Growth of heads and bodies on every side, in their own sizes: heads are small and turn, so they miss each other."""
_CERTAINTY_POWER = 0.25
"""Being in a place four times as large counts for this power of a quarter: about 0.7."""
_WEIGHT = np.array([0.4, 0.6])
"""Of heads and bodies: bodies are larger, so that their overlap says more."""
_OTHER_PART = 0.7
"""Weight of the evidence when one side shows only the head and the other only the body."""


def likeness(expected: Array, spread: Array, found: Array) -> Array:
    """Return the likeness (N, M) of N expected and M found people: 0 apart to 1 equal.

    Where both have a head or both have a body, it is the mean over these parts, the body counting more, of the overlap
    (IoU) of the two boxes times the ratio of their heights. Boxes are grown by the uncertainty of the expectation: a
    person lost for a second, or followed at two frames a second, is looked for in a wider place, but to be found there
    also proves less. Where they share no part, it is how well the head of the one fits the body of the other. Buffered
    overlap after Yang et al., "Hard to track objects…", WACV 2023; heights after Yang et al., "Hybrid-SORT", AAAI 2024;
    the rest is ours.

    Args:
        expected: (N, 2, 4) boxes of head and body, NaN unknown.
        spread: (N, 2, 2) standard deviation of their places in x and y, NaN unknown.
        found: (M, 2, 4) boxes of head and body, NaN unseen. Same space.
    """
    known, seen = ~np.isnan(expected[..., 0]), ~np.isnan(found[..., 0])
    known_of, seen_of = ([np.count_nonzero(these[:, part]) for part in (HEAD, BODY)] for these in (known, seen))
    for part in (HEAD, BODY):
        if not seen_of[1 - part] and known_of[part] == len(known) and seen_of[part] == len(seen):
            return _overlap(expected, spread, found, part)  # nobody lacks the one part that all are compared by
    weight = np.zeros((len(expected), len(found)))
    alike = np.zeros_like(weight)
    for part in (HEAD, BODY):
        both = (known[:, part, None] & seen[:, part]) * _WEIGHT[part]
        weight += both
        alike += both * np.nan_to_num(_overlap(expected, spread, found, part))
    alike /= np.maximum(weight, 1e-9)
    apart = weight == 0
    if apart.any():
        ours_in_theirs = np.fmax(fit_in_body(expected[:, HEAD], found[:, BODY]), 0)
        theirs_in_ours = np.fmax(fit_in_body(found[:, HEAD], expected[:, BODY]), 0).T
        alike[apart] = _OTHER_PART * np.maximum(ours_in_theirs, theirs_in_ours)[apart]
    return alike


def resemblance(ours: Array, theirs: Array) -> Array:
    """Return how much people look alike: (N, M) cosines of unit vectors (N, D) and (M, D), NaN where one is all 0."""
    cosines = ours @ theirs.T
    cosines[~ours.any(axis=1)] = np.nan
    cosines[:, ~theirs.any(axis=1)] = np.nan
    return np.asarray(cosines)


def _overlap(expected: Array, spread: Array, found: Array, part: int) -> Array:
    """Return the overlap (N, M) of the grown boxes of one part, times the ratio of their heights; NaN where one is."""
    low_a, high_a = _corners(expected[:, part], part)  # (2, N)
    low_b, high_b = _corners(found[:, part], part)  # (2, M)
    side_a, side_b = high_a - low_a, high_b - low_b
    margin = 2 * spread[:, part].T  # (2, N)
    grown = side_a + margin
    shared = np.minimum(high_a[:, :, None], high_b[:, None])
    shared -= np.maximum(low_a[:, :, None], low_b[:, None])
    shared += margin[:, :, None]
    np.maximum(shared, 0, out=shared)
    area = shared[0] * shared[1]  # (N, M)
    area_a = grown[0] * grown[1]
    union = side_b[:, None] + margin[:, :, None]
    union = union[0] * union[1]
    union += area_a[:, None]
    union -= area
    area *= ((side_a[0] * side_a[1] / area_a) ** _CERTAINTY_POWER)[:, None]
    area /= union
    area *= np.minimum(side_a[1][:, None], side_b[1])
    area /= np.maximum(side_a[1][:, None], side_b[1])
    return np.asarray(area)


def _corners(boxes: Array, part: int) -> tuple[Array, Array]:
    """Return lower and upper corners (2, N) of boxes (N, 4), pushed out by the slack of their part."""
    low, high = boxes[:, :2].T, boxes[:, 2:].T
    if not _SLACK[part, 0]:
        return low, high
    slack = _SLACK[part] * (high - low)
    return low - slack, high + slack
