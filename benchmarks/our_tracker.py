"""Run our tracker over the detections of a sequence: the node itself, one frame a call, as the graph sets it up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.graph_runs import shipped_graph
from benchmarks.mot_sequences import MotSequence
from benchmarks.results import ROOT
from nodes.ops.mot_text import row_text
from nodes.types import Detections, Tracks
from pipeline.device import open_device
from pipeline.frames import FrameBatch, Stream
from pipeline.node import Context, Node
from pipeline.streams import StreamConfig

ONLINE, OFFLINE = "ours_online", "ours_offline"
STREAM = "sequence"


class OurTracker:
    """The node `tracks` of graphs/track.yaml, with its shipped values."""

    def __init__(self, sets: Sequence[str], folder: Path) -> None:
        """Take values other than those that ship, as `--set` of the program does.

        Args:
            sets: overrides.
            folder: where a node may keep files.
        """
        graph, _ = shipped_graph(["tracks"], sets, "track")
        self._spec = graph.node("tracks")
        self._context = Context("tracks", open_device("cpu"), folder, ROOT, graph)

    def track(self, name: str, sequence: MotSequence, tracks: Path) -> float:
        """Run over one sequence, write the tracks as MOT text and return the CPU seconds of the node's own calls.

        Args:
            name: `ours_online`, or `ours_offline` with the second pass over what was written in the first.
            sequence: what to run over.
            tracks: where the tracks go.
        """
        frames, found = frames_of(sequence), detections_of(sequence)
        node = self._node(name)
        node.open()
        began = time.process_time()
        followed = [node.process(frame, people) for frame, people in zip(frames, found, strict=True)]
        if name == OFFLINE:
            followed = list(self._node(name).revised(list(zip(frames, followed, strict=True))))
        cpu_s = time.process_time() - began
        node.close()
        write_tracks(followed, sequence, tracks)
        return cpu_s

    def _node(self, name: str) -> Node[Any]:
        return self._spec.cls(self._spec.config.model_copy(update={"offline": name == OFFLINE}), self._context)


def frames_of(sequence: MotSequence) -> list[FrameBatch]:
    """Return the frames of a sequence one by one, without pictures."""
    streams = {STREAM: Stream(STREAM, StreamConfig(url=f"{sequence.name}.txt"))}
    size_wh = np.array([sequence.size_wh], np.int32)
    return [
        FrameBatch(
            stream_id=(STREAM,),
            generation=np.zeros(1, np.int64),
            frame_index=np.array([index]),
            pts_ns=np.array([round(index * 1e9 / sequence.fps)]),
            arrived_ns=np.zeros(1, np.int64),
            size_wh=size_wh,
            streams=streams,
        )
        for index in range(sequence.frames)
    ]


def detections_of(sequence: MotSequence) -> list[Detections]:
    """Return the detections of each frame: bodies without heads."""
    found = sequence.found
    size = np.array([*sequence.size_wh, *sequence.size_wh])
    boxes = np.concatenate([found.box_px[:, :2], found.box_px[:, :2] + found.box_px[:, 2:]], axis=1) / size
    first = np.searchsorted(found.frame, np.arange(1, sequence.frames + 2))
    return [
        Detections(
            frame_row=np.zeros(b - a, np.int64),
            head_box=np.full((b - a, 4), np.nan, np.float32),
            head_score=np.zeros(b - a, np.float32),
            body_box=boxes[a:b].astype(np.float32),
            body_score=found.score[a:b].astype(np.float32),
            direction_scores=np.zeros((b - a, 8), np.float32),
            appearance=np.zeros((b - a, 0), np.float32),
        )
        for a, b in pairwise(first)
    ]


def write_tracks(followed: Sequence[Tracks], sequence: MotSequence, path: Path) -> None:
    """Write what was reported of each frame, where there is a body, seen or predicted, as MOT text."""
    size = np.array([*sequence.size_wh, *sequence.size_wh])
    with path.open("w", encoding="ascii") as file:
        for number, tracks in enumerate(followed, 1):
            shown = np.flatnonzero(~np.isnan(tracks.body_box[:, 0]))
            box_px = tracks.body_box[shown].astype(np.float64) * size
            box_px[:, 2:] -= box_px[:, :2]
            for row, box in zip(shown, box_px, strict=True):
                file.write(row_text(number, int(tracks.track_id[row]), box, float(tracks.body_score[row])))
