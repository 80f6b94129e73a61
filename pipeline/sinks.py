"""Keep slow and failing sinks of a live graph from holding up anything else: each gets a thread and a queue."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from pipeline.clock import Clock
from pipeline.dropping import hand_out
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import NodeSpec
from pipeline.ledger import Ledger
from pipeline.outputs import cannot_write, write_whole
from pipeline.recording import LENGTH, from_plain_tick, plain_tick
from pipeline.running import RunningNode, explained
from pipeline.status import QueueStatus
from pipeline.tick import Slot, Tick
from pipeline.values import Value

logger = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""How long a failing sink is left alone, by failures in a row; the last one is kept to."""


class SinkLane:
    """The queue in front of one sink, and the loop that empties it.

    A sink that may `drop` loses ticks when the queue is full (`sink_slow`) and when it fails on them. A sink that must
    `keep` loses none: what does not fit into memory waits on disk, and a tick that failed is tried again. What it
    cannot write when the run ends is an error.
    """

    def __init__(self, running: RunningNode, room: int, clock: Clock, ledger: Ledger) -> None:
        self.running = running
        self.spilled = 0
        self.failures = 0
        self.error: PipelineError | None = None
        """What a sink that must keep everything could not keep."""
        self._name = running.spec.name
        self._keeps = running.spec.cls.sink_policy == "keep"
        self._room, self._clock, self._ledger = room, clock, ledger
        self._queue: deque[Tick] = deque()
        self._spill = _Spill(running.spec) if self._keeps else None
        self._changed = threading.Condition()
        self._closing = False
        self._in_a_row = 0
        self._peak = 0

    def offer(self, tick: Tick) -> None:
        """Hand a finished tick over; never waits."""
        self._ledger.came(self._name, len(tick.frames))
        with self._changed:
            full = len(self._queue) >= self._room or bool(self._spill and self._spill.waiting)
            if full and self._spill:
                self._spill_over(self._spill, tick)
            elif full and not tick.marks:  # marks are few and must arrive
                self._ledger.dropped(self._name, "sink_slow", len(tick.frames))
                return
            else:
                self._queue.append(_stripped(tick, self.running.spec) if self._keeps else tick)
                self._peak = max(self._peak, len(self._queue))
            self._changed.notify_all()

    def status(self) -> QueueStatus:
        """Return what waits, and what went wrong so far."""
        with self._changed:
            waiting = len(self._queue) + (self._spill.waiting if self._spill else 0)
            return QueueStatus(self._room, waiting, self._peak, self.spilled, self.failures)

    def run(self) -> None:
        """Feed the sink until the lane is closed and empty."""
        try:
            while (tick := self._next()) is not None:
                self._feed(tick)
        finally:
            if self._spill:
                self._spill.close()

    def close(self) -> None:
        """Let the lane end once it is empty."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _next(self) -> Tick | None:
        with self._changed:
            while not self._queue and not (self._spill and self._spill.waiting):
                if self._closing:
                    return None
                self._clock.wait(self._changed, None)
            if self._queue:
                return self._queue.popleft()
            assert self._spill
            return self._spill.take()

    def _feed(self, tick: Tick) -> None:
        """Hand a tick to the sink; one that must be kept again and again, until the lane is closing."""
        while (failure := self._try(tick)) is not None:
            wait_s = BACK_OFF_S[min(self._in_a_row, len(BACK_OFF_S)) - 1]
            if not self._closing:
                logger.warning("%s; the sink is set aside and tried again in %g s", failure, wait_s)
            if self._wait(wait_s) or not self._keeps:
                self._ledger.dropped(self._name, f"error:{self._name}", len(tick.frames))
                for stream_id in self.running.ending(tick):
                    hand_out(self.running, stream_id)
                self.error = self.error or (failure if self._keeps else None)
                return
        self._ledger.went(self._name, len(tick.frames))

    def _spill_over(self, spill: _Spill, tick: Tick) -> None:
        try:
            spill.add(tick)
            self.spilled += 1
        except OSError as error:
            self._ledger.dropped(self._name, "spill_failed", len(tick.frames))
            where = f"node {self._name!r} ({self.running.spec.type}): what waits in {tempfile.gettempdir()}"
            self.error = self.error or PipelineError(f"{where}: {cannot_write(error)}")

    def _try(self, tick: Tick) -> PipelineError | None:
        try:
            self.running.call(tick)
        except BaseException as error:
            self.failures += 1
            self._in_a_row += 1
            return explained(self.running.spec, tick, error)
        self._in_a_row = 0
        return None

    def _wait(self, wait_s: float) -> bool:
        """Wait before the next try; tell whether the lane is closing, so that no further try is due."""
        until_ns = self._clock.now_ns() + round(wait_s * 1e9)
        with self._changed:
            while not self._closing and (left_ns := until_ns - self._clock.now_ns()) > 0:
                self._clock.wait(self._changed, left_ns / 1e9)
            return self._closing


class _Spill:
    """Ticks on disk, first in, first out; the file has no name and goes away with the lane."""

    def __init__(self, spec: NodeSpec) -> None:
        self.waiting = 0
        self._edges = tuple(spec.inputs.values())
        self._kinds: dict[str, type[Value]] = {}
        self._file: Any = None
        self._read_at = 0
        self._write_at = 0
        self._added: dict[str, Stream] = {}
        """Streams as the last tick on disk knows them."""
        self._taken: dict[str, Stream] = {}
        """Streams as the tick that was taken last knew them."""
        self._changes: deque[tuple[int, dict[str, Stream]]] = deque()
        """Streams that a tick, by its place in the file, knows otherwise than those before it."""

    def add(self, tick: Tick) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="gazegraph-", buffering=0)  # noqa: SIM115, see close()
        self._note_streams(tick.frames.streams or {})
        self._kinds = {edge: type(tick.slots[edge].value) for edge in self._edges}  # the same in every tick
        packed = msgspec.msgpack.encode([tick.number, list(tick.frames.streams or {}), plain_tick(tick, self._kinds)])
        self._file.seek(self._write_at)
        write_whole(self._file, LENGTH.pack(len(packed)) + packed)
        self._write_at = self._file.tell()
        self.waiting += 1

    def take(self) -> Tick:
        self._file.seek(self._read_at)
        length = LENGTH.unpack(self._file.read(LENGTH.size))[0]
        number, ids, message = msgspec.msgpack.decode(self._file.read(length))
        while self._changes and self._changes[0][0] <= self._read_at:
            self._taken.update(self._changes.popleft()[1])
        streams = {id: self._taken[id] for id in ids}
        self._read_at = self._file.tell()
        self.waiting -= 1
        if not self.waiting:
            self._file.truncate(0)
            self._read_at = self._write_at = 0
            self._added, self._taken = {}, {}
            self._changes.clear()
        frames, marks, values = from_plain_tick(message, self._kinds)
        frames = replace(frames, streams=streams)
        slots = {
            edge: Slot(replace(value, streams=frames.streams) if isinstance(value, FrameBatch) else value)
            for edge, value in values.items()
        }
        return Tick(number, frames, marks, slots)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _note_streams(self, streams: Mapping[str, Stream]) -> None:
        """Keep what a tick that is added knows of its streams, where it is not what the one before knew."""
        if changed := {id: stream for id, stream in streams.items() if self._added.get(id) is not stream}:
            self._added.update(changed)
            self._changes.append((self._write_at, changed))


def _stripped(tick: Tick, spec: NodeSpec) -> Tick:
    """Return the tick with only what a sink reads, and no pictures: what waits must be small."""
    slots = {}
    for edge in spec.inputs.values():
        value = tick.slots[edge].on_host
        slots[edge] = Slot(replace(value, pictures=()) if isinstance(value, FrameBatch) else value)
    return replace(tick, frames=replace(tick.frames, pictures=()), slots=slots)
