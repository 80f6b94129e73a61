"""The middle of square pictures, turned: what a model wants upright that a head holds askew."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 2**0.5
"""Side of the square that holds its middle square however that is turned."""


def middles(pictures: Array, roll_deg: Array, side: int) -> Array:
    """Return the middle squares of pictures, turned so that what leans is upright.

    Args:
        pictures: (K, C, S, S), each a square `MARGIN` as wide as the one in its middle.
        roll_deg: (K,) how far what is shown leans clockwise.
        side: of the result, pixels.

    Returns:
        (K, C, side, side) float32; between pixels linear.
    """
    whole = pictures.shape[-1]
    off = (np.arange(side) - (side - 1) / 2) * (whole / MARGIN / side)
    cos, sin = (f(np.radians(np.asarray(roll_deg, np.float64)))[:, None, None] for f in (np.cos, np.sin))
    x = cos * off[None, None, :] - sin * off[None, :, None] + (whole - 1) / 2  # (K, side, side)
    y = sin * off[None, None, :] + cos * off[None, :, None] + (whole - 1) / 2
    left, above = (np.clip(np.floor(at).astype(np.int64), 0, whole - 2) for at in (x, y))
    across, down = (np.clip(x - left, 0, 1)[:, None], np.clip(y - above, 0, 1)[:, None])
    k = np.arange(len(pictures))[:, None, None]
    moved = np.moveaxis(pictures, 1, -1)  # so that one index picks all channels
    picked = [[np.moveaxis(moved[k, above + dy, left + dx], -1, 1) for dx in (0, 1)] for dy in (0, 1)]
    rows = [pair[0] * (1 - across) + pair[1] * across for pair in picked]
    return np.asarray(rows[0] * (1 - down) + rows[1] * down, np.float32)
