"""Which share of each heat map lies in areas and in boxes, worked out where the maps are."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.coverage import box_shares, uncovered
from pipeline.namespaces import namespace

_LEAST = float(np.finfo(np.float32).tiny)
"""A map of zeros sums to this, and its shares are 0."""


def cell_shares_of_maps(maps: Any) -> Any:
    """Return maps (N, h, w), 0 or more, as float64 that sum to 1 each."""
    xp = namespace(maps)
    total = xp.maximum(xp.sum(maps, axis=(1, 2), dtype=xp.float64), _LEAST)
    return maps / total[:, None, None]


def in_areas(share: Any, areas: Any, hiding: Any) -> Any:
    """Return which share (N, A) float64 of each map lies in each area, but for what boxes hide of it.

    Args:
        share: (N, h, w) as `cell_shares_of_maps` returns it.
        areas: (A, h, w) float64 share of each cell in each area.
        hiding: (M, 4) float64 x1, y1, x2, y2, fractions of the frame.
    """
    xp, (count, high, wide) = namespace(share), share.shape
    seen = areas * uncovered(hiding, (high, wide))
    return xp.reshape(share, (count, high * wide)) @ xp.reshape(seen, (seen.shape[0], high * wide)).T


def in_boxes(share: Any, boxes: Any) -> Any:
    """Return which share (N, M) float64 of each map lies in each box.

    Args:
        share: (N, h, w) as `cell_shares_of_maps` returns it.
        boxes: (M, 4) float64 x1, y1, x2, y2, fractions of the frame.
    """
    rows, columns = box_shares(boxes, share.shape[1:])
    return namespace(share).sum((share @ columns.T) * rows.T, axis=1)
