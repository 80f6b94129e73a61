"""Measure how things that never move are told from people who hardly do: `python -m benchmarks.still`.

Rendered (`benchmarks.still_clips`), at two qualities of H.264: `things_gone` is the share of the heads of things that
is left out in the last ten seconds, `gone_after_s_p50` when a thing goes first, `people_left_out` how many of those who
sway by `--sway-mm` were ever left out.

With GAZE_REAL_DATA: heads left out in clips of people alone with a stillness of 3 s, which is shorter than they are;
and the aisle of crockery, looped to a minute, with shipped values: false heads per 10 labelled frames of its first and
its last loop, and labelled heads found in each.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import real_labels as labels
from benchmarks.graph_runs import record, shipped_graph
from benchmarks.looped import write_looped
from benchmarks.real_tally import Tally
from benchmarks.results import Figures, command_line, finish, guarded, models_used
from benchmarks.still_clips import FPS, encode, still_clip
from benchmarks.still_tally import StillTally
from benchmarks.still_time import ms_per_frame
from nodes.types import Detections
from pipeline.frames import Stream
from pipeline.streams import StreamConfig

QUALITIES = {"fair": 24, "poor": 34}
"""H.264 rate factors."""
AISLE = "intel_sample_videos/store-aisle-detection.preview.mp4"
AISLE_WH = (480, 270)
LOOPED_S = 60.0
SHORT = ("living.still_s=3",)
"""Overrides with which even short clips could lose people."""


def rendered(seeds: Sequence[int], sway_m: float, seconds: float) -> tuple[Figures, Figures]:
    """Return the figures of rendered clips, and what explains them."""
    tallies = {name: StillTally() for name in QUALITIES}
    for number, seed in enumerate(seeds, 1):
        print(f"clip {number} of {len(seeds)}: seed {seed}", file=sys.stderr)
        clip = still_clip(seed, sway_m, seconds)
        made = list(clip.frames())
        things = np.array([figure.person_id for figure in clip.things])
        for name, quality in QUALITIES.items():
            with tempfile.TemporaryDirectory() as folder:
                video = Path(folder) / "clip.mp4"
                encode((bgr for bgr, _ in made), video, quality)
                found, left = _run(video)
            tallies[name].add(found, left, [truth for _, truth in made], things, FPS)
    figures = {f"{name}.{key}": value for name, tally in tallies.items() for key, value in tally.figures().items()}
    return figures, {name: tally.details() for name, tally in tallies.items()}


def real(folder: Path) -> Figures:
    """Return the figures of real footage."""
    heads = labels.read_heads(folder)
    lost = 0
    for clip in labels.clips(folder):
        if clip != AISLE:
            print(clip, file=sys.stderr)
            lost += sum(_heads(a) - _heads(b) for a, b in zip(*_run(folder / clip, SHORT), strict=True))
    with tempfile.TemporaryDirectory() as name:
        video = Path(name) / "aisle.mp4"
        once = write_looped(folder / AISLE, 0.0, video)
        frames = write_looped(folder / AISLE, LOOPED_S, video)
        _, left = _run(video)
    known = heads[AISLE]
    first, last = Tally(), Tally()
    for number, boxes in known.items():
        truth = boxes.in_frame(np.array(AISLE_WH))
        first.add_heads(AISLE, left[number], truth)
        last.add_heads(AISLE, left[frames - once + number], truth)
    return {
        "real.people_left_out": lost,
        **{
            f"real.{key}_{when}": tally.figures()[key]
            for when, tally in (("first", first), ("last", last))
            for key in ("head_false_per_10_frames", "head_recall")
        },
    }


def _run(video: Path, sets: Sequence[str] = ()) -> tuple[list[Detections], list[Detections]]:
    """Return what was found, and what is left of it, in each frame of a clip."""
    edges = ("people", "living")
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream("clip", StreamConfig(url=str(video)))
        recorded = record(*shipped_graph(edges, sets), stream, edges, Path(folder))
    return recorded.by_frame("people"), recorded.by_frame("living")


def _heads(people: Detections) -> int:
    return int((~np.isnan(people.head_box[:, 0])).sum())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    figures, details = rendered(seeds, options.sway_mm / 1000, options.seconds)
    named = os.environ.get("GAZE_REAL_DATA")
    if named:
        figures |= real(Path(named))
    figures["ms_per_frame"] = ms_per_frame(time.process_time)
    details |= {"sway_mm": options.sway_mm, "models": models_used()}
    return finish("still", figures, details, options)


def _parser() -> argparse.ArgumentParser:
    parser = command_line("still", "Measure how things that never move are told from people who hardly do.")
    parser.add_argument("--seeds", default="7101-7103", help="rendered clips (default 7101-7103)")
    parser.add_argument("--seconds", type=float, default=48.0, help="length of a clip (default 48)")
    parser.add_argument("--sway-mm", type=float, default=2.0, help="sway of those who sit still (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
