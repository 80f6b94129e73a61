"""Let frames into the graph: files wait their turn, live streams keep their newest, and every refusal is counted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.clock import Clock
from pipeline.frames import Stream
from pipeline.latency import Latency
from pipeline.ledger import Ledger
from pipeline.marks import Mark, MarkKind
from pipeline.node import Frame
from pipeline.settings import EngineConfig

PROBE_AFTER_NS = 1_000_000_000
"""A stream that was refused for this long gets one frame in, so that a graph which became fast again is noticed."""

LONGEST_WAIT_NS = 1_000_000_000
"""Longest wait for more frames of a tick, however far apart the frames of a stream were."""


@dataclass(frozen=True)
class Admitted:
    """A frame with what the engine knows of it."""

    stream: Stream
    frame: Frame
    frame_index: int
    generation: int
    arrived_ns: int
    """On the engine's clock; 0 for files."""


@dataclass
class _Inlet:
    """One stream's side of the door."""

    stream: Stream
    order: int
    room: int
    waits: bool
    queue: deque[Admitted | Mark] = field(default_factory=deque)
    frames_waiting: int = 0
    next_index: int = 0
    generation: int = 0
    pts_ns: int = 0
    period_ns: int = 40_000_000
    admitted_ns: int | None = None
    open: bool = True


class Admission:
    """The door between sources and batcher. Sources call `offer` and its like, the batcher `take`.

    Streams of a run without a live one are merged by (pts, stream order), so that what is batched never depends on
    timing. With a live stream in the run, frames are taken as they come.

    Args:
        began_s: unix time at which the run began: the first generation of live streams, so that none of an earlier run
            comes again and no two events get one id. Files begin at 0: the same file gives the same events.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        settings: EngineConfig,
        clock: Clock,
        latency: Latency,
        ledger: Ledger,
        node: str,
        began_s: int = 0,
    ) -> None:
        self._settings, self._clock, self._latency, self._ledger, self._node = settings, clock, latency, ledger, node
        self._live = any(stream.live for stream in streams)
        self._changed = threading.Condition()
        self._stopping = False
        self._turn = 0
        batch = settings.batch_size
        self._inlets = {}
        for order, stream in enumerate(streams):
            policy = stream.config.when_full
            waits = policy == "wait" or (policy == "auto" and not stream.live)
            room = max(4, 2 * batch) if waits else max(1, batch // len(streams))
            first = began_s if stream.live else 0
            inlet = self._inlets[stream.id] = _Inlet(stream, order, room, waits, generation=first)
            inlet.queue.append(self._mark(inlet, "begun"))

    # the sources' side

    def offer(self, stream_id: str, frame: Frame) -> bool:
        """Hand a frame over, waiting for room if the stream waits; tell whether the run goes on."""
        inlet = self._inlets[stream_id]
        index = inlet.next_index if frame.index is None else frame.index
        if index < inlet.next_index:
            raise ValueError(f"Frame.index: expected {inlet.next_index} or more after those before, got {index}")
        with self._changed:
            self._ledger.came(self._node)
            while inlet.waits and inlet.frames_waiting >= inlet.room and not self._stopping:
                self._clock.wait(self._changed, None)
            if self._stopping:
                self._ledger.dropped(self._node, "interrupted")
                return False
            arrived_ns = self._clock.now_ns() if inlet.stream.live else 0
            if inlet.next_index:
                inlet.period_ns = min(max(frame.pts_ns - inlet.pts_ns, 1), LONGEST_WAIT_NS)
            inlet.queue.append(Admitted(inlet.stream, frame, index, inlet.generation, arrived_ns))
            inlet.next_index = index + 1
            inlet.pts_ns = frame.pts_ns
            inlet.frames_waiting += 1
            while inlet.frames_waiting > inlet.room:
                self._refuse_oldest(inlet)
            self._changed.notify_all()
            return True

    def dropped(self, cause: str, count: int) -> None:
        """Note frames that a source refused by itself."""
        self._ledger.came(self._node, count)
        self._ledger.dropped(self._node, cause, count)

    def discontinuity(self, stream_id: str) -> None:
        """Begin a new generation of a stream."""
        inlet = self._inlets[stream_id]
        with self._changed:
            inlet.queue.append(self._mark(inlet, "discontinuity"))
            inlet.generation += 1
            self._changed.notify_all()

    def end(self, stream_id: str) -> None:
        """Note that a stream has no more frames."""
        inlet = self._inlets[stream_id]
        with self._changed:
            inlet.queue.append(self._mark(inlet, "ended"))
            inlet.open = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Refuse all that is not in the graph yet; the sources end by themselves."""
        with self._changed:
            self._stopping = True
            for inlet in self._inlets.values():
                kept = [item for item in inlet.queue if isinstance(item, Mark)]
                self._ledger.dropped(self._node, "interrupted", len(inlet.queue) - len(kept))
                inlet.queue, inlet.frames_waiting = deque(kept), 0
            self._changed.notify_all()

    # the batcher's side

    def take(self) -> list[Admitted] | Mark | None:
        """Return the next frames for one tick, or a mark, which travels alone; None when all streams have ended."""
        with self._changed:
            batch = self._take_newest() if self._live else self._take_in_order()
            self._changed.notify_all()
            return batch

    def _take_in_order(self) -> list[Admitted] | Mark | None:
        batch: list[Admitted] = []
        while len(batch) < self._settings.batch_size:
            while any(inlet.open and not inlet.queue for inlet in self._inlets.values()):
                self._clock.wait(self._changed, None)
            heads = [inlet for inlet in self._inlets.values() if inlet.queue]
            marked = next((inlet for inlet in heads if isinstance(inlet.queue[0], Mark)), None)
            if marked or not heads:
                return batch or (self._pop_mark(marked) if marked else None)
            batch.append(self._pop_frame(min(heads, key=_pts_and_order)))
            self._changed.notify_all()
        return batch

    def _take_newest(self) -> list[Admitted] | Mark | None:
        while True:
            while any(inlet.open for inlet in self._inlets.values()) and not self._filled():
                self._clock.wait(self._changed, None)
            filled = self._filled()
            if not filled:
                return None
            marked = next((inlet for inlet in filled if isinstance(inlet.queue[0], Mark)), None)
            if marked:
                return self._pop_mark(marked)
            self._wait_for_more()
            batch = self._fresh()
            if batch:
                return sorted(batch, key=lambda one: (one.frame.pts_ns, self._inlets[one.stream.id].order))

    def _wait_for_more(self) -> None:
        open_streams = [inlet for inlet in self._inlets.values() if inlet.open]
        wanted = min(self._settings.batch_size, max(len(open_streams), 1))
        wait_ms = self._settings.batch_wait_ms
        wait_ns = min((i.period_ns for i in open_streams), default=0) if wait_ms is None else round(wait_ms * 1e6)
        until_ns = self._clock.now_ns() + wait_ns
        while sum(i.frames_waiting for i in self._inlets.values()) < wanted and not self._stopping:
            left_ns = until_ns - self._clock.now_ns()
            if left_ns <= 0:
                return
            self._clock.wait(self._changed, left_ns / 1e9)

    def _fresh(self) -> list[Admitted]:
        """Take frames stream by stream, beginning after the one served first last time, and refuse what is too old."""
        batch: list[Admitted] = []
        inlets = list(self._inlets.values())
        inlets = inlets[self._turn :] + inlets[: self._turn]
        self._turn = (self._turn + 1) % len(inlets)
        progressing = True
        while progressing and len(batch) < self._settings.batch_size:
            progressing = False
            for inlet in inlets:
                if len(batch) < self._settings.batch_size and inlet.queue and isinstance(inlet.queue[0], Admitted):
                    progressing = True
                    if self._too_old(inlet, inlet.queue[0]):
                        self._pop_frame(inlet)
                        self._ledger.dropped(self._node, "too_old")
                    else:
                        inlet.admitted_ns = self._clock.now_ns()
                        batch.append(self._pop_frame(inlet))
        return batch

    def _too_old(self, inlet: _Inlet, one: Admitted) -> bool:
        limit_ms = inlet.stream.config.max_age_ms
        if limit_ms is None or not inlet.stream.live:
            return False
        now_ns = self._clock.now_ns()
        if inlet.admitted_ns is None or now_ns - inlet.admitted_ns > PROBE_AFTER_NS:
            return False
        return now_ns - one.arrived_ns + self._latency.p95_ns() > limit_ms * 1e6

    def _filled(self) -> list[_Inlet]:
        return [inlet for inlet in self._inlets.values() if inlet.queue]

    def _pop_frame(self, inlet: _Inlet) -> Admitted:
        one = inlet.queue.popleft()
        assert isinstance(one, Admitted)
        inlet.frames_waiting -= 1
        return one

    def _pop_mark(self, inlet: _Inlet) -> Mark:
        mark = inlet.queue.popleft()
        assert isinstance(mark, Mark)
        return mark

    def _refuse_oldest(self, inlet: _Inlet) -> None:
        oldest = next(item for item in inlet.queue if isinstance(item, Admitted))
        inlet.queue.remove(oldest)
        inlet.frames_waiting -= 1
        self._ledger.dropped(self._node, "superseded")

    def _mark(self, inlet: _Inlet, kind: MarkKind) -> Mark:
        return Mark(kind, inlet.stream.id, inlet.generation, inlet.pts_ns)


def _pts_and_order(inlet: _Inlet) -> tuple[int, int]:
    head = inlet.queue[0]
    assert isinstance(head, Admitted)
    return head.frame.pts_ns, inlet.order
