"""Render stills and head crops to disk, one seed a row, and read them back.

A set is a folder of plain .npy files: `pictures` (n, H, W, 3) u8 BGR and the truth of each row. A row depends on its
seed alone, so a set that was interrupted goes on where it stopped and a complete one is used again.

    python -m training.data --stills 1000000+6000 --crops 1000000+24000 --processes 2
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.crops import render_head_crop
from scenes.still import render_still

logger = logging.getLogger(__name__)

ROOT = Path("out/training")
STILL_WH = (480, 288)
CROP_WH = 96
MOST_PEOPLE = 16
NOT_RENDERED = -1

PERSON = np.dtype(
    [
        ("body_box", np.float32, (4,)),
        ("head_box", np.float32, (4,)),
        ("body_visible", np.float32),
        ("head_visible", np.float32),
        ("head_vector", np.float32, (3,)),
        ("gaze_vector", np.float32, (3,)),
        ("target_point", np.float32, (2,)),
        ("in_frame", np.bool_),
        ("target_kind", np.int8),
    ]
)
"""One person of a still, as scenes.truth.PeopleTruth has it."""

CROP = np.dtype([("head_box", np.float32, (4,)), ("head_vector", np.float32, (3,)), ("gaze_vector", np.float32, (3,))])


@dataclass(frozen=True)
class Rows:
    """A rendered set, memory-mapped."""

    pictures: NDArray[np.uint8]
    """(n, H, W, 3) BGR."""
    truth: NDArray[Any]
    """(n, MOST_PEOPLE) PERSON of stills, (n, 1) CROP of crops."""
    count: NDArray[np.int16]
    """(n,) rows of `truth` that are filled; NOT_RENDERED until the picture is there."""

    def ready(self) -> NDArray[np.int64]:
        """Return the rows that are rendered by now."""
        return np.flatnonzero(np.asarray(self.count) != NOT_RENDERED)


def open_stills(first_seed: int, count: int, root: Path = ROOT) -> Rows:
    """Open or create the set of stills with seeds first_seed .. first_seed + count - 1."""
    return _open(root / f"stills-{first_seed}-{count}", count, (STILL_WH[1], STILL_WH[0]), (MOST_PEOPLE, PERSON))


def open_crops(first_seed: int, count: int, root: Path = ROOT) -> Rows:
    """Open or create the set of head crops with seeds first_seed .. first_seed + count - 1."""
    return _open(root / f"crops-{first_seed}-{count}", count, (CROP_WH, CROP_WH), (1, CROP))


def render_stills(first_seed: int, count: int, processes: int = 2, root: Path = ROOT) -> Rows:
    """Render what is missing of a set of stills and return it."""
    rows = open_stills(first_seed, count, root)
    _fill(rows, _still_rows, first_seed, count, root, processes)
    return rows


def render_crops(first_seed: int, count: int, processes: int = 2, root: Path = ROOT) -> Rows:
    """Render what is missing of a set of head crops and return it."""
    rows = open_crops(first_seed, count, root)
    _fill(rows, _crop_rows, first_seed, count, root, processes)
    return rows


def _open(folder: Path, count: int, shape_hw: tuple[int, int], truth: tuple[int, np.dtype[Any]]) -> Rows:
    folder.mkdir(parents=True, exist_ok=True)
    people, dtype = truth
    wanted = {
        "pictures": ((count, *shape_hw, 3), np.dtype(np.uint8)),
        "truth": ((count, people), dtype),
        "count": ((count,), np.dtype(np.int16)),
    }
    arrays = {}
    for name, (shape, kind) in wanted.items():
        path = folder / f"{name}.npy"
        if not path.exists():
            fresh = np.lib.format.open_memmap(path.with_suffix(".new"), "w+", kind, shape)
            if name == "count":
                fresh[:] = NOT_RENDERED
            fresh.flush()
            path.with_suffix(".new").rename(path)
        arrays[name] = np.lib.format.open_memmap(path, "r+")
        if arrays[name].shape != shape or arrays[name].dtype != kind:
            raise ValueError(
                f"{path}: expected {shape} {kind}, got {arrays[name].shape} {arrays[name].dtype}; delete the folder"
            )
    return Rows(**arrays)


def _fill(
    rows: Rows,
    work: Callable[[int, int, list[int], Path], int],
    first_seed: int,
    count: int,
    root: Path,
    processes: int,
) -> None:
    missing = np.flatnonzero(np.asarray(rows.count) == NOT_RENDERED)
    if not len(missing):
        return
    begin = time.perf_counter()
    chunks = [missing[k : k + 50].tolist() for k in range(0, len(missing), 50)]
    with ProcessPoolExecutor(processes, initializer=_one_thread) as pool:
        done = 0
        for made in pool.map(work, *zip(*((first_seed, count, chunk, root) for chunk in chunks), strict=True)):
            done += made
            if done % 1000 < made:
                spent = time.perf_counter() - begin
                logger.info("%s of %d rendered, %.1f ms each", done, len(missing), 1e3 * spent / done)


def _one_thread() -> None:
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)


def _still_rows(first_seed: int, count: int, indices: list[int], root: Path) -> int:
    rows = open_stills(first_seed, count, root)
    for index in indices:
        still = render_still(first_seed + index, size_wh=STILL_WH)
        people = still.people
        nearest = np.argsort(-(people.head_box[:, 3] - people.head_box[:, 1]), kind="stable")[:MOST_PEOPLE]
        rows.pictures[index] = still.bgr
        for name in PERSON.names or ():
            rows.truth[name][index, : len(nearest)] = getattr(people, name)[nearest]
        rows.count[index] = len(nearest)  # last: the row counts as rendered from here
    return len(indices)


def _crop_rows(first_seed: int, count: int, indices: list[int], root: Path) -> int:
    rows = open_crops(first_seed, count, root)
    for index in indices:
        crop = render_head_crop(first_seed + index, size=CROP_WH)
        rows.pictures[index] = crop.bgr
        for name in CROP.names or ():
            rows.truth[name][index, 0] = getattr(crop, name)
        rows.count[index] = 1
    return len(indices)


def seed_range(text: str) -> tuple[int, int]:
    """Read `FIRST+COUNT`.

    Raises:
        argparse.ArgumentTypeError: the text has another form.
    """
    first, plus, count = text.partition("+")
    if not (plus and first.isdecimal() and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected FIRST+COUNT such as 1000000+6000, got {text!r}")
    return int(first), int(count)


def main() -> None:
    """Render the sets named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    parser.add_argument("--stills", type=seed_range, action="append", default=[], metavar="FIRST+COUNT")
    parser.add_argument("--crops", type=seed_range, action="append", default=[], metavar="FIRST+COUNT")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for first_seed, count in arguments.crops:
        render_crops(first_seed, count, arguments.processes)
    for first_seed, count in arguments.stills:
        render_stills(first_seed, count, arguments.processes)


if __name__ == "__main__":
    main()
