"""Write tracks as MOT text, one file per stream."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nodes.ops.mot_text import row_text
from nodes.types import Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.part_file import PartFile

Array = np.ndarray[Any, np.dtype[Any]]


class Config(NodeConfig):
    file: str = Field(default="tracks.txt", pattern=r"^[^/\\]+$")
    """Name of the file in the folder of its stream; one of this name is replaced."""
    part: Literal["body", "head"] = "body"
    """Whose boxes are written. A track has no row in frames in which it has no such box."""
    predicted: bool = True
    """Whether rows are written of tracks that were not seen in a frame but reported where they are expected."""


class WriteTracks(Node[Config]):
    """Write a row per track and frame, `frame,id,left,top,width,height,score,-1,-1,-1`: what the MOTChallenge scores.

    Boxes are in pixels. Frames count from 1: `frame_index` + 1. A frame that was dropped at the door leaves a gap; one
    that its source left out (`max_fps`, damage) only where the source numbers its frames, as `read_detections` does.
    Ids are the numbers of the tracks; those of a later generation of a stream go on after the largest before, because
    a file has no generations. Numbers stand as they were when a frame was written: what a track takes over later
    changes no row above.

    A file grows as `tracks.txt.part` and is put in its place when its stream ends or the run is closed. A tick that is
    run again after an error writes no row twice.

    State: an open file per stream.
    Empty: frames without tracks have no rows; a stream without frames makes no file.
    """

    sink_policy: ClassVar[Literal["keep", "drop"]] = "keep"

    def open(self) -> None:
        self._files: dict[str, _File] = {}

    def process(self, frames: FrameBatch, tracks: Tracks) -> None:
        head = self.config.part == "head"
        boxes, scores = (tracks.head_box, tracks.head_score) if head else (tracks.body_box, tracks.body_score)
        chosen = ~np.isnan(boxes).any(axis=1)
        if not self.config.predicted:
            chosen &= tracks.observed
        for row, stream_id in enumerate(frames.stream_id):
            if stream_id not in self._files:
                self._files[stream_id] = _File(PartFile(self.context.output_path(stream_id, self.config.file)))
            mine = chosen & (tracks.frame_row == row)
            corners_px = boxes[mine] * np.tile(frames.size_wh[row], 2).astype(np.float64)
            corners_px[:, 2:] -= corners_px[:, :2]
            self._files[stream_id].add(
                int(frames.frame_index[row]),
                int(frames.generation[row]),
                tracks.track_id[mine],
                corners_px,
                scores[mine],
            )

    def stream_ended(self, stream_id: str) -> None:
        if stream_id in self._files:
            self._files[stream_id].rows.finish()
            del self._files[stream_id]

    def close(self) -> None:
        with ExitStack() as stack:  # all are finished, also when one fails
            for file in self._files.values():
                stack.callback(file.rows.close)
                stack.callback(file.rows.finish)


@dataclass
class _File:
    """The rows of one stream."""

    rows: PartFile
    last_index: int = -1
    generation: int | None = None
    largest_id: int = 0
    shift: int = 0
    """Largest id of the generations before this one."""

    def add(self, frame_index: int, generation: int, ids: Array, box_px: Array, scores: Array) -> None:
        """Add N tracks of a frame, boxes (N, 4) left, top, width, height; none where the frame was added before."""
        if frame_index <= self.last_index:
            return
        if generation != self.generation:
            self.generation, self.shift = generation, self.largest_id
        shifted = (ids + self.shift).tolist()
        rows = zip(shifted, box_px, scores.tolist(), strict=True)
        self.rows.write("".join(row_text(frame_index + 1, id, box, score) for id, box, score in rows).encode())
        self.largest_id = max([self.largest_id, *shifted])
        self.last_index = frame_index
