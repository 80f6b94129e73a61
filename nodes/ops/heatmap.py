"""Heat maps (N, h, w): their cells made even, where the peak is, finer than a cell, and where the weight lies."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_LEAST = 1e-6
"""Values are taken for at least this before a logarithm."""


def cell_centres(count: int) -> Array:
    """Return where the centres of `count` even cells lie along an axis of the frame: (count,) float64 fractions."""
    return (np.arange(count) + 0.5) / count


def kept_cells(count: int, source_count: int) -> Array:
    """Return which cells (count,) int64 of an axis are left when `source_count` are thinned to `count`.

    Cell i is taken from cell `floor(i · source / count)`, and the cells between are dropped: resizing to the nearest
    as ONNX does it, asymmetric and rounded down.
    """
    return np.arange(count) * source_count // count


def evened(maps: Array, source_wh: tuple[int, int]) -> Array:
    """Return thinned maps (N, h, w), 0 to 1, with all the cells that they had before: (N, H, W) float32.

    The last step of Gaze-LLE-DINOv3 files drops every fifth row and column of the map, so that its cells are not even.
    Cells that are left stay as they are; each dropped one is filled in by the cubic through the two on either side of
    it, at the end of the map by a line.

    Args:
        maps: (N, h, w), 0 or more.
        source_wh: columns W and rows H of the map before it was thinned, not fewer than it has now.
    """
    high, wide = maps.shape[1:]
    down, across = _filling(high, source_wh[1]), _filling(wide, source_wh[0])
    even: Array = down @ maps.astype(np.float32, copy=False) @ across.T
    return np.clip(even, 0, 1, out=even)


def in_frame_by_peak(maps: Array, even_at: float, slope: float) -> Array:
    """Return the probability (N,) float32 that what is looked at is in the frame, by the peaks of maps (N, h, w).

    A logistic function of the log-odds of the peak: training on targets in the frame alone leaves peaks low where
    there is nothing to be found.

    Args:
        maps: 0 to 1.
        even_at: height of the peak for a probability of a half.
        slope: of the log-odds of the probability over those of the peak.
    """
    height = maps.max(axis=(1, 2)).astype(np.float64)
    return np.asarray(1 / (1 + np.exp(-slope * (log_odds(height) - log_odds(even_at)))), np.float32)


def log_odds(share: Any) -> Any:
    """Return the logarithm of share over rest, of numbers or arrays from 0 to 1, never infinite."""
    kept = np.clip(share, _LEAST, 1 - _LEAST)
    return np.log(kept / (1 - kept))


def peaks(maps: Array) -> tuple[Array, Array, Array]:
    """Return row (N,), column (N,) and height (N,) of the highest cell of each map (N, h, w); the first of equals."""
    flat = maps.reshape(len(maps), -1)
    best = flat.argmax(axis=1)
    return best // maps.shape[2], best % maps.shape[2], flat[np.arange(len(maps)), best]


def refined_peaks(maps: Array, x: Array, y: Array) -> Array:
    """Return the peaks (N, 2) of maps between the cells, as x, y.

    Along each axis the parabola through the logarithms of the highest cell and its two neighbours has its top there:
    exact for a Gaussian hill, never more than half way to a neighbour. At the edge of the map it is the cell's centre.

    Args:
        maps: (N, h, w), 0 or more.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
    """
    row, column, _ = peaks(maps)
    every = np.arange(len(maps))
    rows, columns = _around(row, len(y)), _around(column, len(x))  # (N, 3)
    across = np.log(np.maximum(maps[every[:, None], row[:, None], columns], _LEAST))
    down = np.log(np.maximum(maps[every[:, None], rows, column[:, None]], _LEAST))
    return np.stack([_top(across, x[columns]), _top(down, y[rows])], axis=1)


def hills(maps: Array, x: Array, y: Array, floor: float) -> tuple[Array, Array]:
    """Return centre of weight (N, 2) and standard deviation (N, 2), as x, y, of the high cells of each map.

    A cell's weight lies evenly over the cell, so that even a single one has a spread.

    Args:
        maps: (N, h, w), 0 or more.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
        floor: cells not lower than this share of their map's peak count.
    """
    weight = np.where(maps >= floor * maps.max(axis=(1, 2), keepdims=True), maps, 0).astype(np.float64)
    weight = np.maximum(weight, np.finfo(np.float64).tiny)  # a map of zeros has its centre in the middle
    total = weight.sum(axis=(1, 2))[:, None]
    across, down = weight.sum(axis=1) / total, weight.sum(axis=2) / total
    centre = np.stack([across @ x, down @ y], axis=1)
    apart = np.stack([_variance(across, x, centre[:, 0]), _variance(down, y, centre[:, 1])], axis=1)
    cell = np.array([1 / len(x), 1 / len(y)])
    return centre, np.sqrt(apart + cell**2 / 12)


@cache
def _filling(count: int, source_count: int) -> Array:
    """Return the weights (source_count, count) float32 that fill in a thinned axis; not to be written to."""
    kept = kept_cells(count, source_count)
    weights = np.zeros((source_count, count), np.float32)
    for cell in range(source_count):
        above = int(np.searchsorted(kept, cell))
        if above < count and kept[above] == cell:
            weights[cell, above] = 1
            continue
        reach = 2 if 2 <= above <= count - 2 else 1  # at the ends there are no two on either side: a line has to do
        near = np.arange(min(2 * reach, count)) + np.clip(above - reach, 0, max(count - 2 * reach, 0))
        for one in near:
            rest = kept[near[near != one]]
            weights[cell, one] = np.prod((cell - rest) / (kept[one] - rest))
    weights.flags.writeable = False
    return weights


def _variance(share: Array, places: Array, centre: Array) -> Array:
    """Return the variances (N,) of shares (N, K) at places (K,) about centres (N,)."""
    return np.asarray((share * (places - centre[:, None]) ** 2).sum(axis=1))


def _around(index: Array, count: int) -> Array:
    """Return index - 1, index, index + 1 as (N, 3); all three the index itself at the ends of 0..count - 1."""
    step = ((index > 0) & (index < count - 1)).astype(np.int64)
    return np.asarray(index[:, None] + step[:, None] * np.array([-1, 0, 1]))


def _top(values: Array, places: Array) -> Array:
    """Return where (N,) parabolas through three values (N, 3) at rising places (N, 3) have their tops.

    The slope of a parabola between two of its points is that half way between them; the top is where it is 0.
    """
    gaps = np.diff(places, axis=1)
    slopes = np.diff(values, axis=1) / np.where(gaps > 0, gaps, 1)
    halves = (places[:, :-1] + places[:, 1:]) / 2
    bend = slopes[:, 0] - slopes[:, 1]
    share = np.divide(slopes[:, 0], bend, out=np.full(len(bend), 0.5), where=bend > 0)
    flat = (gaps[:, 0] <= 0) | (bend <= 0)
    return np.where(flat, places[:, 1], halves[:, 0] + share * (halves[:, 1] - halves[:, 0]))
