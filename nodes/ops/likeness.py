"""How likely a person found in a frame is a person followed so far, by place and size alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.association import fit_in_body
from nodes.ops.boxes import sizes

Array = np.ndarray[Any, np.dtype[Any]]

HEAD, BODY = 0, 1
_HEAD_SLACK = 0.25
"""Growth of heads on every side, in their own sizes: heads are small and turn, so they miss each other easily."""
_CERTAINTY_POWER = 0.25
"""Being in a place four times as large counts for this power of a quarter: about 0.7."""
_OTHER_PART = 0.7
"""Weight of the evidence when one side shows only the head and the other only the body."""


def likeness(expected: Array, spread: Array, found: Array) -> Array:
    """Return the likeness (N, M) of N expected and M found people: 0 apart to 1 equal.

    Where both have a head or both have a body, it is the mean over these parts of the overlap (IoU) of the two boxes,
    both grown by the uncertainty of the expectation: a person lost for a second, or followed at two frames a second, is
    looked for in a wider place, but to be found there also proves less. Where they share no part, it is how well the
    head of the one fits the body of the other. Buffered overlap after Yang et al., "Hard to track objects…", WACV 2023;
    the rest is ours.

    Args:
        expected: (N, 2, 4) boxes of head and body, NaN unknown.
        spread: (N, 2, 2) standard deviation of their places in x and y, NaN unknown.
        found: (M, 2, 4) boxes of head and body, NaN unseen. Same space.
    """
    has, seen = ~np.isnan(expected[..., 0]), ~np.isnan(found[..., 0])  # (N, 2), (M, 2)
    total = np.zeros((len(expected), len(found)))
    parts = np.zeros_like(total)
    for part, slack in ((HEAD, _HEAD_SLACK), (BODY, 0.0)):
        total += _overlap(expected[:, part], spread[:, part], found[:, part], slack)
        parts += has[:, None, part] & seen[None, :, part]
    apart = parts == 0
    if apart.any():
        ours_in_theirs = np.nan_to_num(fit_in_body(expected[:, HEAD], found[:, BODY]))
        theirs_in_ours = np.nan_to_num(fit_in_body(found[:, HEAD], expected[:, BODY])).T
        total[apart] = _OTHER_PART * np.maximum(ours_in_theirs, theirs_in_ours)[apart]
    return total / np.maximum(parts, 1)


def _overlap(expected: Array, spread: Array, found: Array, slack: float) -> Array:
    """Return the overlap (N, M) of boxes (N, 4) and (M, 4), 0 for NaN.

    Args:
        expected: (N, 4).
        spread: (N, 2) margin about both boxes of a pair, in x and y.
        found: (M, 4).
        slack: margin about each box, in its own sizes.
    """
    margin = 2 * spread[:, None]  # (N, 1, 2)
    size_a, size_b = sizes(expected), sizes(found)
    low = np.maximum((expected[:, :2] - slack * size_a)[:, None], found[:, :2] - slack * size_b)
    high = np.minimum((expected[:, 2:] + slack * size_a)[:, None], found[:, 2:] + slack * size_b)
    shared = np.maximum(high - low + margin, 0).prod(axis=2)  # (N, M)
    area_a = ((1 + 2 * slack) * size_a[:, None] + margin).prod(axis=2)  # (N, 1)
    area_b = ((1 + 2 * slack) * size_b + margin).prod(axis=2)  # (N, M)
    certainty = (((1 + 2 * slack) ** 2 * size_a.prod(axis=1))[:, None] / area_a) ** _CERTAINTY_POWER
    return np.asarray(np.nan_to_num(certainty * shared / (area_a + area_b - shared)))
