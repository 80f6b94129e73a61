"""Let frames into the graph: files wait their turn, live streams keep their newest, and every refusal is counted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence

from pipeline.age_limit import AgeLimit
from pipeline.clock import Clock
from pipeline.frames import Stream
from pipeline.inlet import Admitted, Inlet, Marked
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.node import Frame
from pipeline.settings import EngineConfig
from pipeline.transit import Transit


class Admission:
    """The door between sources and batcher. Sources call `offer` and its like, the batcher `take`.

    Streams of a run without a live one are merged by (pts, stream order), so that what is batched never depends on
    timing. With a live stream in the run, frames are taken as they come, and the stream is served first that was served
    longest ago: a fast one never keeps a slow one waiting.

    Args:
        began_s: unix time at which the run began: the first generation of live streams, so that none of an earlier run
            comes again and no two events get one id. Files begin at 0: the same file gives the same events.
        keep_open: a run from which the last stream was removed goes on, because others may be added.
    """

    def __init__(
        self, streams: Sequence[Stream], settings: EngineConfig, clock: Clock, transit: Transit, ledger: Ledger,
        node: str, began_s: int = 0, keep_open: bool = False,
    ) -> None:  # fmt: skip
        self._settings, self._clock, self._ledger, self._node = settings, clock, ledger, node
        self._age_limit = AgeLimit(clock, transit)
        self._live = keep_open or any(stream.live for stream in streams)
        self._changed = threading.Condition()
        self._stopping = False
        self._keep_open, self._empty = keep_open, not streams
        """Whether there may be none, and whether the last one was taken away rather than at its end."""
        self._turn = self._order = 0
        self._newest_generation = began_s - 1
        """Of live streams that are gone."""
        self._notices: deque[Marked] = deque()
        self._inlets: dict[str, Inlet] = {}
        for stream in streams:
            self._open(stream, began_s if stream.live else 0)

    # streams come and go

    def add(self, stream: Stream, generation: int) -> None:
        """Begin a live stream.

        Args:
            stream: its id is that of no stream which is here.
            generation: its first one; a later one where an earlier stream got that far.

        Raises:
            ValueError: the id is taken.
        """
        with self._changed:
            if stream.id in self._inlets:
                raise ValueError(f"expected another id than that of a stream which is here, got {stream.id!r}")
            self._empty = False
            self._open(stream, max(generation, self._newest_generation + 1))
            self._changed.notify_all()

    def knows(self, stream_id: str) -> bool:
        """Tell whether a stream is here, if only with its last marks."""
        with self._changed:
            return stream_id in self._inlets

    def remove(self, stream_id: str) -> None:
        """End a stream at once: what waits is refused."""
        with self._changed:
            if inlet := self._standing(stream_id):
                self._ledger.refused(self._node, stream_id, "removed", inlet.empty())
                self._empty = True
                self._end(inlet)

    def configure(self, mark: Mark, streams: Mapping[str, Stream]) -> None:
        """Let a mark in that says what changed, before all frames that wait; these have the new values.

        Args:
            mark: of kind `configured`.
            streams: those that changed, with their new values.
        """
        with self._changed:
            for stream_id, stream in streams.items():
                if inlet := self._inlets.get(stream_id):
                    inlet.reconfigure(stream)
            self._notices.append(Marked(mark, tuple(streams.values())))
            self._changed.notify_all()

    def generation(self, stream_id: str) -> int:
        """Return the generation that a stream is in; 0 once it has ended."""
        with self._changed:
            return self._inlets[stream_id].generation if stream_id in self._inlets else 0

    # the sources' side

    def offer(self, stream_id: str, frame: Frame, taken_ns: int | None = None) -> bool:
        """Hand a frame over, waiting for room if the stream waits; tell whether the stream goes on.

        Args:
            stream_id: its stream.
            frame: with its pts.
            taken_ns: when it was taken, on the engine's clock; None: now, as far as is known.
        """
        with self._changed:
            inlet = self._inlets.get(stream_id)
            self._ledger.read(self._node, stream_id)
            if inlet is None or not inlet.open:
                self._ledger.refused(self._node, stream_id, "interrupted" if self._stopping else "removed")
                return False
            index = inlet.next_index if frame.index is None else frame.index
            if index < inlet.next_index:
                self._ledger.refused(self._node, stream_id, "corrupt")
                raise ValueError(f"Frame.index: expected {inlet.next_index} or more after those before, got {index}")
            while inlet.waits and inlet.frames_waiting >= self._room(inlet) and inlet.open and not self._stopping:
                self._clock.wait(self._changed, None)
            if self._stopping or not inlet.open:
                self._ledger.refused(self._node, stream_id, "interrupted" if self._stopping else "removed")
                return False
            arrived_ns = self._clock.now_ns() if taken_ns is None else taken_ns
            inlet.push(frame, index, arrived_ns if inlet.stream.live else 0)
            while inlet.frames_waiting > self._room(inlet):
                older = inlet.refuse_oldest().generation < inlet.generation
                self._ledger.refused(self._node, stream_id, "lost_generation" if older else "not_newest")
            self._changed.notify_all()
            return True

    def dropped(self, stream_id: str, cause: str, count: int = 1) -> None:
        """Note frames that were refused before they came to the door."""
        self._ledger.read(self._node, stream_id, count)
        self._ledger.refused(self._node, stream_id, cause, count)

    def discontinuity(self, stream_id: str) -> None:
        """Begin a new generation of a stream, unless none of its frames has come in this one."""
        with self._changed:
            if inlet := self._standing(stream_id):
                inlet.break_off()

    def stalled(self, stream_id: str) -> None:
        """Say that a stream still stands but no frames come."""
        with self._changed:
            if (inlet := self._standing(stream_id)) and inlet.began:
                inlet.mark("stalled")

    def lost(self, stream_id: str) -> None:
        """Say that a stream is lost, and begin a new generation: visits end now, and not when it comes back."""
        with self._changed:
            if (inlet := self._standing(stream_id)) and inlet.began:
                inlet.mark("lost")
                inlet.break_off()

    def pause(self, stream_id: str) -> None:
        """Refuse what waits of a stream, and begin a new generation."""
        with self._changed:
            if inlet := self._standing(stream_id):
                self._ledger.refused(self._node, stream_id, "paused", inlet.empty())
                inlet.break_off()

    def end(self, stream_id: str) -> None:
        """Note that a stream has no more frames."""
        with self._changed:
            if inlet := self._standing(stream_id):
                self._end(inlet)

    def stop(self) -> None:
        """Refuse all that is not in the graph yet; the sources end by themselves."""
        with self._changed:
            self._stopping, self._keep_open = True, False
            for inlet in self._inlets.values():
                self._ledger.refused(self._node, inlet.stream.id, "interrupted", inlet.empty())
            self._changed.notify_all()

    # the batcher's side

    def take(self) -> list[Admitted] | Marked | None:
        """Return the next frames for one tick, or a mark, which travels alone; None when all streams have ended."""
        with self._changed:
            batch = self._take_newest() if self._live else self._take_in_order()
            self._changed.notify_all()
            return batch

    def _take_in_order(self) -> list[Admitted] | Marked | None:
        batch: list[Admitted] = []
        while len(batch) < self._settings.batch_size:
            while any(inlet.open and not inlet.queue for inlet in self._inlets.values()):
                self._clock.wait(self._changed, None)
            heads = self._filled()
            marked = next((inlet for inlet in heads if inlet.head() is None), None)
            if marked or not heads:
                return batch or (self._pop_mark(marked) if marked else None)
            chosen = min(heads, key=_pts_and_order)
            batch.append(_head(chosen))
            chosen.pop()
            self._changed.notify_all()
        return batch

    def _take_newest(self) -> list[Admitted] | Marked | None:
        while True:
            while not self._notices and not self._filled():
                if not (self._keep_open and self._empty) and not self._open_inlets():
                    return None
                self._clock.wait(self._changed, None)
            if self._notices:
                return self._notices.popleft()
            marked = next((inlet for inlet in self._filled() if inlet.head() is None), None)
            if marked:
                return self._pop_mark(marked)
            self._wait_for_more()
            batch = self._fresh()
            if batch:
                return sorted(batch, key=lambda one: (one.frame.pts_ns, self._inlets[one.stream.id].order))

    def _wait_for_more(self) -> None:
        open_streams = self._open_inlets()
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
        """Take frames stream by stream, the one served longest ago first, and refuse what is too old."""
        batch: list[Admitted] = []
        inlets = sorted(self._inlets.values(), key=lambda inlet: inlet.turn)
        progressing = True
        while progressing and len(batch) < self._settings.batch_size:
            progressing = False
            for inlet in inlets:
                if len(batch) < self._settings.batch_size and (head := inlet.head()):
                    progressing = True
                    inlet.pop()
                    if self._age_limit.refuses(inlet, head):
                        self._ledger.refused(self._node, inlet.stream.id, "too_old")
                        continue
                    self._turn += 1
                    inlet.turn, inlet.admitted_ns = self._turn, self._clock.now_ns()
                    batch.append(head)
        return batch

    # both

    def _open(self, stream: Stream, generation: int) -> None:
        inlet = self._inlets[stream.id] = Inlet(stream, self._order, generation)
        self._order += 1
        self._ledger.open(stream.id)
        inlet.mark("begun")

    def _standing(self, stream_id: str) -> Inlet | None:
        """Return a stream that has not ended, and wake whoever waits for a change of it."""
        inlet = self._inlets.get(stream_id)
        if inlet is None or not inlet.open:
            return None
        self._changed.notify_all()
        return inlet

    def _end(self, inlet: Inlet) -> None:
        inlet.mark("ended")
        inlet.open = False
        self._changed.notify_all()

    def _room(self, inlet: Inlet) -> int:
        batch = self._settings.batch_size
        return max(4, 2 * batch) if inlet.waits else max(1, batch // max(len(self._inlets), 1))

    def _filled(self) -> list[Inlet]:
        return [inlet for inlet in self._inlets.values() if inlet.queue]

    def _open_inlets(self) -> list[Inlet]:
        return [inlet for inlet in self._inlets.values() if inlet.open]

    def _pop_mark(self, inlet: Inlet) -> Marked:
        mark = inlet.pop()
        assert isinstance(mark, Mark)
        if mark.kind == "ended":
            del self._inlets[inlet.stream.id]
            if inlet.stream.live:
                self._newest_generation = max(self._newest_generation, inlet.generation)
        return Marked(mark, (inlet.stream,))


def _pts_and_order(inlet: Inlet) -> tuple[int, int]:
    return _head(inlet).frame.pts_ns, inlet.order


def _head(inlet: Inlet) -> Admitted:
    head = inlet.head()
    assert head is not None
    return head
