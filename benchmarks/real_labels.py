"""What is known of the real footage by eye: heads, persons, directions and stays; frames count from 0."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nodes.ops.angles import wrap_deg
from pipeline.errors import ConfigError

Array = np.ndarray[Any, np.dtype[Any]]

HEADS = "head_boxes.csv"
AGAIN = Path(__file__).parent / "real_heads_again.csv"
RETAIL = "retail02/Retail02_short.mp4"
PERSONS = "retail02/boxes_keyframes.mot.txt"
CPC = "cpc_demo/demo.mp4"
SEGMENTS = "cpc_demo/head_direction_segments.csv"
ONE_BY_ONE = "intel_sample_videos/one-by-one-person-detection.mp4"
STAYS = "intel_sample_videos/one-by-one-person-detection.visits.csv"
READ = (HEADS, RETAIL, PERSONS, CPC, SEGMENTS, ONE_BY_ONE, STAYS)

HEADS_WIDTH_PX = 480
RETAIL_WH = (1920, 1080)
SEGMENT_SLACK = 6
"""Frames by which the ends of segments are uncertain; they are left out."""


@dataclass(frozen=True)
class Heads:
    """The heads of one labelled frame."""

    box: Array
    """(N, 4) in a frame scaled to 480 px wide, both axes in its pixels."""
    yaw_deg: Array
    """(N,) by eye: 0 to the camera, 90 to image-right, 180 away."""
    again_deg: Array = field(default_factory=lambda: np.empty(0))
    """(N,) the same read again, the middle of three readings; nan where there are none, empty where it is not asked."""

    def in_frame(self, size_wh: Array) -> Array:
        """Return the boxes (N, 4) in fractions of a frame of a size (2,) in pixels."""
        height_px = HEADS_WIDTH_PX * float(size_wh[1]) / float(size_wh[0])
        return np.asarray(self.box / np.array([HEADS_WIDTH_PX, height_px] * 2))


@dataclass(frozen=True)
class Persons:
    """The persons of one labelled frame."""

    box: Array
    """(N, 4) fractions of the frame."""
    valid: Array
    """(N,) bool; False: heavily hidden, counts neither way."""


@dataclass(frozen=True)
class Segment:
    """Frames in which a head is turned to one side of the image."""

    first: int
    last: int
    sign: int
    """+1 to the right, -1 to the left."""


@dataclass(frozen=True)
class Turn:
    """Frames in which a head is turned as its label says."""

    first: int
    last: int
    side: int
    """+1 to the right of the image, -1 to its left, 0 to neither."""
    height: int
    """+1 up, -1 down, 0 level."""


@dataclass(frozen=True)
class Stay:
    """One person's visit to the table."""

    comes: int
    goes: int
    stands_from: int
    stands_to: int


def read_heads(folder: Path) -> dict[str, dict[int, Heads]]:
    """Return the labelled heads by clip and frame; a frame may have none."""
    rows: dict[tuple[str, int], list[list[float]]] = {}
    again = _read_again()
    for row in _rows(folder / HEADS):
        boxes = rows.setdefault((row["clip"], int(row["frame"])), [])
        if row["x1"]:
            told = [float(row[name]) for name in ("x1", "y1", "x2", "y2", "yaw_deg")]
            boxes.append([*told, again.get(_corner(row), np.nan)])
    heads: dict[str, dict[int, Heads]] = {}
    for (clip, frame), boxes in rows.items():
        made = np.array(boxes, np.float64).reshape(-1, 6)
        heads.setdefault(clip, {})[frame] = Heads(made[:, :4], made[:, 4], made[:, 5])
    return heads


def _read_again() -> dict[tuple[str, ...], float]:
    """Return the middle yaw of three by clip, frame and upper left corner of the head."""
    names = "first_deg", "second_deg", "third_deg"
    return {_corner(row): middle_deg(np.array([float(row[name]) for name in names])) for row in _rows(AGAIN)}


def _corner(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("clip", "frame", "x1", "y1"))


def middle_deg(yaws_deg: Array) -> float:
    """Return the one of three yaws (3,) that is nearest to the two others on the circle."""
    apart = np.abs(wrap_deg(yaws_deg[:, None] - yaws_deg[None]))
    return float(yaws_deg[apart.sum(axis=1).argmin()])


def read_persons(folder: Path) -> dict[int, Persons]:
    """Return the labelled persons of the shop clip by frame."""
    table = np.loadtxt(folder / PERSONS, delimiter=",", ndmin=2)
    persons = {}
    for number in np.unique(table[:, 0]):
        rows = table[table[:, 0] == number]
        left_top, sides = rows[:, 2:4], rows[:, 4:6]
        box = np.concatenate([left_top, left_top + sides], axis=1) / np.array(RETAIL_WH * 2)
        persons[int(number) - 1] = Persons(box, rows[:, 6] == 1)
    return persons


def read_segments(folder: Path) -> list[Segment]:
    """Return the segments in which the man looks to the left or to the right."""
    return [Segment(turn.first, turn.last, turn.side) for turn in read_turns(folder) if turn.side]


def read_turns(folder: Path) -> list[Turn]:
    """Return all segments, those in which the man looks straight ahead, too."""
    sides, heights = {"left": -1, "center": 0, "right": 1}, {"down": -1, "level": 0, "up": 1}
    return [
        Turn(
            int(row["from"]) + SEGMENT_SLACK,
            int(row["to"]) - SEGMENT_SLACK,
            sides[row["yaw"]],
            heights[row["pitch"]],
        )
        for row in _rows(folder / SEGMENTS)
    ]


def read_stays(folder: Path) -> list[Stay]:
    """Return the visits to the table, one person after another."""
    columns = ("frame_in", "frame_out", "stand_from", "stand_to")
    return [Stay(*(int(row[name]) for name in columns)) for row in _rows(folder / STAYS)]


def clips(folder: Path) -> list[str]:
    """Return the paths of all clips, relative to the folder.

    Raises:
        ConfigError: the folder has not what the benchmark reads.
    """
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.mp4"))
    check_there(folder, READ)
    return found


def data_folder() -> Path:
    """Return the folder of real footage.

    Raises:
        ConfigError: none is named.
    """
    named = os.environ.get("GAZE_REAL_DATA")
    if not named:
        raise ConfigError("GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it")
    return Path(named)


def check_there(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder of real footage that lacks a file.

    Raises:
        ConfigError: naming those it lacks.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ConfigError(f"GAZE_REAL_DATA={folder}: expected {', '.join(missing)} in it, got none; name another one")


def _rows(path: Path) -> list[dict[str, str]]:
    """Read a table whose comment lines begin with #."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))
