"""Read and write boxes as the text of the MOTChallenge: a box a line, `frame,id,left,top,width,height,score,...`.

Frames count from 1; boxes are in pixels; the id is -1 where nobody said who it is. The seventh value is the score of a
detection, and in a ground truth 1 where the row counts and 0 where it does not. What follows depends on how many values
a row has: in rows of 8 or 9, class and visible share (MOT16 and later); in rows of 10, a place in the world that is not
read (MOT15, and what detectors and trackers write). Files ending in `.gz` are unpacked while they are read.

Text is not trusted: every value is held to bounds, and a row that breaks them is named by file and line.
Ref: Milan et al., MOT16: A benchmark for multi-object tracking, 2016.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MAX_FRAME = 10_000_000
"""Four days and a half at 25 frames a second."""
MAX_ID = 2**53
"""Up to which whole numbers written as decimals are exact."""
MAX_PX = 1_000_000.0
"""Of a position or a size, either way."""
MAX_ROWS = 5_000_000
"""Rows held in memory at once."""
_MAX_LINE_BYTES = 1_000
_FEWEST, _MOST = 6, 10
_NO_CLASS = -1


class MotRow(NamedTuple):
    """One box."""

    frame: int
    id: int
    left: float
    top: float
    width: float
    height: float
    score: float
    class_id: int
    visibility: float


@dataclass(frozen=True, eq=False)
class MotRows:
    """N boxes, in the order of the file unless said."""

    frame: Array
    """(N,) int64, from 1."""
    id: Array
    """(N,) int64; -1 where nobody said who it is."""
    box_px: Array
    """(N, 4) float64: left, top, width, height in pixels."""
    score: Array
    """(N,) float64: as written, 1 where nothing is; in a ground truth 1 where the row counts."""
    class_id: Array
    """(N,) int64; 1 is a pedestrian, -1 where none is given."""
    visibility: Array
    """(N,) float64, 0 to 1; 1 where none is given."""

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Array) -> MotRows:
        """Return some of the rows, by mask or by index."""
        return MotRows(
            self.frame[rows], self.id[rows], self.box_px[rows], self.score[rows], self.class_id[rows],
            self.visibility[rows],
        )  # fmt: skip

    def by_frame(self) -> MotRows:
        """Return the rows ordered by frame; those of one frame keep their order."""
        return self.take(np.argsort(self.frame, kind="stable"))


def read_rows(path: Path, max_rows: int = MAX_ROWS) -> MotRows:
    """Read a whole file.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: a row is wrong, or there are too many; names file and line.
    """
    return to_columns(_at_most(max_rows, path))


def to_columns(rows: Iterable[MotRow]) -> MotRows:
    """Return rows as columns."""
    values = np.fromiter(chain.from_iterable(rows), np.float64)  # exact: all whole numbers are at most 2^53
    table = values.reshape(-1, len(MotRow._fields))
    return MotRows(
        table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:6], table[:, 6],
        table[:, 7].astype(np.int64), table[:, 8],
    )  # fmt: skip


def iterate_rows(path: Path) -> Iterator[MotRow]:
    """Yield the rows of a file one by one, holding none; empty lines are passed over.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: a row is wrong, or the file is no text or no gzip; names file and line.
    """
    with _opened(path) as file:
        number = 0
        while True:
            number += 1
            try:
                line = file.readline(_MAX_LINE_BYTES + 1)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError(f"{path}: expected a whole gzip file, got: {error}; fetch or pack it again") from error
            if not line:
                return
            if line.isspace():
                continue
            try:
                yield _row(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None


def row_text(frame: int, id: int, box_px: Array, score: float) -> str:
    """Return the line of one box of a track, with its end.

    Args:
        frame: from 1.
        id: of the track.
        box_px: (4,) left, top, width, height in pixels.
        score: 0 to 1.
    """
    left, top, width, height = (f"{float(value):.3f}" for value in box_px)
    return f"{frame},{id},{left},{top},{width},{height},{score:.6f},-1,-1,-1\n"


def _at_most(max_rows: int, path: Path) -> Iterator[MotRow]:
    for count, row in enumerate(iterate_rows(path), start=1):
        if count > max_rows:
            raise ValueError(f"{path}: expected {max_rows} rows or fewer, got more; split it, or sort it by frame")
        yield row


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _row(line: bytes) -> MotRow:
    if len(line) > _MAX_LINE_BYTES:
        raise ValueError(f"expected a line of at most {_MAX_LINE_BYTES} bytes, got more; give a file of MOT text")
    fields = line.strip().split(b",")
    if not _FEWEST <= len(fields) <= _MOST:
        raise ValueError(
            f"expected frame,id,left,top,width,height,score and up to 3 values more, got {_shown(line)}; "
            "give a file of MOT text"
        )
    whole = len(fields) in (8, 9)
    return MotRow(
        int(_number("frame", fields[0], 1, MAX_FRAME, whole=True)),
        int(_number("id", fields[1], -1, MAX_ID, whole=True)),
        _number("left", fields[2], -MAX_PX, MAX_PX),
        _number("top", fields[3], -MAX_PX, MAX_PX),
        _number("width", fields[4], 0, MAX_PX),
        _number("height", fields[5], 0, MAX_PX),
        _number("score", fields[6], -math.inf, math.inf) if len(fields) > 6 else 1.0,
        int(_number("class", fields[7], -1, MAX_ID, whole=True)) if whole else _NO_CLASS,
        _number("visibility", fields[8], -1, 1) if len(fields) == 9 else 1.0,
    )


def _number(name: str, text: bytes, low: float, high: float, whole: bool = False) -> float:
    """Return a number within bounds; Python's own reading takes underscores, which no other program writes or reads."""
    try:
        value = float(text) if b"_" not in text else math.nan
    except ValueError:
        value = math.nan
    if low <= value <= high and math.isfinite(value) and not (whole and value % 1):
        return value
    kind = "a whole number" if whole else "a number"
    bounds = "" if math.isinf(low) else f" of {low:.0f} to {high:.0f}"
    raise ValueError(f"{name}: expected {kind}{bounds}, got {_shown(text)}; correct or remove the row")


def _shown(text: bytes) -> str:
    return repr(text.decode("ascii", "backslashreplace").strip())[:60]
