"""The sink that measures: it reads out of each picture when that was sent, and keeps what it sees."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from benchmarks.live_tally import Clock, Sighting
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Node, NodeConfig

NAME = "seen"
ReadNumber = Callable[[np.ndarray], int | None]


class Eye:
    """What a sink has seen. Safe to use from every thread."""

    def __init__(self, read_number: ReadNumber, kept: int | None = None) -> None:
        """Begin with nothing.

        Args:
            read_number: returns the number in the picture whose luma plane (H, W) u8 it is given, or None.
            kept: how many frames of a stream, and how many ends, are remembered; None: all.
        """
        self.read_number = read_number
        self.clocks: dict[str, Clock] = {}
        """By stream, set before it is read; frames of streams without one are seen without an age."""
        self._kept = kept
        self._lock = threading.Lock()
        self._sightings: dict[str, deque[Sighting]] = {}
        self._ends: deque[str] = deque(maxlen=kept)

    def saw(self, sightings: Sequence[Sighting]) -> None:
        """Remember frames."""
        with self._lock:
            for one in sightings:
                self._sightings.setdefault(one.stream_id, deque(maxlen=self._kept)).append(one)

    def saw_end(self, stream_id: str) -> None:
        """Remember that a stream was said to have ended, and forget its frames unless all are remembered."""
        with self._lock:
            self._ends.append(stream_id)
            if self._kept is not None:
                self._sightings.pop(stream_id, None)

    def between(self, begin_s: float, end_s: float = math.inf) -> list[Sighting]:
        """Return the frames that were at the sink between two unix times, stream by stream, oldest first."""
        with self._lock:
            return [one for seen in self._sightings.values() for one in seen if begin_s <= one.unix_s < end_s]

    def taken(self) -> list[Sighting]:
        """Return the frames that are remembered, stream by stream, and forget them."""
        with self._lock:
            sightings, self._sightings = self._sightings, {}
        return [one for seen in sightings.values() for one in seen]

    def first_sent(self, stream_id: str, since_s: float) -> Sighting | None:
        """Return the first frame of a stream that was sent after a unix time and reached the sink."""
        with self._lock:
            later = (one for one in self._sightings.get(stream_id, ()) if one.sent_s >= since_s)
            return next(later, None)

    def ends(self) -> list[str]:
        """Return the streams that were said to have ended, as often as that was said."""
        with self._lock:
            return list(self._ends)


class SeeFrames(Node[NodeConfig]):
    """Keep time, age and place of every frame that reaches the sinks.

    It looks at a clock, as no other node may: that is what it is for. State: none of its own. Empty: nothing is seen.
    """

    reads_pictures: ClassVar[bool] = True
    sink_policy: ClassVar[Literal["keep", "drop"]] = "drop"
    eye: ClassVar[Eye]

    def process(self, frames: FrameBatch) -> None:
        """Note the frames of a tick."""
        now_s = time.time()
        self.eye.saw([self._sighting(frames, row, now_s) for row in range(len(frames))])

    def stream_ended(self, stream_id: str) -> None:
        """Note that a stream was said to have ended."""
        self.eye.saw_end(stream_id)

    def stream_broken(self, stream_id: str) -> None:
        """Let a break be: frames will follow."""

    def _sighting(self, frames: FrameBatch, row: int, now_s: float) -> Sighting:
        stream_id = frames.stream_id[row]
        clock = self.eye.clocks.get(stream_id)
        number = None if clock is None else self.eye.read_number(frames.pictures[row].planes[0])
        age_s = None if clock is None or number is None else clock.age_s(number, now_s)
        return Sighting(stream_id, now_s, age_s, int(frames.generation[row]), int(frames.pts_ns[row]))


def with_eye(graph: Graph, eye: Eye) -> Graph:
    """Return a graph with such a sink beside its own."""
    bound: dict[str, Any] = {"eye": eye, "__doc__": SeeFrames.__doc__, "__module__": __name__}
    cls = type("SeeFrames", (SeeFrames,), bound)
    spec = NodeSpec(NAME, "see_frames", cls, NodeConfig(), {"frames": graph.source.name}, "auto", __name__)
    return Graph(graph.path, (*graph.nodes, spec))
