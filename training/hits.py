"""Fit what `hit_aoi` believes to the models that ship: `python -m training.hits`, minutes on one core.

The graph runs on rendered clips whose script is known. For each head and frame, the target that the person looks at
is picked among all targets by a conditional logit over `nodes.ops.belief.FEATURES`; the weights that make the script
likeliest are printed as the `hits:` block of a configuration. Heads of nobody (false detections) look at nothing.

With --truth the models are left out: tracks and gaze are those of the script, as `benchmarks.events` gives them to the
event layer alone, which may trust them more.

Clips are those of the seeds given; never use seeds that a benchmark is scored on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import TrueClip, true_clips
from benchmarks.event_inputs import write_truth
from benchmarks.graph_runs import record, shipped_graph
from benchmarks.results import ROOT, guarded
from benchmarks.visits import NOBODY, owners_of
from nodes.hit_aoi import Config, HitAoi, Weighed
from nodes.ops.belief import FEATURES
from pipeline.device import open_device
from pipeline.frames import Stream
from pipeline.node import Context
from pipeline.streams import StreamConfig
from scenes.sets import seed_set
from training.choice import Choices, fit

EDGES = ("tracks", "facing", "gaze", "steady")
FIELDS = tuple(f"{name}_weight" if "bias" not in name else name for name in FEATURES)
"""The fields of `nodes.hit_aoi.Config`, in the order of the features."""


def heads_of(clip: TrueClip, *, truth: bool = False) -> Iterator[tuple[Weighed, list[int]]]:
    """Run the graph on a clip; yield for each frame what speaks for targets, and the index of each head's true one.

    Of a head that looks at none of them the index is -1. With `truth`, tracks and gaze are the true ones.
    """
    stream = Stream("clip", StreamConfig(url=str(clip.video), aois=clip.aois))
    given: dict[str, list[Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        graph, settings = shipped_graph(EDGES)
        if truth:
            seen = record(graph, settings, stream, ["people"], Path(name))
            given = write_truth(clip, clip.aois, seen.edges["people"], Path(name))
        wanted = [edge for edge in EDGES if edge not in given]
        recorded = record(graph, settings, stream, wanted, Path(name), replay=given)
        node = HitAoi(Config(), Context("hits", open_device("cpu"), Path(name), ROOT, graph))
    node.open()
    columns = {edge: given.get(edge) or recorded.by_frame(edge) for edge in EDGES}
    owners = owners_of(columns["tracks"], clip.frames)
    rows = zip(recorded.frames(), clip.frames, *columns.values(), strict=True)
    for frame, people, tracks, poses, gaze, steady in rows:
        if not len(gaze):
            continue
        known = replace(frame, streams={stream.id: stream})
        (weighed,) = node.weigh(known, [0], gaze, steady, tracks, poses, None)
        looked_at = dict(zip(people.person_id.tolist(), people.looked_at, strict=True))
        lookers = [owners.get(int(track_id), NOBODY) for track_id in weighed.track_id]
        named = [_truly(target, owners) for target in weighed.names]
        yield weighed, [_index(named, looked_at.get(person, "")) for person in lookers]


def choices_of(frames: Iterable[tuple[Weighed, list[int]]]) -> Choices:
    """Return what the heads of some frames could look at, and what they did."""
    evidence: list[np.ndarray] = []
    choice: list[np.ndarray] = []
    chosen: list[int] = []
    count = 0
    for weighed, true in frames:
        for head, target in enumerate(true):
            options = np.flatnonzero(~weighed.own[head])
            chosen.append(count + int((options < target).sum()) if target >= 0 else -1)
            evidence.append(weighed.evidence[head, options])
            choice.append(np.full(len(options), len(choice)))
            count += len(options)
    return Choices(np.concatenate(evidence), np.concatenate(choice), np.array(chosen))


def _truly(target: str, owners: dict[int, int]) -> str:
    """Return the name of a target with a track as that of a true person."""
    kind, _, track_id = target.partition(":")
    return f"person:{owners.get(int(track_id), NOBODY)}" if kind == "person" else target


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(prog="python -m training.hits", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", nargs="+", default=["9301-9420"], help="clips to fit to (default 9301-9420)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips (default 8)")
    parser.add_argument("--truth", action="store_true", help="true tracks and gaze in place of the models'")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench", help="where rendered clips are kept")
    options = parser.parse_args(arguments)
    chosen = [seed_set(seeds, seconds=options.seconds) for seeds in options.seeds]
    clips = (clip for one in chosen for clip in true_clips(one, options.out / "clips"))
    choices = choices_of(frame for clip in clips for frame in heads_of(clip, truth=options.truth))
    weights, loss = fit(choices)
    looking = int((choices.chosen >= 0).sum())
    told = f"{len(choices.chosen)} heads, {looking} of them looking at a target; mean surprise {loss:.4f}\n"
    block = "".join(f"  {name}: {weight:.2f}\n" for name, weight in zip(FIELDS, weights, strict=True))
    sys.stdout.write(f"# {told}hits:\n{block}")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
