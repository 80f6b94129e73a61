"""Small grey pictures of one place, held against each other: by how much they differ, and how far that is as motion."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CELLS = 4
"""Cells of a patch along each side: what covers part of a thing covers some of them."""
LEAST_GAIN, MOST_GAIN = 0.5, 2.0
"""By how much light may have changed until a patch counts as another one."""


def change(now: Array, before: Array) -> tuple[Array, Array]:
    """Return by how much patches differ (K,), grey levels, and by how much they would if moved by their side (K,).

    The first over the second is how far what they show seems to have moved, in sides, whatever the change is really of:
    motion, noise, or something else in its place. Brighter or darker light is no change. A patch without edges tells
    nothing: its noise is as good as a large motion.

    Args:
        now: (K, side, side) float32.
        before: as many, of the same places.
    """
    now, before = (each - each.mean(axis=(1, 2), keepdims=True) for each in (now, before))
    power = np.maximum(_mean_square(before), 1e-6)
    gain = np.clip((now * before).mean(axis=(1, 2)) / power, LEAST_GAIN, MOST_GAIN)
    levels = np.sqrt(_mean_square(now - gain[:, None, None] * before))
    return levels, np.asarray(np.sqrt(_slope(before, axis=(1, 2))) * now.shape[1])


def share_unmoved(now: Array, before: Array, most: Array) -> Array:
    """Return the share (K,) of what has edges in patches that seems to have moved by `most` at most, in like light.

    What is covered in part is the same in the rest.

    Args:
        now: (K, side, side) float32; the side is a multiple of `CELLS`.
        before: as many, of the same places.
        most: (K,) fractions of the side of a patch.
    """
    side = now.shape[1]
    before, now = _in_cells(before), _in_cells(now)
    slope = _slope(before, axis=(2, 4))
    changed = ((now - before) ** 2).mean(axis=(2, 4))
    # Cells that are flat say nothing; an edge that has moved shows in those beside it.
    slope = slope.reshape(-1, CELLS * CELLS)
    edges = slope >= np.median(slope, axis=1, keepdims=True)
    unmoved = changed.reshape(slope.shape) <= (most[:, None] * side) ** 2 * slope
    return np.asarray((unmoved & edges).sum(axis=1) / np.maximum(edges.sum(axis=1), 1))


def _in_cells(patches: Array) -> Array:
    """Return patches (K, side, side) as (K, cells, side of one, cells, side of one)."""
    cell = patches.shape[1] // CELLS
    return patches.reshape(-1, CELLS, cell, CELLS, cell)


def _mean_square(patches: Array) -> Array:
    return np.asarray((patches * patches).mean(axis=(1, 2)))


def _slope(patches: Array, axis: tuple[int, int]) -> Array:
    """Return the mean square of the slope along any one direction: grey levels a pixel, squared."""
    squares = [(np.diff(patches, axis=one) ** 2).mean(axis=axis) for one in axis]
    return np.asarray((squares[0] + squares[1]) / 2)
