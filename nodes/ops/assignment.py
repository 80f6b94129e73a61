"""One-to-one assignment in which staying alone is allowed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

Solver = Literal["scipy", "lap"]
"""Both find the best assignment. `lap` is an extra to install, and worth it for some hundred people in a picture."""


def assign(gain: Array, solver: Solver = "scipy") -> tuple[Array, Array]:
    """Pair rows with columns so that the pairs gain most in total; pairs that gain nothing are never made.

    So one good pair is not broken up for two bad ones unless these gain more together. Method: Kuhn-Munkres, as
    `scipy.optimize.linear_sum_assignment`, or Jonker-Volgenant, as `lap.lapjv`.

    Args:
        gain: (N, M), finite: what a pair is worth, over what it must be worth.
        solver: which library finds it. Of assignments that gain the same, they may find different ones.

    Returns:
        Row indices and column indices (K,) int64 of the pairs, rows rising.
    """
    gain = np.maximum(gain, 0)
    if not gain.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if solver == "lap":
        rows, cols = _by_lap(gain)
    else:
        from scipy.optimize import linear_sum_assignment

        rows, cols = linear_sum_assignment(gain, maximize=True)
    paired = gain[rows, cols] > 0
    return rows[paired].astype(np.int64, copy=False), cols[paired].astype(np.int64, copy=False)


def load(solver: Solver) -> None:
    """Import what `assign` needs, so that the first frame does not wait for it.

    Raises:
        ModuleNotFoundError: `lap` is not installed.
    """
    if solver == "lap":
        import lap  # noqa: F401
    else:
        import scipy.optimize  # noqa: F401


def _by_lap(gain: Array) -> tuple[Array, Array]:
    import lap

    _, column, _ = lap.lapjv(-gain, extend_cost=True)
    rows = np.flatnonzero(column >= 0)
    return rows, column[rows]
