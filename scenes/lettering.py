"""Strokes that read as print: seven-segment glyphs, so that no font's version can change a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

# Ends of the seven strokes on a grid one wide and two high.
_STROKES = (
    ((0, 0), (1, 0)),
    ((1, 0), (1, 1)),
    ((1, 1), (1, 2)),
    ((0, 2), (1, 2)),
    ((0, 1), (0, 2)),
    ((0, 0), (0, 1)),
    ((0, 1), (1, 1)),
)
_DIGITS = (0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F)


def letter_row(
    rng: np.random.Generator, picture: Colours, at: tuple[int, int], size: int, count: int, colour: Colours
) -> None:
    """Write `count` nonsense glyphs, each `size` pixels wide, with their top left corner at `at`."""
    for k in range(count):
        _glyph(picture, (at[0] + k * size, at[1]), size, int(rng.integers(1, 128)), colour)


def digit_row(rng: np.random.Generator, picture: Colours, at: tuple[int, int], size: int, colour: Colours) -> None:
    """Write a date and a time as recorders stamp them on a picture."""
    for k in range(19):
        if k in (4, 7, 10, 13, 16):
            continue
        _glyph(picture, (at[0] + k * size, at[1]), size, _DIGITS[int(rng.integers(10))], colour)


def _glyph(picture: Colours, at: tuple[int, int], size: int, strokes: int, colour: Colours) -> None:
    unit = size * 0.7
    for bit, (start, end) in enumerate(_STROKES):
        if strokes >> bit & 1:
            ends = [(int(at[0] + x * unit), int(at[1] + y * unit)) for x, y in (start, end)]
            cv2.line(picture, ends[0], ends[1], colour.tolist(), max(1, size // 6))
