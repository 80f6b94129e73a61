"""Other small detectors on the labelled real frames, beside ours: frame by frame, each at its usual threshold.

Persons are those of the shop clip. Detectors of faces are measured by the heads that are told about their faces, also
on heads from behind, where there is no face to be found; `facing` is the share of those turned to the camera. Times are
the processor's on one thread, of a whole call with scaling the picture, the median of all frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import real_labels as labels
from benchmarks.matching import Count, fit_loosely, pair
from benchmarks.real_tally import FACING_DEG, Tally
from benchmarks.results import ROOT, Figures, share
from nodes.detect_people import Config, DetectPeople
from nodes.types import Detections
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.graph import Graph
from pipeline.model_files.folders import READ_ONLY
from pipeline.node import Context
from pipeline.streams import StreamConfig

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Peer:
    """A detector to compare with."""

    card: str
    score: float
    """Threshold, as its makers' own demonstration has it; of YuNet, as configs/faces.yaml has it."""
    finds: str
    """`persons` or `faces`."""


PEERS = (
    Peer("person-detection-retail-0013", 0.5, "persons"),
    Peer("yolox-nano-416", 0.3, "persons"),
    Peer("yunet-640", 0.5, "faces"),
)
COLUMNS = (
    "head_recall",
    "head_recall_facing",
    "head_false_per_10_frames",
    "person_recall",
    "person_precision",
    "ms",
)


@dataclass(frozen=True)
class Known:
    """One labelled frame."""

    clip: str
    frames: FrameBatch
    """One row, with its picture."""
    heads: labels.Heads | None
    persons: labels.Persons | None


def known_frames(folder: Path) -> list[Known]:
    """Read all labelled frames of the real clips."""
    import av

    heads = labels.read_heads(folder)
    persons = labels.read_persons(folder)
    found = []
    for clip in sorted({*heads, labels.RETAIL}):
        of_clip, people = heads.get(clip, {}), persons if clip == labels.RETAIL else {}
        last = max([*of_clip, *people])
        with av.open(str(folder / clip)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number in of_clip or number in people:
                    picture = frame.to_ndarray(format="bgr24")
                    found.append(Known(clip, _one(clip, picture), of_clip.get(number), people.get(number)))
                if number >= last:
                    break
    return found


def measure_peers(known: Sequence[Known], ours: Callable[[str], Config]) -> tuple[dict[str, Figures], list[str]]:
    """Return the figures of ours and of each peer whose file is here, and why the others are left out.

    Args:
        known: labelled frames.
        ours: returns our detector's values for a clip.
    """
    rows, left_out = {"ours": _measured(known, ours)}, []
    for peer in PEERS:
        if not load_card(peer.card, ROOT)[1].is_file():
            left_out.append(
                f"{peer.card}: not measured, its file is not here; {READ_ONLY} may name a folder that has it"
            )
            continue
        values: dict[str, Any] = {"model": peer.card, "head_min_score": peer.score, "body_min_score": peer.score}
        same = dict.fromkeys((one.clip for one in known), Config(**values))
        rows[peer.card] = _only(peer.finds, _measured(known, same.__getitem__))
    return rows, left_out


def peer_table(rows: Mapping[str, Figures], left_out: Sequence[str]) -> str:
    """Return the figures of all detectors as lines of text."""
    shown = [["the same frames, one by one", *(name.replace("_", " ") for name in COLUMNS)]]
    shown += [[name, *(_text(figures[column]) for column in COLUMNS)] for name, figures in rows.items()]
    wide = [max(len(row[k]) for row in shown) for k in range(len(shown[0]))]
    lines = [
        "  ".join([row[0].ljust(wide[0]), *(cell.rjust(w) for cell, w in zip(row[1:], wide[1:], strict=True))])
        for row in shown
    ]
    return "\n".join([*lines, *left_out])


def _measured(known: Sequence[Known], config_of: Callable[[str], Config]) -> Figures:
    nodes: dict[str | None, DetectPeople] = {}
    tally, facing, spent = Tally(), Count(), []
    for one in known:
        config = config_of(one.clip)
        if config.model not in nodes:
            nodes[config.model] = _opened(config)
            nodes[config.model].process(one.frames)  # the first call is slower
        begin = time.process_time()
        people = nodes[config.model].process(one.frames)
        spent.append(1e3 * (time.process_time() - begin))
        if one.heads is not None:
            truth = one.heads.in_frame(one.frames.size_wh[0])
            tally.add_heads(one.clip, people, truth)
            _count_facing(facing, people, truth[np.abs(one.heads.yaw_deg) <= FACING_DEG])
        if one.persons is not None:
            tally.add_persons(people, one.persons)
    for node in nodes.values():
        node.close()
    figures = tally.figures()
    told = {column: figures[column] for column in COLUMNS if column in figures}
    return {**told, "head_recall_facing": share(facing.right, facing.wanted), "ms": round(median(spent), 1)}


def _opened(config: Config) -> DetectPeople:
    node = DetectPeople(config, Context("people", CpuDevice(1), ROOT / "out", ROOT, Graph("", ())))
    node.open()
    return node


def _count_facing(count: Count, people: Detections, truth: Array) -> None:
    found = people.take(~np.isnan(people.head_box[:, 0]))
    count.add(pair(found.head_score, fit_loosely(found.head_box, truth)), len(truth), np.ones(len(found), np.bool_))


def _only(finds: str, figures: Figures) -> Figures:
    """Return figures without those of what a detector does not look for."""
    other = "head" if finds == "persons" else "person"
    return {column: None if column.startswith(other) else figures[column] for column in COLUMNS}


def _one(clip: str, picture: Array) -> FrameBatch:
    one = np.zeros(1, np.int64)
    return FrameBatch(
        stream_id=(clip,),
        generation=one,
        frame_index=one,
        pts_ns=one,
        arrived_ns=one,
        size_wh=np.array([picture.shape[1::-1]], np.int32),
        pictures=(Picture((picture,), "bgr"),),
        streams={clip: Stream(clip, StreamConfig(url=clip))},
    )


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:g}"
