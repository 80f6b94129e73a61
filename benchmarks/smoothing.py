"""Measure the gaze filter beside its peers, and the schedule of gaze calls: `python -m benchmarks.smoothing`.

The clips of the set bench-1, rendered at 30 frames a second, go through the shipped graph with a gaze call in every
frame. Every filter gets the same points: `none` leaves them as they are, `ours` is `smooth_gaze` as it runs in the
graph, with the maps. What the figures are is said in `benchmarks.smoothing_tally`.

Values of all filters, ours too, were chosen on clips kept apart; those of the peers with --choose --seeds 9301-9348:
the smallest `l2` among those that reach what is asked of ours, jitter down by 70 % and a lag of 120 ms at most; for
their in-frame probability, the best `inout_f1`.

The schedule is measured by `benchmarks.gaze_schedule`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import TrueClip, true_clips
from benchmarks.gaze_schedule import measure_schedule
from benchmarks.graph_runs import record, shipped_graph
from benchmarks.point_filters import averaged, one_euro
from benchmarks.results import Figures, command_line, finish, guarded, models_used
from benchmarks.smoothing_tally import Course, SmoothingTally, courses_of
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from scenes.sets import NamedSet, named_set, seed_set

Array = np.ndarray[Any, np.dtype[Any]]

FPS = 30.0
EDGES = ("tracks", "points", "steady")
EVERY_FRAME = ("gaze.schedule=every_frame",)
"""Overrides that have the gaze model asked about every head in every frame."""

EMA_POINT, EMA_IN_FRAME = (0.09,), (0.07,)
EURO_POINT, EURO_IN_FRAME = (0.8, 3.0, 0.3), (1.2, 0.7, 2.0)
"""Values of the peers, as `averaged` and `one_euro` take them."""

MOST_JITTER, MOST_LAG_MS = 0.3, 120.0
TAUS_S = [(tau,) for tau in (0.02, 0.03, 0.05, 0.07, 0.08, 0.09, 0.1, 0.12, 0.15, 0.2, 0.3)]
EUROS = list(
    product((0.1, 0.3, 0.5, 0.8, 1.2, 2.0), (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0), (0.3, 0.5, 1.0, 2.0))
)


def measured(clip: TrueClip) -> list[Course]:
    """Run the graph on a clip and return its tracks with what all filters make of them."""
    stream = Stream("clip", StreamConfig(url=str(clip.video), aois=clip.aois))
    with tempfile.TemporaryDirectory() as folder:
        recorded = record(*shipped_graph(EDGES, EVERY_FRAME), stream, EDGES, Path(folder))
    return [with_peers(course) for course in courses_of(clip, recorded)]


def with_peers(course: Course) -> Course:
    """Return a course with what the peers make of it."""
    course = filtered(course, "ema", averaged, EMA_POINT, EMA_IN_FRAME)
    return filtered(course, "one_euro", one_euro, EURO_POINT, EURO_IN_FRAME)


def filtered(
    course: Course,
    name: str,
    by: Callable[..., Array],
    of_point: Sequence[float],
    of_in_frame: Sequence[float],
) -> Course:
    """Return a course with what one filter makes of its unfiltered points and in-frame probabilities."""
    point = by(course.points["none"], course.at_s, *of_point)
    in_frame = by(course.in_frame_prob["none"][:, None], course.at_s, *of_in_frame)
    return course.with_filter(name, point, in_frame[:, 0])


def choices(courses: Sequence[Course]) -> Iterator[str]:
    """Yield for each peer the values that are best on some courses, and how good they are."""
    for name, by, values in (("ema", averaged, TAUS_S), ("one_euro", one_euro, EUROS)):
        tried = [(value, _figures_of(courses, name, by, value)) for value in values]
        bare = _figures_of(courses, "none")
        fit = [(value, found) for value, found in tried if _calm_and_quick(found, bare)]
        best = min(fit or tried, key=lambda pair: float(pair[1]["l2"]))
        surest = max(tried, key=lambda pair: float(pair[1]["inout_f1"]))
        yield f"{name}: point {best[0]}: {best[1]}; in-frame {surest[0]}: {surest[1]['inout_f1']}"
    yield f"none: {bare}\nours: {_figures_of(courses, 'ours')}"


def _calm_and_quick(found: Figures, bare: Figures) -> bool:
    if found["jitter"] is None or found["lag_ms"] is None:
        raise ValueError(
            "smoothing: expected clips with rests and shifts of the gaze to choose on, got none; take more"
        )
    return bool(found["jitter"] <= MOST_JITTER * bare["jitter"] and found["lag_ms"] <= MOST_LAG_MS)


def _figures_of(
    courses: Iterable[Course], name: str, by: Callable[..., Array] | None = None, value: Sequence[float] = ()
) -> Figures:
    tally = SmoothingTally()
    for course in courses:
        tally.add(filtered(course, name, by, value, value) if by else course)
    return tally.figures(name)


def compared(tally: SmoothingTally) -> Figures:
    """Return the figures of all filters, and those of ours beside the others."""
    names = ("none", "ema", "one_euro", "ours")
    of = {name: tally.figures(name) for name in names}
    bare, euro, ours = of["none"], of["one_euro"], of["ours"]
    better = [ours[key] < euro[key] for key in ("l2", "jitter", "lag_ms") if ours[key] is not None]
    return {
        **{f"{name}.{key}": value for name in names for key, value in of[name].items()},
        "l2_down": round(1 - ours["l2"] / bare["l2"], 4) if bare["l2"] else None,
        "jitter_down": round(1 - ours["jitter"] / bare["jitter"], 4) if bare["jitter"] else None,
        "better_than_one_euro": sum(better),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    chosen: NamedSet = named_set("bench-1")
    if options.seeds:
        chosen = seed_set(options.seeds, seconds=options.seconds)
    figures: Figures = {}
    details: Figures = {"set": chosen.name, "fps": FPS, "models": models_used()}
    if "filters" in options.only:
        clips = true_clips(replace(chosen, fps=FPS, statistics={}), options.out / "clips")
        courses = []
        for number, clip in enumerate(clips, 1):
            print(f"clip {number} of {len(chosen.seeds)}: seed {clip.seed}", file=sys.stderr)
            courses += measured(clip)
        if options.choose:
            sys.stdout.writelines(f"{line}\n" for line in choices(courses))
            return 0
        tally = SmoothingTally()
        for course in courses:
            tally.add(course)
        figures |= compared(tally)
        details |= tally.details()
    if "schedule" in options.only:
        found = measure_schedule(chosen if options.seeds else None, options.out / "clips")
        figures |= {f"schedule.{key}": value for key, value in found.items()}
    return finish("smoothing", figures, details, options)


def _parser() -> argparse.ArgumentParser:
    parser = command_line("smoothing", "Measure the gaze filter beside its peers, and the schedule of gaze calls.")
    parser.add_argument("--seeds", metavar="9001-9010", help="clips of one's own in place of the set bench-1")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips of --seeds (default 8)")
    parser.add_argument("--choose", action="store_true", help="print the best values of the peers on these clips")
    both = ("filters", "schedule")
    parser.add_argument("--only", nargs="+", choices=both, default=both, help="measure only this")
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
