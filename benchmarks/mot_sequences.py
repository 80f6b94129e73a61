"""Find sequences of the MOTChallenge in a folder: what was detected, what is true, how fast and how large.

A sequence is a folder with one `det*.txt` and one `gt*.txt`, packed (`.gz`) or not, directly in it or in `det/` and
`gt/`, and, where there is one, a `seqinfo.ini`.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nodes.ops.mot_text import MotRows, read_rows
from nodes.ops.seqinfo import MAX_FPS, NAME, SeqInfo, read_seqinfo
from pipeline.errors import ConfigError

FPS = 25.0
"""Of a sequence of which nobody says how fast it is; it is said on screen."""
_PEDESTRIAN, _NO_CLASS = 1, -1


@dataclass(frozen=True, eq=False)
class MotSequence:
    """One sequence, as it is given to every tracker."""

    name: str
    fps: float
    size_wh: tuple[int, int]
    """Of the picture, pixels; where nobody says it, what holds every detection."""
    frames: int
    found: MotRows
    """Detections by (frame, score falling), scores 0 to 1."""
    truth: MotRows
    """By frame: rows that count, of pedestrians where the file tells classes."""


def find_sequences(root: Path, names: Sequence[str], fps: Mapping[str, float]) -> list[MotSequence]:
    """Read sequences, in the order of their names.

    Args:
        root: the folder they are in.
        names: of those wanted; none for all.
        fps: frames a second by name, for sequences whose `seqinfo.ini` does not say it.

    Raises:
        ConfigError: there is no such sequence, or a file of one is missing, unreadable or wrong.
    """
    folders = {path.name: path for path in sorted(root.iterdir()) if path.is_dir()} if root.is_dir() else {}
    given = {name: path for name, path in folders.items() if _files(path, "det") or _files(path, "gt")}
    if not given:
        raise ConfigError(
            f"{root}: expected folders with det*.txt[.gz] and gt*.txt[.gz], got none; name theirs: --root DIR"
        )
    for option, wanted in (("--seq", names), ("--fps", fps)):
        unknown = [name for name in wanted if name not in given]
        if unknown:
            raise ConfigError(f"{option}: expected names out of {', '.join(given)} of {root}, got {unknown[0]!r}")
    return [_read(given[name], fps.get(name)) for name in sorted(set(names) or given)]


def parse_fps(text: str) -> tuple[str, float]:
    """Return name and frames a second of `NAME=25`.

    Raises:
        ArgumentTypeError: it is something else.
    """
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if name and 0 < value <= MAX_FPS:
        return name, value
    raise ArgumentTypeError(f"expected NAME=25, a number above 0, at most {MAX_FPS:.0f}, got {text!r}")


def _read(folder: Path, fps: float | None) -> MotSequence:
    try:
        info = read_seqinfo(folder / NAME) if (folder / NAME).exists() else SeqInfo()
        found, truth = read_rows(_file(folder, "det")), read_rows(_file(folder, "gt"))
    except (OSError, ValueError) as error:
        raise ConfigError(str(error)) from error
    solid = np.asarray((found.box_px[:, 2:] > 0).all(axis=1))
    if not solid.all():
        print(f"{folder.name}: detections without width or height are left out: {(~solid).sum()}", file=sys.stderr)
        found = found.take(solid)
    truth = truth.take((truth.score == 1) & np.isin(truth.class_id, (_PEDESTRIAN, _NO_CLASS))).by_frame()
    if not len(truth):
        raise ConfigError(f"{_file(folder, 'gt')}: expected rows of flag 1 and class 1, got none; give a ground truth")
    if not len(found):
        raise ConfigError(f"{_file(folder, 'det')}: expected detections, got none; give a detector's")
    if info.fps and fps and fps != info.fps:
        raise ConfigError(
            f"--fps {folder.name}={fps:g}: expected what {folder / NAME} says, {info.fps:g}, got {fps:g}; leave it out"
        )
    if not (info.fps or fps):
        print(
            f"{folder.name}: no frame rate in {NAME}, no --fps {folder.name}=NUMBER: taken as {FPS:g}", file=sys.stderr
        )
    found = found.take(np.lexsort((-found.score, found.frame)))
    found.score.clip(0, 1, out=found.score)
    width, height = np.ceil((found.box_px[:, :2] + found.box_px[:, 2:]).max(axis=0))
    return MotSequence(
        folder.name,
        info.fps or fps or FPS,
        info.size_wh or (max(int(width), 1), max(int(height), 1)),
        max(info.frames or 1, int(found.frame.max()), int(truth.frame.max())),
        found,
        truth,
    )


def _file(folder: Path, kind: str) -> Path:
    files = _files(folder, kind)
    if len(files) != 1:
        got = ", ".join(str(path.relative_to(folder)) for path in files) or "none"
        raise ConfigError(
            f"{folder}: expected one {kind}*.txt or {kind}*.txt.gz, in it or in {kind}/, got {got}; "
            "leave one there, or name other sequences: --seq NAME"
        )
    return files[0]


def _files(folder: Path, kind: str) -> list[Path]:
    """Return the files called `det*.txt[.gz]` or `gt*.txt[.gz]` of a folder and of `det/` or `gt/` in it."""
    return [
        path
        for place in (folder, folder / kind)
        for pattern in (f"{kind}*.txt", f"{kind}*.txt.gz")
        for path in sorted(place.glob(pattern))
        if path.is_file()
    ]
