"""One-to-one assignment in which staying alone is allowed."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def assign(gain: Array) -> tuple[Array, Array]:
    """Pair rows with columns so that the pairs gain most in total; pairs that gain nothing are never made.

    So one good pair is not broken up for two bad ones unless these gain more together. Method: Kuhn-Munkres, as
    `scipy.optimize.linear_sum_assignment`.

    Args:
        gain: (N, M), finite: what a pair is worth, over what it must be worth.

    Returns:
        Row indices and column indices (K,) int64 of the pairs, rows rising.
    """
    gain = np.maximum(gain, 0)
    if not gain.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    from scipy.optimize import linear_sum_assignment

    rows, cols = linear_sum_assignment(gain, maximize=True)
    paired = gain[rows, cols] > 0
    return rows[paired].astype(np.int64), cols[paired].astype(np.int64)
