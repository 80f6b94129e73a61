"""Measure what is made of the parts of people: whose they are, and how far away heads are.

    python -m benchmarks.wholebody [--crowds 200]

Crowds are made up (`benchmarks.bodies`), scenes are rendered (`scenes/`). With GAZE_REAL_DATA, distances are also held
against the camera matrix of its clip retail02: that says how far both agree, not which is right.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bodies import SIZE_WH, Found, crowd
from benchmarks.distances import of_retail02, rendered
from benchmarks.results import Figures, command_line, finish, guarded, share
from nodes.ops.part_fit import People, owners
from nodes.ops.skeleton import isotropic
from nodes.ops.wholebody import BODY, HEAD
from nodes.track_parts import Config

Array = np.ndarray[Any, np.dtype[Any]]

SIZES = (2, 4, 8)
"""People of a crowd."""
FIRST_SEED = 5000
"""Of crowds and scenes by which nothing was chosen."""


def main() -> int:
    """Measure, print, write."""
    parser = command_line("wholebody", "Measure whose parts are and how far heads are away.")
    parser.add_argument("--crowds", type=int, default=200, metavar="N", help="crowds of each size; default: 200")
    parser.add_argument("--scenes", type=int, default=24, metavar="N", help="rendered scenes; default: 24")
    arguments = parser.parse_args()
    figures, details = measure(arguments)
    return finish("wholebody", figures, details, arguments)


def measure(arguments: argparse.Namespace) -> tuple[Figures, Figures]:
    """Return the figures, and what explains them."""
    figures: Figures = {}
    details: Figures = {}
    for size in SIZES:
        counts = np.zeros(3, np.int64)
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.crowds):
            rng = np.random.default_rng(seed)
            counts += count_right(crowd(rng, (5.0, 35.0), size), rng)
        figures[f"parts_of_{size}.right"] = share(int(counts[0]), int(counts[2]))
        figures[f"parts_of_{size}.right_by_first_box"] = share(int(counts[1]), int(counts[2]))
        details[f"parts_of_{size}"] = int(counts[2])
    told = rendered(range(FIRST_SEED, FIRST_SEED + arguments.scenes), 4)
    for name, metres in (("ours", told.ours_m), ("upstream", told.upstream_m)):
        ratio = metres / told.true_m
        figures[f"distance.error_{name}"] = float(np.abs(ratio - 1).mean())
        figures[f"distance.median_ratio_{name}"] = float(np.median(ratio))
    details["heads"] = len(told.true_m)
    if folder := os.environ.get("GAZE_REAL_DATA"):
        by_head, by_floor = of_retail02(Path(folder) / "retail02")
        ratio = np.log(by_head / by_floor)
        figures["retail02.ratio_to_matrix"] = float(np.exp(np.median(ratio)))
        figures["retail02.spread"] = float(np.std(ratio))
        figures["retail02.correlation"] = float(np.corrcoef(by_head, by_floor)[0, 1])
        details["retail02"] = len(by_head)
    return figures, details


def count_right(found: Found, rng: np.random.Generator) -> Array:
    """Return how many parts of a crowd find their person, how many by the first body that holds them, and all (3,)."""
    people = int(found.person.max(initial=-1)) + 1
    whole = np.full((2, people, 4), np.nan)
    boxes = isotropic(found.box, np.full(len(found.box), SIZE_WH[0] / SIZE_WH[1]))
    for side, label in enumerate((HEAD, BODY)):
        whole[side, found.person[found.label == label]] = boxes[found.label == label]
    known = People.of(whole[0], whole[1])
    small = ~np.isin(found.label, (BODY, HEAD))
    ours = owners(found.label, boxes, known, Config().min_fit)
    middle, order = (boxes[:, :2] + boxes[:, 2:]) / 2, rng.permutation(people)
    holds = np.all((middle[:, None] >= whole[1, order, :2]) & (middle[:, None] <= whole[1, order, 2:]), axis=2)
    first = np.where(np.any(holds, axis=1), order[np.argmax(holds, axis=1)], -1) if people else ours
    right = [np.count_nonzero((told == found.person) & small) for told in (ours, first)]
    return np.array([*right, np.count_nonzero(small)])


if __name__ == "__main__":
    raise SystemExit(guarded(main))
