"""The functions for arrays of some kind, so that the same maths run where the arrays are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np


def namespace(array: Any) -> Any:
    """Return the functions for arrays like this one: the namespace of the array API standard, version 2024.12.

    An array that does not name its namespace, as those of cupy 14, has that of the package it comes from.
    """
    named = getattr(array, "__array_namespace__", None)
    return named() if named is not None else sys.modules[type(array).__module__.partition(".")[0]]


def picked(arrays: Sequence[Any], rows: np.ndarray[Any, np.dtype[Any]]) -> list[Any]:
    """Return the rows of arrays of one namespace, where the arrays are.

    Args:
        arrays: each (N, ...).
        rows: on the host, (M,) int indices or an (N,) bool mask.

    Returns:
        Each (M, ...). Rows that follow one another cost a device nothing: they are that part of the array itself.
    """
    if all(isinstance(array, np.ndarray) for array in arrays):
        return [array[rows] for array in arrays]
    index = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
    first = int(index[0]) if len(index) else 0
    if first >= 0 and np.array_equal(index, np.arange(first, first + len(index))):
        return [array[first : first + len(index), ...] for array in arrays]
    xp = namespace(arrays[0])
    there = xp.asarray(index)
    return [xp.take(array, there, axis=0) for array in arrays]
