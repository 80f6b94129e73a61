"""Measure looked-at events: `python -m benchmarks.events`. Right ones, calibrated, fast, and none lost.

On clips never used for any choice: (`logic`) visits from true tracks and true gaze, the event layer alone; (`whole`)
visits of the shipped graph; (`peak_point_baseline`) visits by the same rules from the bare peak of each gaze map;
(`ece`) how far told probabilities are from what is true of them. True visits are those of `benchmarks.accuracy`.

Then how fast events are published, and a consumer's log after random kills against that of an undisturbed run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bus import measure_bus
from benchmarks.chaos import measure_chaos
from benchmarks.clips import TrueClip, true_clips
from benchmarks.event_inputs import TRUST, peak_hits, write_truth
from benchmarks.events_tally import CalibrationTally, VisitTally
from benchmarks.graph_runs import record, shipped_graph, write_recording
from benchmarks.results import Figures, command_line, finish, guarded, models_used
from benchmarks.visits import owners_of
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from scenes.sets import named_set, seed_set

WHOLE = ("tracks", "gaze", "hits", "looks")


class Accuracy:
    """The ways to visits, side by side on the same clips."""

    def __init__(self, sets: Sequence[str] = ()) -> None:
        """Take values other than those that ship, as `--set` of the program does."""
        self._sets = sets
        self.logic, self.flat, self.whole, self.peaks = VisitTally(), VisitTally(), VisitTally(), VisitTally()
        self.calibration = CalibrationTally()

    def add(self, clip: TrueClip) -> None:
        """Run the graph and parts of it on one clip."""
        stream = Stream("clip", StreamConfig(url=str(clip.video), aois=clip.aois))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            recorded = record(*shipped_graph(WHOLE, self._sets), stream, WHOLE, folder)
            tracks, gaze = recorded.by_frame("tracks"), recorded.by_frame("gaze")
            owners = owners_of(tracks, clip.frames)
            self.whole.add(recorded.whole("looks"), owners, clip)
            for hits, truth in zip(recorded.by_frame("hits"), clip.frames, strict=True):
                self.calibration.add(hits, owners, truth)

            ticks = recorded.edges["tracks"]
            peaks = [peak_hits(maps, seen, clip.aois) for maps, seen in zip(gaze, tracks, strict=True)]
            write_recording("hits", ticks, peaks, folder)
            looks = shipped_graph(["looks"], self._sets)
            replayed = record(*looks, stream, ["looks"], folder, replay=["hits", "tracks"])
            self.peaks.add(replayed.whole("looks"), owners, clip)

            people = {int(person): int(person) for truth in clip.frames for person in truth.person_id}
            looks = shipped_graph(["looks"], [*self._sets, *TRUST])
            for tally, areas in ((self.logic, clip.aois), (self.flat, None)):
                replay = write_truth(clip, areas, ticks, folder)
                replayed = record(*looks, stream, ["looks"], folder, replay=replay)
                tally.add(replayed.whole("looks"), people, clip)

    def figures(self, fps: float) -> Figures:
        """Return the figures by key."""
        logic = {**self.logic.figures(), **self.logic.timing(fps)}
        whole, peaks = self.whole.figures(), self.peaks.figures()
        gained = None
        if whole["f1"] is not None and peaks["f1"] not in (None, 1.0):
            gained = round((whole["f1"] - peaks["f1"]) / (1 - peaks["f1"]), 4)
        return {
            **{f"logic.{key}": value for key, value in logic.items()},
            **{f"whole.{key}": value for key, value in whole.items()},
            **{f"peak_point_baseline.{key}": value for key, value in peaks.items()},
            "missing_f1_gained": gained,
            "ece": self.calibration.expected_error(),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    figures: Figures = {}
    details: Figures = {"models": models_used()}
    if not options.only or "accuracy" in options.only:
        chosen = seed_set(options.seeds, seconds=8.0) if options.seeds else named_set("bench-1")
        accuracy = Accuracy(options.set)
        for number, clip in enumerate(true_clips(chosen, options.out / "clips"), 1):
            print(f"clip {number} of {len(chosen.seeds)}: seed {clip.seed}", file=sys.stderr)
            accuracy.add(clip)
        figures |= accuracy.figures(chosen.fps)
        details |= {
            "set": chosen.name,
            "values": options.set,
            "logic": vars(accuracy.logic.count),
            "logic_with_flat_gaze": accuracy.flat.figures(),
            "whole": vars(accuracy.whole.count),
            "peak_point_baseline": vars(accuracy.peaks.count),
            "calibration": accuracy.calibration.bins(),
        }
    if not options.only or "bus" in options.only:
        figures |= measure_bus()
    if not options.only or "chaos" in options.only:
        found = measure_chaos(options.kills, options.seed)
        figures |= {f"chaos.{key}": found[key] for key in ("kills", "gaps", "duplicates")}
        details["chaos"] = found
    return finish("events", figures, details, options)


def _parser() -> argparse.ArgumentParser:
    parser = command_line("events", "Measure looked-at events.")
    parser.add_argument("--seeds", metavar="9001-9010", help="clips of one's own in place of the set bench-1")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NODE.KEY=VALUE", help="values of nodes to measure with"
    )
    parser.add_argument("--kills", type=int, default=200, help="processes killed at random (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of kills (default 1)")
    parser.add_argument("--only", nargs="+", choices=("accuracy", "bus", "chaos"), help="measure only this")
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
