"""Go through boxes in MOT text frame by frame, holding no more than one frame where the file is in order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from nodes.ops.mot_text import MotRow, MotRows, iterate_rows, read_rows, to_columns

MAX_IN_FRAME = 10_000
"""Boxes in one frame."""


@dataclass
class Survey:
    """What a file of boxes holds; rows are added one by one, in the order of the file."""

    rows: int = 0
    last_frame: int = 0
    """Largest number of a frame; 0 without rows."""
    in_order: bool = True
    """Whether no row stands below one of a later frame."""
    without_area: int = 0
    """Rows whose box has no width or no height."""
    right_px: float = 0.0
    bottom_px: float = 0.0

    def add(self, row: MotRow) -> None:
        """Take a row into account."""
        self.rows += 1
        self.in_order = self.in_order and row.frame >= self.last_frame
        self.last_frame = max(self.last_frame, row.frame)
        self.without_area += not (row.width and row.height)
        self.right_px = max(self.right_px, row.left + row.width)
        self.bottom_px = max(self.bottom_px, row.top + row.height)

    def size_wh(self) -> tuple[int, int]:
        """Return the smallest picture, in whole pixels, out of which no box hangs on the right or below."""
        return max(math.ceil(self.right_px), 1), max(math.ceil(self.bottom_px), 1)


def frames_with_rows(path: Path, survey: Survey) -> Iterator[tuple[int, MotRows]]:
    """Yield number and rows of each frame that has rows, in rising order.

    A file in order is read along; any other is held whole, up to 5 million rows.

    Args:
        path: the file.
        survey: what it holds.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: a row is wrong, there are too many, or the file is not the one that was surveyed.
    """
    before = 0
    for frame, rows in _along(path) if survey.in_order else _whole(path):
        if frame <= before:
            raise ValueError(f"{path}: expected the rows it had before, got others; write it first, then read it")
        if len(rows) > MAX_IN_FRAME:
            raise ValueError(
                f"{path}: frame {frame}: expected {MAX_IN_FRAME} boxes or fewer, got more; remove the rest"
            )
        before = frame
        yield frame, rows


def _along(path: Path) -> Iterator[tuple[int, MotRows]]:
    for frame, rows in groupby(iterate_rows(path), key=lambda row: row.frame):
        yield frame, to_columns(list(islice(rows, MAX_IN_FRAME + 1)))


def _whole(path: Path) -> Iterator[tuple[int, MotRows]]:
    rows = read_rows(path).by_frame()
    frames, starts = np.unique(rows.frame, return_index=True)
    for frame, start, end in zip(frames.tolist(), starts, [*starts, len(rows)][1:], strict=True):
        yield frame, rows.take(np.arange(start, end))
