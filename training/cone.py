"""Choose the constants of `estimate_gaze_from_direction`: `python -m training.cone`, a minute on one core.

Heads of rendered clips whose targets are known are given to the cone with their true direction. For each constant,
values about the one that ships are tried while the others stay: how surprising it is whether the target is in the
picture (mean of -log of the probability), how surprising its cell is where it is, against a map that is even, and how
far from the target the centre of the map's hill is, in fractions of the frame (median).

Clips are those of the seeds given; never use seeds that a benchmark is scored on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.results import guarded
from nodes.estimate_gaze_from_direction import Config
from nodes.ops.cone import Looks, Prior, cone_maps
from nodes.ops.distance import lens_of
from nodes.ops.heatmap import cell_centres, hills
from scenes.clip import Clip
from scenes.sets import LEAST_VISIBLE, seed_set

Array = np.ndarray[Any, np.dtype[Any]]

TRIED: dict[str, tuple[float, ...]] = {
    "head_spread_deg": (8, 10, 13, 16, 20),
    "distance_m": (1.2, 1.6, 2.1, 2.6, 3.2),
    "distance_spread": (0.4, 0.5, 0.63, 0.8, 1.0),
    "head_height_m": (0.2, 0.22, 0.25, 0.28),
    "clear_share": (0.01, 0.5, 0.6, 0.7, 0.8, 0.9),
    "hfov_deg": (40, 50, 60, 75, 90),
}
"""What is tried, by the fields of the node."""
AT_ONCE = 64
LEAST = 1e-3
"""Probabilities count as at least this and at most 1 less this; cells as at least 0.02 of an even map."""


@dataclass(frozen=True)
class Known:
    """N heads and what they look at."""

    head_box: Array
    direction: Array
    """(N, 3) of the nose, about the line of sight."""
    target: Array
    """(N, 2) fractions of the frame."""
    in_frame: Array
    aspect: Array


def known_of(clips: Iterable[Clip], every_s: float) -> Known:
    """Return the heads of clips, looked at every so many seconds."""
    rows: list[Array] = []
    for clip in clips:
        width, height = clip.size_wh
        for index in range(0, len(clip), max(1, round(every_s * clip.fps))):
            people = clip.frame(index).people
            told = (people.head_box, people.head_vector, people.target_point, people.in_frame[:, None])
            aspect = np.full((len(people), 1), width / height)
            rows.append(np.concatenate([*told, aspect], axis=1)[people.head_visible >= LEAST_VISIBLE])
    every = np.concatenate(rows)
    return Known(every[:, :4], every[:, 4:7], every[:, 7:9], every[:, 9] > 0, every[:, 10])


def measured(known: Known, config: Config) -> tuple[float, float, float]:
    """Return the surprise of in or out, that of the cell, and the median miss of the hill."""
    prior = Prior(config.head_height_m, config.distance_m, config.distance_spread, config.clear_share)
    lenses = np.stack([lens_of(config.hfov_deg, aspect) for aspect in known.aspect.tolist()])
    looks = Looks(known.head_box, known.direction, np.full(len(lenses), config.head_spread_deg), np.linalg.inv(lenses))
    parts = [
        cone_maps(Looks(*(getattr(looks, name)[k : k + AT_ONCE] for name in vars(looks))), config.map_wh, prior)
        for k in range(0, len(lenses), AT_ONCE)
    ]
    maps, inside = np.concatenate(parts).astype(np.float64), known.in_frame
    chance = np.clip(maps.sum(axis=(1, 2)), LEAST, 1 - LEAST)
    of_inside = -np.log(np.where(inside, chance, 1 - chance)).mean()
    column, row = np.clip(known.target[inside] * config.map_wh, 0, np.array(config.map_wh) - 1).astype(int).T
    share = maps[inside, row, column] / np.maximum(maps[inside].sum(axis=(1, 2)), LEAST)
    of_cell = -np.log(share * maps[0].size + 0.02).mean()
    x, y = (cell_centres(count) for count in config.map_wh)
    centre, _ = hills(maps[inside], x, y, 0.5)
    return float(of_inside), float(of_cell), float(np.median(np.linalg.norm(centre - known.target[inside], axis=1)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try values and print what each comes to."""
    parser = argparse.ArgumentParser(prog="python -m training.cone", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", default="9301-9420", help="clips (default 9301-9420)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips (default 8)")
    options = parser.parse_args(arguments)
    known = known_of(seed_set(options.seeds, seconds=options.seconds).clips(), every_s=2.0)
    shipped = Config()
    sys.stdout.write(f"# {len(known.in_frame)} heads, {int(known.in_frame.sum())} look at something in the picture\n")
    for name, values in TRIED.items():
        for value in values:
            of_inside, of_cell, miss = measured(known, shipped.model_copy(update={name: value}))
            ships = "  ships" if value == getattr(shipped, name) else ""
            sys.stdout.write(f"{name:16} {value:5g}  {of_inside:.3f}  {of_cell:.3f}  {miss:.3f}{ships}\n")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
