"""How likely a person found in a frame is a person followed so far, by place and size alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.association import fit_in_body

Array = np.ndarray[Any, np.dtype[Any]]

HEAD, BODY = 0, 1
_SLACK = np.array([0.25, 0.0])
"""Growth of heads and bodies on every side, in their own sizes: heads are small and turn, so they miss each other."""
_CERTAINTY_POWER = 0.25
"""Being in a place four times as large counts for this power of a quarter: about 0.7."""
_WEIGHT = np.array([0.4, 0.6])
"""Of heads and bodies: bodies are larger, so that their overlap says more."""
_OTHER_PART = 0.7
"""Weight of the evidence when one side shows only the head and the other only the body."""


def likeness(expected: Array, spread: Array, found: Array) -> Array:
    """Return the likeness (N, M) of N expected and M found people: 0 apart to 1 equal.

    Where both have a head or both have a body, it is the mean over these parts of the overlap (IoU) of the two boxes,
    the body counting more, both grown by the uncertainty of the expectation: a person lost for a second, or followed
    at two frames a second, is looked for in a wider place, but to be found there also proves less. Where they share no
    part, it is how well the head of the one fits the body of the other. Buffered overlap after Yang et al., "Hard to
    track objects…", WACV 2023; the rest is ours.

    Args:
        expected: (N, 2, 4) boxes of head and body, NaN unknown.
        spread: (N, 2, 2) standard deviation of their places in x and y, NaN unknown.
        found: (M, 2, 4) boxes of head and body, NaN unseen. Same space.
    """
    weight = (~np.isnan(expected[:, None, :, 0]) & ~np.isnan(found[:, :, 0])) @ _WEIGHT  # (N, M)
    alike = _overlap(expected, spread, found) @ _WEIGHT / np.maximum(weight, 1e-9)
    apart = weight == 0
    if apart.any():
        ours_in_theirs = np.fmax(fit_in_body(expected[:, HEAD], found[:, BODY]), 0)
        theirs_in_ours = np.fmax(fit_in_body(found[:, HEAD], expected[:, BODY]), 0).T
        alike[apart] = _OTHER_PART * np.maximum(ours_in_theirs, theirs_in_ours)[apart]
    return np.asarray(alike)


def _overlap(expected: Array, spread: Array, found: Array) -> Array:
    """Return the overlap (N, M, 2) of the grown boxes of heads and of bodies, 0 where one is NaN."""
    margin = 2 * spread[:, None]  # (N, 1, 2, 2)
    low_a, high_a = _with_slack(expected)
    low_b, high_b = _with_slack(found)
    side_a, side_b = high_a - low_a, high_b - low_b
    shared = np.minimum(high_a[:, None], high_b) - np.maximum(low_a[:, None], low_b) + margin  # (N, M, 2, 2)
    area = _product(np.maximum(shared, 0))  # (N, M, 2)
    area_a, area_b = _product(side_a[:, None] + margin), _product(side_b + margin)
    certainty = (_product(side_a[:, None]) / area_a) ** _CERTAINTY_POWER
    return np.asarray(np.fmax(certainty * area / (area_a + area_b - area), 0))


def _with_slack(boxes: Array) -> tuple[Array, Array]:
    """Return lower and upper corners (N, 2, 2) of the boxes (N, 2, 4) of both parts, pushed out by their slack."""
    low, high = boxes[..., :2], boxes[..., 2:]
    slack = _SLACK[:, None] * (high - low)
    return low - slack, high + slack


def _product(sides: Array) -> Array:
    """Return the areas (...) of sides (..., 2)."""
    return np.asarray(sides[..., 0] * sides[..., 1])
