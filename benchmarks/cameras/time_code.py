"""A number in the picture, as black and white blocks along the bottom edge; it survives scaling and compression.

The blocks, from left to right: white, black, 16 bits (largest first), the parity of the even bits and of the odd ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS = 16
LARGEST = 2**BITS - 1
_BLOCKS = 2 + BITS + 2
_HEIGHT = 1 / 12
"""Of the blocks, as a share of the picture's height."""
_BLACK, _WHITE = 16, 235
_LEAST_CONTRAST = 60
_SURE = 0.25
"""A block counts when it is at least so far from grey, where 0.5 is black or white."""


def draw_number(luma: NDArray[np.uint8], number: int) -> None:
    """Draw a number of at most `LARGEST` into a luma plane, (H, W) u8, in place."""
    bits = [number >> place & 1 for place in reversed(range(BITS))]
    blocks = [1, 0, *bits, sum(bits[0::2]) & 1, sum(bits[1::2]) & 1]
    top, sides = _places(luma)
    for left, right, bit in zip(sides, sides[1:], blocks, strict=False):
        luma[top:, left:right] = _WHITE if bit else _BLACK


def read_number(luma: NDArray[Any]) -> int | None:
    """Return the number in a luma plane, (H, W) u8 of any size, or None where the blocks are unsure."""
    top, sides = _places(luma)
    rows = luma.shape[0] - top
    inner = luma[top + rows // 4 : luma.shape[0] - rows // 4 : 1 + rows // 12]  # edges blur; a few rows tell enough
    columns = inner.mean(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(columns)])
    quarter = luma.shape[1] // (4 * _BLOCKS)
    left, right = sides[:-1] + quarter, sides[1:] - quarter
    level = (sums[right] - sums[left]) / (right - left)
    if level[0] - level[1] < _LEAST_CONTRAST:
        return None
    above_grey = (level - level[1]) / (level[0] - level[1]) - 0.5
    if np.abs(above_grey).min() < _SURE:
        return None
    *bits, even, odd = (int(bit) for bit in above_grey[2:] > 0)
    if (sum(bits[0::2]) & 1, sum(bits[1::2]) & 1) != (even, odd):
        return None
    return sum(bit << place for bit, place in zip(bits, reversed(range(BITS)), strict=True))


def _places(luma: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """Return the first row of the blocks, and the column where each begins and the last ends."""
    height, width = luma.shape
    return round(height * (1 - _HEIGHT)), np.round(np.linspace(0, width, _BLOCKS + 1)).astype(np.int64)
