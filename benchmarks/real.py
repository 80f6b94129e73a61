"""Measure the shipped graph on real footage: `GAZE_REAL_DATA=DIR python -m benchmarks.real`.

Labels were made by eye. Heads and persons are those of the detector at its shipped thresholds; a head is found when its
centre lies in the labelled box and its area is 0.2 to 3 times as large, or at IoU over 0.4 (`head_recall_iou50`: at IoU
0.5); persons at IoU 0.5. Yaws are those of `facing`, on labelled heads that tracks have; behind is over 60° from the
camera; `again` is by yaws that were read anew without these labels (`real_heads_again.csv`). A frame of a segment
agrees when its surest head is turned to the labelled side. A stay at the table is found when one track that is not
there mostly at other times covers 80 % of its frames.

Figures are told for each group of clips (`benchmarks.real_groups`) and for all together. `--model` measures another
detector, `--model-for A=FILE B=FILE ...` one that did not see the group for each group. Behind them, other detectors on
the same frames (`benchmarks.real_peers`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks import real_labels as labels
from benchmarks.contact_sheet import ContactSheet, keeping
from benchmarks.graph_runs import Recorded, record, shipped_graph
from benchmarks.real_groups import GROUPS, group_of, models_by_group
from benchmarks.real_labels import Heads, Persons
from benchmarks.real_peers import known_frames, measure_peers, peer_table
from benchmarks.real_tally import Tally
from benchmarks.results import ROOT, Figures, command_line, finish, guarded, models_used, table
from nodes.detect_people import Config as DetectPeopleConfig
from pipeline.cards import load_card
from pipeline.frames import Stream
from pipeline.model_files.pins import sha256_of
from pipeline.outputs import make_folder
from pipeline.streams import StreamConfig

EDGES = ("living", "tracks", "facing")
STAYS = "visits_found"


def measure(
    folder: Path, clip: str, heads: dict[int, Heads], tallies: Sequence[Tally], sheet: ContactSheet, model: str
) -> None:
    """Run the graph with a detector on one clip, and add up what it made in each of the tallies."""
    persons = labels.read_persons(folder) if clip == labels.RETAIL else {}
    recorded = _run(folder / clip, sorted({*heads, *persons}), sheet, heads, model)
    for tally in tallies:
        _add(folder, clip, recorded, heads, persons, tally)


def _add(
    folder: Path, clip: str, recorded: Recorded, heads: dict[int, Heads], persons: dict[int, Persons], tally: Tally
) -> None:
    """Add up what was made of one clip."""
    people, tracks, poses = (recorded.by_frame(edge) for edge in EDGES)
    size_wh = recorded.frames()[0].size_wh[0]
    for number, known in heads.items():
        truth = known.in_frame(size_wh)
        tally.add_heads(clip, people[number], truth)
        tally.add_yaws(tracks[number], poses[number], truth, known.yaw_deg, known.again_deg)
    for number, boxes in persons.items():
        tally.add_persons(people[number], boxes)
    if clip == labels.CPC:
        tally.add_directions(tracks, poses, labels.read_segments(folder))
    if clip == labels.ONE_BY_ONE:
        tally.add_stays(tracks, labels.read_stays(folder))


def _run(video: Path, labelled: Sequence[int], sheet: ContactSheet, heads: dict[int, Heads], model: str) -> Recorded:
    """Run the graph on a clip, and put some of its frames on the sheet."""
    stream = Stream("clip", StreamConfig(url=str(video)))
    # Without the grid that stands in for areas: it decides on nothing measured here, and hides the pictures.
    graph, settings = shipped_graph([*EDGES, "overlay"], ["hits.grid_rows=0", f"people.model={model}"])
    wanted = frames_to_show(labelled, _frames_in(video), sheet.across)
    graph, kept = keeping(graph, "overlay", wanted)
    with tempfile.TemporaryDirectory() as folder:
        recorded = record(graph, settings, stream, EDGES, Path(folder))
    size_wh = recorded.frames()[0].size_wh[0]
    known = {number: boxes.in_frame(size_wh) for number, boxes in heads.items()}
    sheet.add([(kept[number], known.get(number, np.empty((0, 4)))) for number in wanted if number in kept])
    return recorded


def frames_to_show(labelled: Sequence[int], count: int, most: int) -> list[int]:
    """Return frames of a clip of `count`, evenly spread: labelled ones, and others where these are too few."""
    middles = (np.arange(most) + 0.5) / most
    if len(labelled) >= most:
        return [labelled[int(middle * len(labelled))] for middle in middles]
    others = [int(middle * count) for middle in middles[: most - len(labelled)]]
    return sorted({*labelled, *others})


def _frames_in(video: Path) -> int:
    """Return how many frames a file says it has."""
    import av

    with av.open(str(video)) as container:
        return container.streams.video[0].frames


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the contact sheet and return the exit code."""
    parser = command_line("real", "Measure the shipped graph on real footage.")
    parser.add_argument("--model", metavar="MODEL", help="card or .onnx file of a detector; default: the shipped one")
    parser.add_argument(
        "--model-for", nargs="+", default=(), metavar="GROUP=MODEL", help="for each group one that did not see it"
    )
    options = parser.parse_args(arguments)
    folder, tally, sheet = labels.data_folder(), Tally(), ContactSheet()
    found, labelled = labels.clips(folder), labels.read_heads(folder)
    by_group = {group: Tally() for group in GROUPS}
    groups = [group_of(clip) for clip in found]
    with tempfile.TemporaryDirectory() as cards:
        models = models_by_group(options.model, options.model_for, Path(cards))
        for number, (clip, group) in enumerate(zip(found, groups, strict=True), 1):
            print(f"clip {number} of {len(found)}: {clip}", file=sys.stderr)
            measure(folder, clip, labelled.get(clip, {}), (tally, by_group[group]), sheet, models[group])
        used = {group: sha256_of(load_card(model, ROOT)[1]) for group, model in models.items()}
        peers, left_out = measure_peers(known_frames(folder), lambda clip: _values(models[group_of(clip)]))
    path = make_folder(options.out) / "real-contact-sheet.png"
    sheet.write(path)
    print(path)
    for group, own in by_group.items():
        print(table(f"group {group}", _told(own), {}))
    details = {**tally.details(), "models": models_used(), "detectors_by_group": used, "not_measured": left_out}
    beside = {"groups": {group: own.figures() for group, own in by_group.items()}, "peers": peers}
    code = finish("real", tally.figures(), details, options, beside)
    print(peer_table(peers, left_out))
    return code


def _values(model: str) -> DetectPeopleConfig:
    """Return the shipped values of our detector, with a model."""
    graph, _ = shipped_graph(["people"], [f"people.model={model}"])
    values: Any = graph.node("people").config
    return cast(DetectPeopleConfig, values)


def _told(tally: Tally) -> Figures:
    """Return the figures of a group that has something to measure them by."""
    return {key: value for key, value in tally.figures().items() if value is not None and (key != STAYS or value)}


if __name__ == "__main__":
    sys.exit(guarded(main))
