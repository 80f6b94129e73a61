"""What the adaptive schedule of `estimate_gaze` spares, and what that costs in visits. Run by `benchmarks.smoothing`.

The shipped graph runs on each clip with a gaze call in every frame and, from the same tracks, on the schedule. Visits
of both are held against the script, as in `benchmarks.events`. The clips are others than those that the schedule was
chosen on, at 25 frames a second, as cameras have.

There are so few visits that one more or less is one per cent of their F1: the interval told beside the loss is where
it lies in 90 of 100 draws of as many clips from these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.clips import TrueClip, true_clips
from benchmarks.events_tally import VisitTally
from benchmarks.graph_runs import Recorded, record, shipped_graph
from benchmarks.results import ROOT, Figures
from benchmarks.visits import owners_of
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from scenes.sets import NamedSet, seed_set

Array = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

SEEDS = "9201-9230,9000022-9000033"
"""Among them all of the set bench-1."""
FPS = 25.0
EVERY_FRAME, ADAPTIVE = ("gaze.schedule=every_frame",), ("gaze.schedule=adaptive",)
SHARED = ("tracks", "facing")
OWN = ("gaze", "looks")
RIGHT, TOLD, TRUE, HEADS, FRAMES = range(5)
"""Columns of what is counted: visits that are right, told and true; heads asked about; frames looked at for them."""
DRAWS = 1000


def measure_schedule(
    chosen: NamedSet | None = None, folder: Path = ROOT / "out" / "bench" / "clips", sets: Sequence[str] = ()
) -> Figures:
    """Return the figures of the schedule by key.

    `calls_ratio` is the larger of `heads_ratio`, heads asked about, and `frames_ratio`, frames given to the model, both
    as shares of those with a call in every frame; `visits_f1_loss` the share of the F1 of visits that is lost.

    Args:
        chosen: clips, rendered at `FPS` whatever they say; None: those of `SEEDS`.
        folder: where rendered clips are kept.
        sets: further overrides for both ways, as `--set` of the program takes them.
    """
    chosen = replace(chosen or seed_set(SEEDS), fps=FPS, statistics={})
    counted = []
    for number, clip in enumerate(true_clips(chosen, folder), 1):
        print(f"schedule: clip {number} of {len(chosen.seeds)}: seed {clip.seed}", file=sys.stderr)
        counted.append(counts_of(clip, sets))
    return figures(np.array(counted).transpose(1, 0, 2))


def counts_of(clip: TrueClip, sets: Sequence[str] = ()) -> tuple[list[int], list[int]]:
    """Return what is counted on one clip with a call in every frame, and on the schedule."""
    stream = Stream("clip", StreamConfig(url=str(clip.video), aois=clip.aois))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shared = record(*shipped_graph(SHARED, sets), stream, SHARED, folder)
        owners = owners_of(shared.by_frame("tracks"), clip.frames)
        made = [
            record(*shipped_graph(OWN, [*sets, *way]), stream, OWN, folder, replay=SHARED)
            for way in (EVERY_FRAME, ADAPTIVE)
        ]
    every, adaptive = (_counts(recorded, owners, clip) for recorded in made)
    return every, adaptive


def figures(counted: Array) -> Figures:
    """Return the figures of counts (2, clips, 5), with a call in every frame first."""
    every, adaptive = counted.sum(axis=1)
    heads, frames = (adaptive[column] / max(every[column], 1) for column in (HEADS, FRAMES))
    rng = np.random.default_rng(1)
    drawn = [
        _loss(*counted[:, rng.integers(counted.shape[1], size=counted.shape[1])].sum(axis=1)) for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, [5, 95])
    found = {
        "calls_ratio": max(heads, frames),
        "visits_f1_loss": _loss(every, adaptive),
        "heads_ratio": heads,
        "frames_ratio": frames,
        "every_frame_f1": _f1(every),
        "adaptive_f1": _f1(adaptive),
        "visits_f1_loss_p5": low,
        "visits_f1_loss_p95": high,
    }
    return {key: round(float(value), 4) for key, value in found.items()}


def _counts(recorded: Recorded, owners: dict[int, int], clip: TrueClip) -> list[int]:
    tally = VisitTally()
    tally.add(recorded.whole("looks"), owners, clip)
    asked = [
        int((maps.asked_ns == frame.pts_ns[0]).sum())
        for frame, maps in zip(recorded.frames(), recorded.by_frame("gaze"), strict=True)
    ]
    count = tally.count
    return [count.right, count.right + count.wrong, count.wanted, sum(asked), sum(number > 0 for number in asked)]


def _f1(counts: Array) -> float:
    return float(2 * counts[RIGHT] / max(counts[TOLD] + counts[TRUE], 1))


def _loss(every: Array, adaptive: Array) -> float:
    whole = _f1(every)
    return 1 - _f1(adaptive) / whole if whole else 0.0
