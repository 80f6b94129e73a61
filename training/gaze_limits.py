"""What the gaze model would tell if it knew where heads point: `python -m training.gaze_limits`, ten minutes of a core.

The directions of head and eyes, which the network reads off each head, are replaced by the true ones, turned off by so
much. The last row is what no better reading of heads can pass, with the rest of the network as it is; how fast the rows
fall from there is what reading heads better is worth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.results import guarded
from training.cards import GAZE_FILE
from training.data import rendered
from training.gaze_net import GazeGraph
from training.measure_gaze import Feed, gaze_figures
from training.recipe import read_recipe
from training.record import MODELS, set_up
from training.shipped_weights import read_gaze

Array = NDArray[np.floating[Any]]

TURNED_DEG = (40.0, 30.0, 20.0, 10.0, 0.0)
"""Standard deviations of what true directions are turned off by."""


class Told:
    """The answers of a network, by the directions that it reads or by others; notes how far off these are."""

    def __init__(self, graph: GazeGraph, turned_deg: float | None, seed: int) -> None:
        """Take how far true directions are turned off; None: as read."""
        self._graph, self._turned_deg, self._rng = graph, turned_deg, np.random.default_rng(seed)
        self.off_deg: list[float] = []

    @torch.no_grad()
    def __call__(self, feed: Feed, vectors: Array) -> tuple[Array, Array]:
        """Return maps (M, 64, 64) and in-frame probabilities (M,) of heads with true vectors (M, 6)."""
        known = None if self._turned_deg is None else turned(vectors, self._turned_deg, self._rng)
        picture, boxes = (torch.from_numpy(part) for part in feed.values())
        goes_by = None if known is None else torch.from_numpy(known.astype(np.float32))
        maps, inout, told = self._graph.answer(picture, boxes, torch.zeros(1, dtype=torch.long), goes_by)
        cosine = (told.numpy()[:, 3:] * vectors[:, 3:]).sum(1)
        self.off_deg.extend(np.degrees(np.arccos(cosine.clip(-1, 1))))
        return maps.numpy(), inout.numpy()


def turned(vectors: Array, spread_deg: float, rng: np.random.Generator) -> Array:
    """Return vectors (M, 6), head xyz and gaze xyz, turned about an axis by a normal angle, one a row (Rodrigues)."""
    axis = rng.standard_normal((len(vectors), 3))
    axis -= (axis * vectors[:, 3:]).sum(1, keepdims=True) * vectors[:, 3:]  # across the gaze, which turns by all of it
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(rng.normal(0.0, spread_deg, (len(vectors), 1)))
    parts = [
        part * np.cos(angle)
        + np.cross(axis, part) * np.sin(angle)
        + axis * (axis * part).sum(1, keepdims=True) * (1 - np.cos(angle))
        for part in (vectors[:, :3], vectors[:, 3:])
    ]
    return np.concatenate(parts, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask with directions as read and with true ones, turned off less and less; print a table."""
    held_out = next(step.arguments["held_out"] for step in read_recipe() if step.program == "gaze" and step.ships)
    parser = argparse.ArgumentParser(prog="python -m training.gaze_limits", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--gaze", type=Path, default=MODELS / GAZE_FILE, help="file of it (default %(default)s)")
    parser.add_argument("--stills", default=held_out, metavar="STYLE:FIRST+COUNT", help="default %(default)s")
    options = parser.parse_args(arguments)
    set_up(0)
    graph, (rows,) = read_gaze(options.gaze, "--gaze"), rendered("stills", [options.stills])
    sys.stdout.write("directions         off: mean, median     AUC      L2  centroid  in/out AP\n")
    for spread in (None, *TURNED_DEG):
        told = Told(graph, spread, 0)
        figures = gaze_figures(told, rows)
        name = "as read" if spread is None else f"true, turned {spread:g}"
        mean, median = np.mean(told.off_deg), np.median(told.off_deg)
        sys.stdout.write(
            f"{name:19} {mean:8.1f} {median:11.1f} {figures['gaze_auc']:9.3f} {figures['gaze_l2']:7.3f}"
            f" {figures['gaze_l2_centroid']:9.3f} {figures['inout_ap']:10.3f}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
