"""Measure the shipped graph against rendered truth: `python -m benchmarks.accuracy`, one table for each named set.

`--set bench-2` measures one set, `--seeds 9001-9010` clips of one's own.

Clips go through H.264 and the retail graph as it ships. Heads and bodies are those of the detector at its shipped
thresholds, at IoU 0.5; one that is visible by less than 30 % counts neither way. Yaws are those of `facing`, on the
heads of tracks. Gaze maps are asked for the true head boxes, as the VideoAttentionTarget benchmark does: what boxes
cost is in the figures of heads. Pairs are of two areas with middles 0.15 of the frame width apart, one about the point
that somebody truly looks at on an area or thing: won when the map has more in that one. True visits are the fixations
of 0.3 s or more, on an area or a person, of the script that the scenes were rendered from; a told visit is right when
person, target and time (IoU 0.5) agree, one to one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy_tally import Tally
from benchmarks.clips import TrueClip, check_published, true_clips
from benchmarks.graph_runs import record, shipped_graph, write_recording
from benchmarks.results import Figures, command_line, finish_sets, guarded, models_used
from nodes.types import Tracks
from pipeline.errors import PipelineError
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from scenes.sets import LEAST_VISIBLE, SETS, NamedSet, named_set, seed_set
from scenes.truth import PeopleTruth


def measure(clip: TrueClip, tally: Tally) -> None:
    """Run the graph on one clip and add up what it made."""
    stream = Stream("clip", StreamConfig(url=str(clip.video), aois=clip.aois))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edges = ("people", "tracks", "facing", "looks")
        recorded = record(*shipped_graph(edges), stream, edges, folder)
        people = recorded.by_frame("people")
        if len(people) != len(clip.frames):
            raise PipelineError(f"{clip.video}: expected {len(clip.frames)} frames, got {len(people)}; remove the file")
        for found, seen, poses, truth in zip(
            people, recorded.by_frame("tracks"), recorded.by_frame("facing"), clip.frames, strict=True
        ):
            tally.add_detections(found, truth)
            tally.add_poses(seen, poses, truth)
        tally.add_visits(recorded, clip)

        write_recording("tracks", recorded.edges["tracks"], map(true_heads, clip.frames), folder)
        every_frame = shipped_graph(["gaze"], ["gaze.schedule=every_frame"])
        asked = record(*every_frame, stream, ["gaze"], folder, replay=["tracks"])
        for number, (maps, truth) in enumerate(zip(asked.by_frame("gaze"), clip.frames, strict=True)):
            tally.add_gaze(maps, truth, clip.size_wh, (clip.seed, number))


def true_heads(truth: PeopleTruth) -> Tracks:
    """Return the true heads of a frame that count, as tracks numbered like the people."""
    seen = truth.head_visible >= LEAST_VISIBLE
    count = int(seen.sum())
    return Tracks(
        frame_row=np.zeros(count, np.int64),
        track_id=truth.person_id[seen],
        head_box=truth.head_box[seen].astype(np.float32),
        head_score=np.ones(count, np.float32),
        body_box=truth.body_box[seen].astype(np.float32),
        body_score=np.ones(count, np.float32),
        direction_scores=np.zeros((count, 8), np.float32),
        observed=np.ones(count, np.bool_),
        taken_from=np.zeros(count, np.int64),
        taken_since_ns=np.zeros(count, np.int64),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.seeds:
        sets = [seed_set(options.seeds, seconds=options.seconds)]
    else:
        sets = [named_set(name) for name in options.set or SETS]
    tables, details = {}, {}
    for chosen in sets:
        tables[chosen.name], details[chosen.name] = _of_set(chosen, options.out / "clips")
    return finish_sets("accuracy", tables, {**details, "models": models_used()}, options)


def _of_set(chosen: NamedSet, folder: Path) -> tuple[Figures, Figures]:
    """Return the figures of a set and what explains them."""
    clips, tally = [], Tally()
    for number, clip in enumerate(true_clips(chosen, folder), 1):
        print(f"{chosen.name}: clip {number} of {len(chosen.seeds)}, seed {clip.seed}", file=sys.stderr)
        measure(clip, tally)
        clips.append(clip)
    held = check_published(chosen, clips)
    figures = {
        "seeds": f"{chosen.seeds[0]}-{chosen.seeds[-1]}",
        "frames": int(held["frames"]),
        "head_px_p50": held.get("head_px_p50"),
        "heads_under_24px": held.get("heads_under_24px"),
        **tally.figures(),
    }
    return figures, tally.details()


def _parser() -> argparse.ArgumentParser:
    parser = command_line("accuracy", "Measure the shipped graph against rendered truth.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--set", nargs="+", metavar="NAME", help=f"named sets of clips (default: {' '.join(SETS)})")
    which.add_argument("--seeds", metavar="9001-9010", help="clips of one's own")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips of --seeds (default 8)")
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
