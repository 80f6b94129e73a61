"""All streams of a run: begun together, and while a live run goes on, one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pipeline.admission import Admission
from pipeline.clock import Clock
from pipeline.errors import ConfigError, PipelineError, RefusedError, UnknownStreamError
from pipeline.frames import Stream
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.memory import few_arenas, give_back
from pipeline.reader import Reader
from pipeline.running import Meter
from pipeline.shedding import Governor, usable_cores
from pipeline.streams import StreamConfig

LEAVE_S = 5.0
"""How long a stream may take to leave the graph before another one can have its id."""
GRACE_S = 2.0
"""How long the end of a run waits for sources of live streams; then they are left to their deadlines."""
GOVERN_EVERY_NS = 1_000_000_000
GIVE_BACK_EVERY_NS = 5_000_000_000
"""Least time between two givings back of the memory of streams that are gone."""
LATE_CAUSES = ("not_newest", "too_old", "lost_generation")
"""Causes for which frames are dropped after they were decoded, for the want of time."""


class Readers:
    """The readers of a run by stream, those that are leaving, and what those that are gone have cost."""

    def __init__(
        self, make: Callable[[Stream], Reader], streams: Iterable[Stream], admission: Admission, ledger: Ledger,
        clock: Clock, governor: Governor,
    ) -> None:  # fmt: skip
        """Make a reader for each stream; none begins yet.

        Args:
            make: makes one.
            streams: of the beginning.
            admission: the door.
            ledger: counts frames.
            clock: tells the time.
            governor: says how much of live streams is decoded.
        """
        few_arenas(usable_cores())
        self._make, self._admission, self._ledger = make, admission, ledger
        self._clock, self._governor = clock, governor
        self._readers = {stream.id: make(stream) for stream in streams}
        self._threads: list[threading.Thread] = []
        self._leaving: dict[str, Reader] = {}
        self._changed = threading.Condition()
        self._begun = self._stopped = False
        self._governed_ns = self._gave_back_ns = clock.now_ns()
        self._some_left = False
        self._retired = Meter()
        """What readers that are gone have cost."""
        self._retired_engine_cpu_ns = 0

    def here(self) -> list[Reader]:
        """Return the readers that are here."""
        with self._changed:
            return list(self._readers.values())

    def start(self) -> None:
        """Begin to read all streams."""
        with self._changed:
            self._begun = True
            for reader in self._readers.values():
                self._start(reader)

    def add(self, stream: Stream, mark: Mark) -> None:
        """Begin a live stream.

        Args:
            stream: its time begins now.
            mark: tells its values; it goes through the graph before.

        Raises:
            ConfigError: its id is taken.
            RefusedError: the run does not read sources, or is over, or the last stream of that id is still inside.
        """
        with self._changed:
            if not self._begun or self._stopped:
                raise RefusedError(f"stream {stream.id!r}: expected a run that goes on, got one that ends; start it")
            if stream.id in self._readers:
                raise ConfigError(
                    f"stream {stream.id!r}: expected another id, got one that is taken; remove that stream first"
                )
            until_ns = self._clock.now_ns() + round(LEAVE_S * 1e9)
            while stream.id in self._leaving and (left_ns := until_ns - self._clock.now_ns()) > 0:
                self._clock.wait(self._changed, left_ns / 1e9)
            if stream.id in self._leaving:
                raise RefusedError(f"stream {stream.id!r}: its last frames are still inside; try again in a moment")
            reader = self._readers[stream.id] = self._make(stream)
            self._admission.configure(mark, {stream.id: stream})  # first, so that it is told of before it begins
            self._admission.add(stream, int(time.time()))
            self._start(reader)

    def remove(self, stream_id: str) -> None:
        """End a stream and forget it once its last frames have left the graph.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        with self._changed:
            reader = self._known(stream_id)
            del self._readers[stream_id]
            self._leaving[stream_id] = reader
            reader.remove()  # all of it, before another stream may have the id
        if not self._admission.knows(stream_id):  # it had ended before by itself
            self.left(stream_id)

    def pause(self, stream_id: str) -> None:
        """Let go of a stream until `resume()`.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        self._known(stream_id).pause()

    def resume(self, stream_id: str) -> None:
        """Read a paused stream again.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        self._known(stream_id).resume()

    def configure(self, mark: Mark, configs: Mapping[str, StreamConfig]) -> None:
        """Send a mark of kind `configured` through the graph, with the streams that changed.

        Raises:
            UnknownStreamError: one of them is not here.
        """
        with self._changed:
            changed = {}
            for stream_id, config in configs.items():
                reader = self._known(stream_id)
                changed[stream_id] = reader.stream = replace(reader.stream, config=config)
            self._admission.configure(mark, changed)

    def left(self, stream_id: str) -> bool:
        """Note that the end of a stream has left the graph; tell whether it was removed and is forgotten now."""
        with self._changed:
            reader = self._leaving.pop(stream_id, None)
            if reader is None:
                return False
            self._ledger.forget(stream_id)
            self._some_left = True
            _add(self._retired, reader.meter)
            self._retired_engine_cpu_ns += reader.engine_cpu_ns
            self._changed.notify_all()
            return True

    def watch(self) -> None:
        """Look after live streams: which have stalled, and how much of them is decoded in vain."""
        readers = [reader for reader in self.here() if reader.stream.live]
        for reader in readers:
            reader.watch()
        now_ns = self._clock.now_ns()
        if self._some_left and now_ns - self._gave_back_ns > GIVE_BACK_EVERY_NS:
            self._some_left, self._gave_back_ns = False, now_ns
            give_back()
        if now_ns - self._governed_ns < GOVERN_EVERY_NS or not readers:
            return
        self._governed_ns = now_ns
        accounts = self._ledger.streams()
        counts = {}
        for reader in readers:
            dropped = accounts.get(reader.stream.id, {}).get("dropped", {})
            late = sum(dropped.get(cause, 0) for cause in LATE_CAUSES)
            counts[reader.stream.id] = reader.meter.cpu_ns, reader.meter.frames, late
        self._governor.look(counts)

    def stop(self) -> None:
        """Let all sources end."""
        with self._changed:
            self._stopped = True
            readers = list(self._readers.values())
        for reader in readers:
            reader.stop()

    def join(self) -> None:
        """Wait for the threads of files, and a moment for those of live streams."""
        until_s = time.monotonic() + GRACE_S
        for thread in list(self._threads):
            thread.join(max(until_s - time.monotonic(), 0) if thread.daemon else None)

    def errors(self) -> list[PipelineError]:
        """Return what ended streams for good."""
        return [reader.error for reader in self.here() if reader.error]

    def meter(self) -> Meter:
        """Return what all sources have done and cost together."""
        with self._changed:
            total = Meter()
            for meter in [self._retired, *(r.meter for r in [*self._readers.values(), *self._leaving.values()])]:
                _add(total, meter)
            return total

    def engine_cpu_ns(self) -> int:
        """Return the CPU time of all sources' threads outside of the sources."""
        with self._changed:
            readers = [*self._readers.values(), *self._leaving.values()]
            return self._retired_engine_cpu_ns + sum(reader.engine_cpu_ns for reader in readers)

    def generation(self, stream_id: str) -> int:
        """Return the generation that a stream is in, or was in when it ended."""
        return self._admission.generation(stream_id)

    def _start(self, reader: Reader) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(reader.start())

    def _known(self, stream_id: str) -> Reader:
        with self._changed:
            if stream_id in self._readers:
                return self._readers[stream_id]
            known = ", ".join(sorted(self._readers)) or "none"
        raise UnknownStreamError(f"stream {stream_id!r}: expected a stream of this run, got none; streams: {known}")


def _add(total: Meter, meter: Meter) -> None:
    total.frames += meter.frames
    total.wall_ns += meter.wall_ns
    total.cpu_ns += meter.cpu_ns
