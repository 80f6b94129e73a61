"""Score files of our detector on yaws of real heads that trainings are chosen by: `python -m benchmarks.real_yaws`.

`GAZE_REAL_DATA` names the folder of real footage. The heads are of two clips none of whose heads `benchmarks.real` has
yaws of, so that what is chosen here can be measured there: a shop whose people wear masks, and a square seen from
above. A file is shown the whole frame of the shop at 480 x 288, and of the square as much of the frame about each head,
one by one: no graph, no tracks, no time. `--model` names .onnx files; without it, the one that ships, which learnt from
people who walk across this square: of what it reads there, nothing follows for other places.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matching import fit_loosely, pair
from benchmarks.real_frames import LEAST_SCORE, SIZE_WH, pictures_of, shrunk, told_yaw_deg
from benchmarks.real_groups import SHIPPED
from benchmarks.real_labels import RETAIL, Heads, check_there, data_folder
from benchmarks.real_tally import CLOSE_DEG, FACING_DEG
from benchmarks.results import ROOT, guarded
from nodes.ops.angles import wrap_deg
from nodes.ops.wholebody import HEAD
from pipeline.cards import load_card
from pipeline.errors import ConfigError

Array = np.ndarray[Any, np.dtype[Any]]

LABELS = Path(__file__).with_suffix(".csv")
BACK_FROM_DEG = 120.0
SIDES = ("facing", "side", "behind")
_ABOVE = 0.35
"""Where the heads of the square are in their windows, from the top: most of what tells of a head is below it."""


@dataclass
class Seen:
    """How heads of one clip and one side were read: right ones, all of them, and how far those found are off."""

    right: int = 0
    wanted: int = 0
    errors_deg: list[float] = field(default_factory=list)


def shown(folder: Path) -> Iterator[tuple[str, Array, Heads]]:
    """Return clip, picture (288, 480, 3) u8 BGR and its heads, boxes in fractions of it, one after another.

    Raises:
        ConfigError: the folder lacks one of the clips.
    """
    for clip, by_frame in read_labels(folder).items():
        for number, picture in pictures_of(folder / clip, sorted(by_frame)):
            known = by_frame[number]
            if clip == RETAIL:
                size_wh = np.array(picture.shape[1::-1] * 2)
                yield clip, shrunk(picture), Heads(known[:, :4] / size_wh, known[:, 4])
            else:
                for head in known:
                    yield clip, *window(picture, head)


def read_labels(folder: Path) -> dict[str, dict[int, Array]]:
    """Return by clip and number of the frame (N, 5) boxes in pixels and yaws in degrees.

    Raises:
        ConfigError: the folder lacks one of the clips.
    """
    by_clip: dict[str, dict[int, list[list[float]]]] = {}
    with LABELS.open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            heads = by_clip.setdefault(row["clip"], {}).setdefault(int(row["frame"]), [])
            heads.append([float(row[name]) for name in ("x1", "y1", "x2", "y2", "yaw_deg")])
    check_there(folder, by_clip)
    return {clip: {number: np.array(heads) for number, heads in frames.items()} for clip, frames in by_clip.items()}


def window(picture: Array, head: Array) -> tuple[Array, Heads]:
    """Return as much of a frame as a file is shown, about a head (5,) box in pixels and yaw, and this head in it."""
    room = np.maximum(np.array(picture.shape[1::-1]) - SIZE_WH, 0)
    centre = (head[:2] + head[2:4]) / 2 - np.array(SIZE_WH) * (0.5, _ABOVE)
    x, y = (int(v) for v in centre.clip(0, room))
    box = (head[:4] - np.array([x, y, x, y])) / np.array(SIZE_WH * 2)
    return picture[y : y + SIZE_WH[1], x : x + SIZE_WH[0]], Heads(box[None], head[4:])


def read(run: Callable[[Array], Array], frames: Iterable[tuple[str, Array, Heads]]) -> dict[tuple[str, str], Seen]:
    """Return how heads were read, by clip and side; a head that is not found counts as read wrong.

    Args:
        run: takes a picture (H, W, 3) u8 BGR, returns the rows (N, 6) of a file.
        frames: as from `shown`.
    """
    seen: dict[tuple[str, str], Seen] = {}
    for clip, picture, heads in frames:
        rows = run(picture)
        own = rows[(rows[:, 0] == HEAD) & (rows[:, 5] >= LEAST_SCORE)]
        match = pair(own[:, 5], fit_loosely(own[:, 1:5], heads.box))
        for number, wanted_deg in enumerate(heads.yaw_deg.tolist()):
            found = np.flatnonzero(match == number)
            told_deg = told_yaw_deg(rows, own[found[0]]) if len(found) else np.nan
            apart = float(abs(wrap_deg(np.array([told_deg - wanted_deg]))[0]))
            count = seen.setdefault((clip, side_of(wanted_deg)), Seen())
            count.right += apart <= CLOSE_DEG
            count.wanted += 1
            count.errors_deg += [] if np.isnan(apart) else [apart]
    return seen


def side_of(yaw_deg: float) -> str:
    """Return on which side of a head the camera is: one of SIDES."""
    turned = abs(yaw_deg)
    return SIDES[0] if turned <= FACING_DEG else SIDES[1] if turned <= BACK_FROM_DEG else SIDES[2]


def as_line(name: str, seen: dict[tuple[str, str], Seen]) -> str:
    """Return what is told of a file: right heads of all, by clip and side, and over both clips."""
    parts = [f"{Path(clip).parent} {side} {count.right}/{count.wanted}" for (clip, side), count in sorted(seen.items())]
    facing = [count for (_, side), count in seen.items() if side == SIDES[0]]
    away = [count for (_, side), count in seen.items() if side != SIDES[0]]
    errors_deg = np.array([error for count in seen.values() for error in count.errors_deg])
    return (
        f"{name}: {', '.join(parts)}; "
        f"facing {_share(facing)}, turned away {_share(away)}, all {_share(facing + away)}, off by "
        f"{errors_deg.mean():.1f} degrees, {np.median(errors_deg):.1f} in the median"
    )


def _share(counts: Sequence[Seen]) -> str:
    right, wanted = sum(count.right for count in counts), sum(count.wanted for count in counts)
    return f"{right}/{wanted} ({right / max(1, wanted):.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print."""
    import onnxruntime as ort

    parser = argparse.ArgumentParser("real_yaws", description="Score detectors on the yaws of real heads.")
    parser.add_argument("--model", nargs="+", type=Path, metavar="FILE", help=".onnx files; default: what ships")
    options = parser.parse_args(arguments)
    folder = data_folder()
    paths = options.model or [load_card(SHIPPED, ROOT)[1]]
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"--model: expected an .onnx file, got {path}, which is not there; name another one")
    frames = list(shown(folder))
    for path in paths:
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])

        def run(picture: Array, session: Any = session) -> Array:
            given = picture.transpose(2, 0, 1)[None].astype(np.float32)
            return np.asarray(session.run(None, {"input_bgr": given})[0][0])

        print(as_line(path.name, read(run, frames)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
