"""How far what an engine says is from what ONNX Runtime says of the same inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TOLERANCE = {"fp32": 0.01, "fp16": 0.03}
"""Largest difference by precision, in parts of what the values of an output reach. In single precision GPUs round
products to 10 bits (TF32), in ONNX Runtime as in TensorRT; in half precision sums are rounded, too."""
_LEAST_SCALE = 0.1
"""Outputs that reach less are compared as if they reached this: small probabilities differ by more of themselves."""
_WIDEST_ROW = 16
_SHARE = 99.0
"""Percentage of the values that must be near: the last few of a list of candidates may be other ones."""


def difference(told: Mapping[str, Array], wanted: Mapping[str, Array]) -> tuple[float, str]:
    """Return how far outputs differ at most, in parts of what their values reach, and which output does.

    An output with three axes and a short last one is a list of things, which equals may leave in another order: its
    columns are compared sorted. So neither place nor order decides there, but what is there and how sure it is.

    Args:
        told: by an engine, on the host.
        wanted: by ONNX Runtime, on the host.

    Returns:
        Infinity where shapes differ, or values are not finite on one side alone.
    """
    worst = 0.0, ""
    for name, right in wanted.items():
        far = _far(told[name], right)
        if far > worst[0] or not worst[1]:
            worst = far, name
    return worst


def _far(told: Array, wanted: Array) -> float:
    if told.shape != wanted.shape:
        return float("inf")
    if not wanted.size:
        return 0.0
    a, b = (np.asarray(one, np.float64) for one in (told, wanted))
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)):
        return float("inf")
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    if b.ndim == 3 and b.shape[2] <= _WIDEST_ROW:
        a, b = (np.sort(one, axis=1).transpose(0, 2, 1).reshape(-1, one.shape[1]) for one in (a, b))
    else:
        a, b = a.reshape(1, -1), b.reshape(1, -1)
    scale = np.maximum(np.abs(b).max(axis=1), _LEAST_SCALE)
    near = np.percentile(np.abs(a - b), _SHARE, axis=1, method="higher")
    peaks = np.abs(a.max(axis=1) - b.max(axis=1))  # the best of a list of candidates, the height of a map
    return float((np.maximum(near, peaks) / scale).max())
