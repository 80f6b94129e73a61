"""Fit how the height of a gaze map's peak tells whether what is looked at is in the frame.

For gaze models without an in/out output, which were taught on targets in the frame alone: where there are none, their
peaks are low. `python -m training.peak_in_frame --model CARD` runs the model on rendered stills whose truth is known,
fits a logistic regression to all but the last third of them, measures it on these, and prints the block for the card.
Of a model that has an in/out output it tells how well that does beside it: what is lost without one. Where the surprise
by the peak is not below that of the share alone, peaks say nothing.

Stills are those of the seeds given; never use seeds that a benchmark is scored on. Rendered people are not real ones:
fit to labelled frames of your own where you have them.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gaze_scores import average_precision
from benchmarks.results import ROOT, guarded
from nodes.adapters.gaze_models import GazeModel, open_gaze_model
from nodes.ops.heatmap import in_frame_by_peak, log_odds
from pipeline.card_fields import PeakInFrame
from pipeline.device import open_device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context
from scenes.still import Still, render_still
from training.batches import judged_heads
from training.choice import Choices, fit
from training.data import SeedSet
from training.record import set_up

logger = logging.getLogger(__name__)

Array = np.ndarray[Any, np.dtype[Any]]

STILL_WH = (640, 384)
MEASURED_SHARE = 1 / 3


@dataclass(frozen=True)
class Heads:
    """What a model says of N heads, and what is true."""

    peak: Array
    """(N,) height of the map's peak."""
    told: Array
    """(N,) in-frame probability as the model's in/out output has it; of a model without one not to be used."""
    inside: Array
    """(N,) bool: what is looked at is in the frame."""


def seen(model: GazeModel, stills: Iterable[Still]) -> Heads:
    """Ask a model about the heads of stills that are large and plain enough to be judged.

    Raises:
        ValueError: not both of people who look into the frame and people who look out of it are among them.
    """
    parts = [_asked(model, still) for still in stills]
    peak, told, inside = (
        (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [np.empty(0, np.bool_)] * 3
    )
    if inside.all() or not inside.any():
        looking = int(inside.sum())
        raise ValueError(
            "--stills: expected people who look into the frame and others who look out of it, in the first two thirds "
            f"and in the last, got {looking} and {len(inside) - looking}; give more stills"
        )
    return Heads(peak, told, inside)


def fitted(heads: Heads) -> PeakInFrame:
    """Return the values that make the truth likeliest.

    Raises:
        ModelError: higher peaks do not speak for targets in the frame.
    """
    evidence = np.stack([log_odds(heads.peak.astype(np.float64)), np.ones(len(heads.peak))], axis=1)
    number = np.arange(len(evidence))
    (slope, offset), _ = fit(Choices(evidence, number, np.where(heads.inside, number, -1)))
    if slope <= 0:
        raise ModelError(
            f"peak_in_frame: expected higher peaks where people look into the frame, got a slope of {slope:.3f}; "
            "choose a model with an in/out output"
        )
    even_at = 1 / (1 + np.exp(offset / slope))
    return PeakInFrame(even_at=round(float(even_at), 4), slope=round(float(slope), 3))


def figures(heads: Heads, by: PeakInFrame) -> dict[str, float]:
    """Return how well peaks tell, and in/out beside them: average precision, and mean of -log of the probability."""
    chance = in_frame_by_peak(heads.peak[:, None, None], by.even_at, by.slope)
    inside = heads.inside
    found = {
        "heads": len(inside),
        "in_frame": float(inside.mean()),
        "ap_by_peak": average_precision(inside, chance.astype(np.float64)),
        "ap_by_in_out": average_precision(inside, heads.told.astype(np.float64)),
        "surprise_by_peak": _surprise(inside, chance),
        "surprise_by_in_out": _surprise(inside, heads.told),
        "surprise_of_the_share": _surprise(inside, np.full(len(inside), inside.mean())),
    }
    return {key: round(value, 4) for key, value in found.items()}


def _asked(model: GazeModel, still: Still) -> tuple[Array, Array, Array]:
    people = still.people
    judged = judged_heads(people, still.bgr.shape[0])
    boxes = people.head_box[judged].astype(np.float32)
    maps, told = model.look(_frame(still.bgr), np.zeros(len(boxes), np.int64), boxes)
    return maps.max(axis=(1, 2), initial=0.0), told, people.in_frame[judged]


def _frame(bgr: Array) -> FrameBatch:
    zero = np.zeros(1, np.int64)
    size_wh = np.array([bgr.shape[1::-1]], np.int32)
    return FrameBatch(("stills",), zero, zero, zero, zero, size_wh, (Picture((bgr,), "bgr"),), {})


def _surprise(true: Array, chance: Array) -> float:
    kept = np.clip(chance.astype(np.float64), 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(true, kept, 1 - kept)).mean())


def _rendered(chosen: SeedSet, begin: int, end: int) -> Iterator[Still]:
    for index in range(begin, end):
        if index % 50 == 0:
            logger.info("still %d of %d", index, chosen.count)
        yield render_still(chosen.first + index, STILL_WH, style=chosen.style)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m training.peak_in_frame", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--model", default="gaze-shop-480", metavar="CARD", help="default gaze-shop-480")
    parser.add_argument(
        "--stills", default="plain:9400000+600", metavar="STYLE:FIRST+COUNT", help="default %(default)s"
    )
    options = parser.parse_args(arguments)
    chosen = SeedSet.parse("stills", options.stills)
    set_up(seed=0)
    context = Context("peak_in_frame", open_device("cpu"), Path(), ROOT, Graph("", ()))
    model = open_gaze_model(context, options.model, "--model")
    kept = chosen.count - int(chosen.count * MEASURED_SHARE)
    by = fitted(seen(model, _rendered(chosen, 0, kept)))
    measured = figures(seen(model, _rendered(chosen, kept, chosen.count)), by)
    if not model.tells_in_frame:
        measured = {key: value for key, value in measured.items() if not key.endswith("in_out")}
    told = "".join(f"# {key}: {value}\n" for key, value in measured.items())
    sys.stdout.write(f"{told}gaze:\n  peak_in_frame: {{even_at: {by.even_at}, slope: {by.slope}}}\n")
    model.close()
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
