"""Render stills and head crops to disk, one seed a row, and read them back.

A set is named by style and seeds, as in `full:3000000+6000`, and is a folder of plain .npy files: `pictures`
(n, H, W, 3) u8 BGR and the truth of each row. A row depends on its style and seed alone, so a set that was interrupted
goes on where it stopped and a complete one is used again. Rendering takes all cores.

    python -m training.data --stills full:3000000+6000 --crops plain:1000000+24000
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from scenes.crops import render_head_crop
from scenes.still import render_still
from scenes.style import Style
from training.recipe import ROOT, sets_of

logger = logging.getLogger(__name__)

STILL_WH = (480, 288)
CROP_WH = 96
MOST_PEOPLE = 32
NOT_RENDERED = -1
_CHUNK = 50

Kind = Literal["stills", "crops"]

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
        ("face_box", np.float32, (4,)),
        ("face_visible", np.float32),
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


@dataclass(frozen=True)
class SeedSet:
    """Pictures of one kind and style with seeds first .. first + count - 1."""

    kind: Kind
    style: Style
    first: int
    count: int

    @classmethod
    def parse(cls, kind: Kind, text: str) -> Self:
        """Read `STYLE:FIRST+COUNT`.

        Raises:
            ValueError: the text has another form.
        """
        match = re.fullmatch(r"(?P<style>[^:]+):(?P<first>\d+)\+(?P<count>[1-9]\d*)", text)
        if match is None:
            raise ValueError(f"{kind}: expected STYLE:FIRST+COUNT such as full:3000000+6000, got {text!r}")
        return cls(kind, Style.parse(match["style"]), int(match["first"]), int(match["count"]))

    def folder(self, root: Path) -> Path:
        """Return where the set is kept."""
        return root / f"{self.kind}-{self.style}-{self.first}-{self.count}"


def open_set(chosen: SeedSet, root: Path = ROOT) -> Rows:
    """Open or create the files of a set.

    Raises:
        ValueError: the folder holds files of another form.
    """
    folder, count = chosen.folder(root), chosen.count
    folder.mkdir(parents=True, exist_ok=True)
    stills = chosen.kind == "stills"
    height_width = (STILL_WH[1], STILL_WH[0]) if stills else (CROP_WH, CROP_WH)
    wanted = {
        "pictures": ((count, *height_width, 3), np.dtype(np.uint8)),
        "truth": ((count, MOST_PEOPLE if stills else 1), PERSON if stills else CROP),
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


def rendered(kind: Kind, texts: Sequence[str], root: Path = ROOT, processes: int | None = None) -> list[Rows]:
    """Render what is missing of some sets and return them; on all cores unless told otherwise."""
    sets = [SeedSet.parse(kind, text) for text in texts]
    return [_filled(chosen, root, processes or os.cpu_count() or 1) for chosen in sets]


def _filled(chosen: SeedSet, root: Path, processes: int) -> Rows:
    rows = open_set(chosen, root)
    missing = np.flatnonzero(np.asarray(rows.count) == NOT_RENDERED)
    if not len(missing):
        return rows
    begin = time.perf_counter()
    parts = chunks(missing, processes)
    with ProcessPoolExecutor(processes, initializer=_one_thread) as pool:
        done = 0
        for made in pool.map(_render, *zip(*((chosen, part, root) for part in parts), strict=True)):
            done += made
            if done % 1000 < made:
                spent = time.perf_counter() - begin
                logger.info("%s of %d rendered, %.1f ms each", done, len(missing), 1e3 * spent / done)
    return rows


def chunks(missing: NDArray[np.int64], processes: int) -> list[list[int]]:
    """Return rows in parts that a process renders at a time: not many, and of small sets as many as processes."""
    size = min(_CHUNK, -(-len(missing) // processes))
    return [missing[k : k + size].tolist() for k in range(0, len(missing), size)]


def _one_thread() -> None:
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)


def _render(chosen: SeedSet, indices: list[int], root: Path) -> int:
    rows = open_set(chosen, root)
    for index in indices:
        (_render_still if chosen.kind == "stills" else _render_crop)(rows, index, chosen.first + index, chosen.style)
    return len(indices)


def _render_still(rows: Rows, index: int, seed: int, style: Style) -> None:
    still = render_still(seed, size_wh=STILL_WH, style=style)
    people = still.people
    nearest = np.argsort(-(people.head_box[:, 3] - people.head_box[:, 1]), kind="stable")[:MOST_PEOPLE]
    rows.pictures[index] = still.bgr
    for name in PERSON.names or ():
        rows.truth[name][index, : len(nearest)] = getattr(people, name)[nearest]
    rows.count[index] = len(nearest)  # last: the row counts as rendered from here


def _render_crop(rows: Rows, index: int, seed: int, style: Style) -> None:
    crop = render_head_crop(seed, size=CROP_WH, style=style)
    rows.pictures[index] = crop.bgr
    for name in CROP.names or ():
        rows.truth[name][index, 0] = getattr(crop, name)
    rows.count[index] = 1


def sets_to_render(crops: list[str] | None, stills: list[str] | None) -> dict[Kind, list[str]]:
    """Return by kind the sets that were named; where none was, all that the recipe needs."""
    if crops is None and stills is None:
        return {"crops": sets_of("crops"), "stills": sets_of("stills")}
    return {"crops": crops or [], "stills": stills or []}


def main() -> None:
    """Render the sets named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    for kind in ("crops", "stills"):
        usual = f"default: {sets_of(kind)}"
        parser.add_argument(f"--{kind}", nargs="+", metavar="STYLE:FIRST+COUNT", help=usual)
    parser.add_argument("--processes", type=int, help="default: one for each core")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for kind, named in sets_to_render(arguments.crops, arguments.stills).items():
        rendered(kind, named, processes=arguments.processes)


if __name__ == "__main__":
    main()
