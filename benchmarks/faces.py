"""Measure the graph `faces` on real footage: `make bench-faces`, a minute on one core.

GAZE_REAL_DATA names the folder of footage and labels, as for `benchmarks.real`. The weights are those of the cards of
configs/faces.yaml; where they are not fetched, GAZE_REAL_MODELS may name a folder that holds them.

On a clip of a man who turns his head, labelled by eye in segments, a frame counts as right where yaw and pitch are as
labelled (`benchmarks.faces_tally` says exactly when). On clips of one and of two people who move their heads, it counts
in which share of the frames every face is found, in the worse clip. Nothing of the graph was chosen on these figures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import real_labels as labels
from benchmarks.faces_tally import Tally
from benchmarks.graph_runs import Recorded, record, shipped_graph
from benchmarks.results import command_line, finish, guarded
from pipeline.frames import Stream
from pipeline.streams import StreamConfig

FACES = (
    "intel_sample_videos/head-pose-face-detection-female-and-male.preview.mp4",
    "intel_sample_videos/head-pose-face-detection-male.preview.mp4",
)
"""Two people and one, whose faces are seen in every frame."""
EDGES = ("living", "tracks", "facing", "steady")


def measure(folder: Path, sets: Sequence[str] = ()) -> Tally:
    """Run the graph on all clips, with values set as `--set` does, and add up what it made."""
    tally = Tally()
    print(f"clip 1 of {1 + len(FACES)}: {labels.CPC}", file=sys.stderr)
    ran = _run(folder / labels.CPC, sets)
    tracks, poses, points = (ran.by_frame(edge) for edge in ("tracks", "facing", "steady"))
    tally.add_turns(labels.read_turns(folder), tracks, poses, points)
    known = labels.read_heads(folder)
    for number, clip in enumerate(FACES, 2):
        print(f"clip {number} of {1 + len(FACES)}: {clip}", file=sys.stderr)
        ran = _run(folder / clip, sets)
        tally.add_faces(clip, ran.by_frame("living"), known[clip], ran.frames()[0].size_wh[0])
    return tally


def _run(video: Path, sets: Sequence[str]) -> Recorded:
    """Run the part of the graph that is measured on a clip."""
    graph, settings = shipped_graph(EDGES, sets, "faces")
    with tempfile.TemporaryDirectory() as folder:
        return record(graph, settings, Stream("clip", StreamConfig(url=str(video))), EDGES, Path(folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and return the exit code."""
    parser = command_line("faces", "Measure the graph of faces on real footage.")
    parser.add_argument("--set", dest="sets", nargs="+", default=(), metavar="KEY=VALUE", help="as run_graph.py has it")
    options = parser.parse_args(arguments)
    folder = labels.data_folder()
    labels.check_there(folder, (labels.CPC, labels.SEGMENTS, labels.HEADS, *FACES))
    tally = measure(folder, options.sets)
    return finish("faces", tally.figures(), {**tally.details(), "set": list(options.sets)}, options)


if __name__ == "__main__":
    sys.exit(guarded(main))
