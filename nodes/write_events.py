"""Write looked-at events and measures as JSON lines, one file of each per stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec
from pydantic import Field

from nodes.ops import cloud_events, measure_events
from nodes.ops.cloud_events import LookEvent, sequence_numbers
from nodes.ops.open_visits import Head, OpenVisits, heads, last_count
from nodes.types import Measures, Visits
from pipeline.frames import FrameBatch
from pipeline.line_log import Fsync, LineLog
from pipeline.node import Node, NodeConfig

Event = LookEvent | measure_events.MeasureEvent
NONE = (-1, -1)
"""Comes before every (generation, count)."""


class Config(NodeConfig):
    file: str = Field(default="events.jsonl", pattern=r"^[^/\\]+$")
    """Name of the file in the folder of its stream. Where the stream is a file, one of this name is replaced; events of
    a live stream are added to it."""
    measures_file: str = Field(default="measures.jsonl", pattern=r"^[^/\\]+$")
    """Name of the file for measures, when there are any; treated alike."""
    rotate_mb: float | None = Field(default=None, gt=0)
    """A file that would grow larger than this, megabytes, is put aside as `events-000001-<time of its first event>` and
    a new one begins. None: never."""
    rotate_s: float | None = Field(default=None, ge=1)
    """A new file begins at each full multiple of this time since 1970, seconds of the events' own time: 86400 gives one
    a day, UTC. None: never."""
    fsync: Fsync = "end"
    """When events must be on the disk, so that they outlive a loss of power: `tick`: before the next tick is looked at;
    `end`: when the stream ends or its file is put aside; `never`: whenever the system likes. Whatever is chosen, events
    outlive the end of the process, kill -9 too. `tick` costs one wait for the disk for each tick with events."""


class WriteEvents(Node[Config]):
    """Write each event as one line of CloudEvents JSON (docs/events.md), in the order in which they became known.

    The file is there from the stream's first tick on; a tick's lines are written before the next tick. Lines are whole
    whatever happens: on a full disk, what was begun is cut off again; what a killed run left half is cut off when the
    next begins. A tick that is run again after an error writes no line twice.

    The file of a live stream goes on from run to run. Visits that a killed run left open are ended there, with the
    reason `interrupted` and as they were last told, when the first frame of another generation of the stream comes.

    State: an open file per stream, and the last events of its visits that have not ended: those of live streams until
    their end, those of files until the end of the run. Empty: nothing is written.
    """

    sink_policy = "keep"

    def open(self) -> None:
        self._logs: dict[tuple[str, str], _Log] = {}
        self.context.lineage("looks")  # a model that is missing is complained of before anything is written

    def process(self, frames: FrameBatch, looks: Visits, measures: Measures | None = None) -> None:
        origins = self.context.lineage("looks").origins(frames.streams)
        self._write(self.config.file, frames, cloud_events.events(looks, origins))
        if measures is not None:
            origins = self.context.lineage("measures").origins(frames.streams)
            self._write(self.config.measures_file, frames, measure_events.events(measures, origins))

    def stream_ended(self, stream_id: str) -> None:
        for key in [key for key in self._logs if key[0] == stream_id]:
            log = self._logs[key]
            log.finish()
            if log.live:  # cameras come and go for months; the log of one that comes back is read again
                log.close()
                del self._logs[key]

    def close(self) -> None:
        with ExitStack() as stack:  # all are closed, also when one fails
            for log in self._logs.values():
                stack.callback(log.close)

    def _write(self, file: str, frames: FrameBatch, events: Sequence[Event]) -> None:
        newest = dict(zip(frames.stream_id, frames.generation.tolist(), strict=True))
        for stream_id, stream in frames.streams.items():
            if (stream_id, file) not in self._logs:
                path = self.context.output_path(stream_id, file)
                self._logs[stream_id, file] = _Log(path, self.config, stream.live)
            own = [event for event in events if event.data.stream == stream_id]
            self._logs[stream_id, file].add(own, newest.get(stream_id))


class _Log:
    """The events of one stream in a file."""

    def __init__(self, path: Path, config: Config, live: bool) -> None:
        self.live = live
        self._last = NONE
        """Of the events written in this run."""
        self._found: dict[int, int] = {}
        """Last counts of generations that the log held before; they come again when a recording is run again."""
        self._file = LineLog(path, config.fsync)
        try:
            if live:
                self._file.mend()
            else:
                self._file.clear()
            self._open = OpenVisits.of_log(self._file.backwards())
            self._top = self._open.newest.generation if self._open.newest else -1
            self._turns = _Turns(config, self._file, self._open.newest)
        except BaseException:
            self._file.close()
            raise

    def add(self, events: Iterable[Event], generation: int | None) -> None:
        """Write what is new, and end visits of generations that are over.

        They are over when an event of a later one comes; those of earlier runs, already when a frame does. Frames say
        nothing of this run: where a node that draws on them fails, they begin anew and visits go on.
        """
        for current, group in groupby(events, key=lambda event: event.data.generation):
            self._end_before(current)
            new = [event for event in group if self._is_new(event)]
            self._put([(event, msgspec.json.encode(event)) for event in new])
        if generation is not None:
            self._end_before(min(generation, self._top + 1))

    def finish(self) -> None:
        """Bring what was written to the disk. A stream that begins again may count anew."""
        self._file.finish()
        self._last = NONE

    def close(self) -> None:
        self._file.close()

    def _end_before(self, generation: int) -> None:
        if ends := self._open.interrupted(generation):
            self._put(ends)
        self._open.forget(generation)

    def _is_new(self, event: Event) -> bool:
        generation, count = sequence_numbers(event.sequence)
        if generation > self._top:
            return (generation, count) > self._last
        if generation not in self._found:
            self._found[generation] = last_count(self._file.backwards(), generation)
        return count > self._found[generation]

    def _put(self, events: Iterable[tuple[Event, bytes]]) -> None:
        """Write events, into a new file from each one on that is due there."""
        batch: list[tuple[Event, bytes]] = []
        self._turns.begin()
        for event, encoded in events:
            while self._turns.due(event.time, len(encoded) + 1):
                self._store(batch)
                batch = []
                self._turns.turn()
            batch.append((event, encoded))
        self._store(batch)

    def _store(self, batch: list[tuple[Event, bytes]]) -> None:
        if batch:
            self._file.append(b"".join(encoded + b"\n" for _, encoded in batch))
        for event, encoded in batch:
            if isinstance(event, LookEvent):
                self._open.note(event, encoded)
            generation, count = sequence_numbers(event.sequence)
            if generation > self._top:
                self._last = max(self._last, (generation, count))
            else:
                self._found[generation] = count


class _Turns:
    """When the file of a log is put aside for a new one, and under which name."""

    def __init__(self, config: Config, file: LineLog, newest: Head | None) -> None:
        self._file = file
        self._largest = math.inf if config.rotate_mb is None else config.rotate_mb * 1e6
        self._period_s = config.rotate_s or math.inf
        self._size = file.size()
        self._label, self._period = "", 0.0
        """Of the first event in the file."""
        if self._size and newest is not None:
            first = next((head for head, _ in heads(file.first_line())), newest)
            self._label, self._period = _label(first.time), self._period_of(newest.time)

    def begin(self) -> None:
        """Look at how large the file is."""
        self._size = self._file.size()

    def due(self, time: str, size: int) -> bool:
        """Tell whether an event belongs into a new file; where not, count it in."""
        period = self._period_of(time)
        if self._size and (self._size + size > self._largest or period > self._period):
            return True
        if not self._size:
            self._label, self._period = _label(time), period
        self._size += size
        return False

    def turn(self) -> None:
        """Put the file aside."""
        self._file.turn(self._label)
        self._size = 0

    def _period_of(self, time: str) -> float:
        return 0.0 if self._period_s == math.inf else datetime.fromisoformat(time).timestamp() // self._period_s


def _label(time: str) -> str:
    """Return a time to the second for the name of a file: `20240501T093000Z`."""
    return f"{time[:19]}Z".replace("-", "").replace(":", "")
