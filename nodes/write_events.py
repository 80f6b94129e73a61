"""Write looked-at events as JSON lines, one file per stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

from pydantic import Field

from nodes.ops import cloud_events
from nodes.types import Visits
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch
from pipeline.lineage import Origin
from pipeline.node import Node, NodeConfig
from pipeline.outputs import cannot_write

NONE = (-1, -1)
"""Comes before every (generation, sequence)."""


class Config(NodeConfig):
    file: str = Field(default="events.jsonl", pattern=r"^[^/\\]+$")
    """Name of the file in the folder of its stream. A file of this name is replaced."""


class WriteEvents(Node[Config]):
    """Write each event as one line of CloudEvents JSON (docs/events.md), in the order in which they became known.

    The file is there, and empty, from the stream's first tick on. A tick's lines are written before the next tick, and
    reach the disk for certain when the stream ends. Lines are whole whatever happens: on a full disk, what was begun
    is cut off again. A tick that is run again after an error writes no line twice.

    State: an open file per stream, until the end of the run, because a stream may come back. Empty: nothing is written.
    """

    sink_policy = "keep"

    def open(self) -> None:
        self._logs: dict[str, _Log] = {}
        self._lineage = self.context.lineage("looks")

    def process(self, frames: FrameBatch, looks: Visits) -> None:
        for stream_id in dict.fromkeys([*(frames.streams or {}), *looks.stream_id]):
            if stream_id not in self._logs:
                self._logs[stream_id] = _Log(self.context.output_path(stream_id, self.config.file))
        origins = self._lineage.origins(frames.streams)
        for stream_id in dict.fromkeys(looks.stream_id):
            rows = [row for row, name in enumerate(looks.stream_id) if name == stream_id]
            self._logs[stream_id].append(looks, rows, origins)

    def stream_ended(self, stream_id: str) -> None:
        if stream_id in self._logs:
            self._logs[stream_id].finish()

    def close(self) -> None:
        with ExitStack() as stack:  # all are closed, also when one fails
            for log in self._logs.values():
                stack.callback(log.close)


class _Log:
    """A file that grows by whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._last = NONE
        with self._explained():
            self._file = FileIO(path, "w")  # unbuffered: what is written can be read, a failure is known at once

    def append(self, looks: Visits, rows: list[int], origins: dict[str, Origin]) -> None:
        """Write the rows that were not written yet, all or none."""
        numbers = [(int(looks.generation[row]), int(looks.sequence[row])) for row in rows]
        new = [row for row, number in zip(rows, numbers, strict=True) if number > self._last]
        lines = b"".join(event + b"\n" for event in cloud_events.encode_rows(looks, origins, new))
        with self._explained():
            try:
                left = memoryview(lines)
                while left:
                    left = left[self._file.write(left) :]
            except OSError:
                with suppress(OSError):  # a device such as /dev/full cannot be cut; the first error is the one to tell
                    self._file.truncate(self._bytes)
                    self._file.seek(self._bytes)
                raise
        self._bytes += len(lines)
        self._last = max(self._last, *numbers)

    def finish(self) -> None:
        """Bring what was written to the disk. A stream that begins again may count anew."""
        with self._explained():
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                if error.errno != errno.EINVAL:  # not a file that lives on a disk, such as a pipe
                    raise
        self._last = NONE

    def close(self) -> None:
        try:
            self.finish()
        finally:
            self._file.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PipelineError(f"{self._path}: {cannot_write(error)}") from error
