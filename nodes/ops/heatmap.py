"""Heat maps (N, h, w): their cells made even, where the peak is, finer than a cell, and where the weight lies.

All of it runs where the maps are, on the host or on a device.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np

from pipeline.namespaces import namespace

Array = np.ndarray[Any, np.dtype[Any]]

_LEAST = 1e-6
"""Values are taken for at least this before a logarithm."""


def cell_centres(count: int, xp: Any = np) -> Any:
    """Return where the centres of `count` even cells lie along an axis of the frame: (count,) float64 fractions.

    Args:
        count: of cells.
        xp: namespace of the array to be made.
    """
    return (xp.arange(count, dtype=xp.float64) + 0.5) / count


def kept_cells(count: int, source_count: int) -> Array:
    """Return which cells (count,) int64 of an axis are left when `source_count` are thinned to `count`.

    Cell i is taken from cell `floor(i · source / count)`, and the cells between are dropped: resizing to the nearest
    as ONNX does it, asymmetric and rounded down.
    """
    return np.arange(count) * source_count // count


def evened(maps: Any, source_wh: tuple[int, int]) -> Any:
    """Return thinned maps (N, h, w), 0 to 1, with all the cells that they had before: (N, H, W) float32.

    The last step of Gaze-LLE-DINOv3 files drops every fifth row and column of the map, so that its cells are not even.
    Cells that are left stay as they are; each dropped one is filled in by the cubic through the two on either side of
    it, at the end of the map by a line.

    Args:
        maps: (N, h, w), 0 or more.
        source_wh: columns W and rows H of the map before it was thinned, not fewer than it has now.
    """
    xp, (high, wide) = namespace(maps), maps.shape[1:]
    down, across = xp.asarray(_filling(high, source_wh[1])), xp.asarray(_filling(wide, source_wh[0]))
    return xp.clip(down @ xp.astype(maps, xp.float32, copy=False) @ across.T, 0.0, 1.0)


def in_frame_by_peak(maps: Any, even_at: float, slope: float) -> Any:
    """Return the probability (N,) float32 that what is looked at is in the frame, by the peaks of maps (N, h, w).

    A logistic function of the log-odds of the peak: training on targets in the frame alone leaves peaks low where
    there is nothing to be found.

    Args:
        maps: 0 to 1.
        even_at: height of the peak for a probability of a half.
        slope: of the log-odds of the probability over those of the peak.
    """
    xp = namespace(maps)
    height = xp.astype(xp.max(maps, axis=(1, 2)), xp.float64)
    even = float(log_odds(np.asarray(even_at)))
    return xp.astype(1 / (1 + xp.exp(-slope * (log_odds(height) - even))), xp.float32)


def log_odds(share: Any) -> Any:
    """Return the logarithm of share over rest, of an array from 0 to 1, never infinite."""
    xp = namespace(share)
    kept = xp.clip(share, _LEAST, 1 - _LEAST)
    return xp.log(kept / (1 - kept))


def peaks(maps: Any) -> tuple[Any, Any, Any]:
    """Return row (N,), column (N,) and height (N,) of the highest cell of each map (N, h, w); the first of equals."""
    xp, (high, wide) = namespace(maps), maps.shape[1:]
    flat = xp.reshape(maps, (maps.shape[0], high * wide))
    best = xp.argmax(flat, axis=1)
    return best // wide, best % wide, xp.max(flat, axis=1)


def refined_peaks(maps: Any, x: Any, y: Any) -> Any:
    """Return the peaks (N, 2) of maps between the cells, as x, y.

    Along each axis the parabola through the logarithms of the highest cell and its two neighbours has its top there:
    exact for a Gaussian hill, never more than half way to a neighbour. At the edge of the map it is the cell's centre.

    Args:
        maps: (N, h, w), 0 or more.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
    """
    xp, (count, high, wide) = namespace(maps), maps.shape
    row, column, _ = peaks(maps)
    rows, columns = _around(row, high), _around(column, wide)  # (N, 3)
    flat = xp.reshape(maps, (count, high * wide))
    across = xp.take_along_axis(flat, row[:, None] * wide + columns, axis=1)
    down = xp.take_along_axis(flat, rows * wide + column[:, None], axis=1)
    tops = ((across, x[columns]), (down, y[rows]))
    return xp.stack([_top(xp.log(xp.maximum(near, _LEAST)), places) for near, places in tops], axis=1)


def hills(maps: Any, x: Any, y: Any, floor: float) -> tuple[Any, Any]:
    """Return centre of weight (N, 2) and standard deviation (N, 2), as x, y, of the high cells of each map.

    A cell's weight lies evenly over the cell, so that even a single one has a spread.

    Args:
        maps: (N, h, w), 0 or more.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
        floor: cells not lower than this share of their map's peak count.
    """
    xp = namespace(maps)
    high = maps >= floor * xp.max(maps, axis=(1, 2), keepdims=True)
    # A map of zeros has its centre in the middle.
    weight = xp.maximum(xp.astype(xp.where(high, maps, 0.0), xp.float64), sys.float_info.min)
    total = xp.sum(weight, axis=(1, 2))[:, None]
    shares = xp.sum(weight, axis=1) / total, xp.sum(weight, axis=2) / total
    centres = [share @ places for share, places in zip(shares, (x, y), strict=True)]
    spreads = []
    for share, places, centre in zip(shares, (x, y), centres, strict=True):
        apart = xp.sum(share * (places - centre[:, None]) ** 2, axis=1)
        cell = 1 / places.shape[0]
        spreads.append(xp.sqrt(apart + cell * cell / 12))
    return xp.stack(centres, axis=1), xp.stack(spreads, axis=1)


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


def _around(index: Any, count: int) -> Any:
    """Return index - 1, index, index + 1 as (N, 3); all three the index itself at the ends of 0..count - 1."""
    xp = namespace(index)
    step = xp.astype((index > 0) & (index < count - 1), xp.int64)
    return index[:, None] + step[:, None] * xp.arange(-1, 2)


def _top(values: Any, places: Any) -> Any:
    """Return where (N,) parabolas through three values (N, 3) at rising places (N, 3) have their tops.

    The slope of a parabola between two of its points is that half way between them; the top is where it is 0.
    """
    xp = namespace(values)
    gaps = xp.diff(places, axis=1)
    slopes = xp.diff(values, axis=1) / xp.where(gaps > 0, gaps, 1.0)
    halves = (places[:, :-1] + places[:, 1:]) / 2
    bend = slopes[:, 0] - slopes[:, 1]
    share = xp.where(bend > 0, slopes[:, 0] / xp.where(bend > 0, bend, 1.0), 0.5)
    flat = (gaps[:, 0] <= 0) | (bend <= 0)
    return xp.where(flat, places[:, 1], halves[:, 0] + share * (halves[:, 1] - halves[:, 0]))
