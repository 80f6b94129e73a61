"""Write what passes on an edge to disk, and read it back: values, marks, times and sizes; no pictures.

A recording is a folder with one file, `<edge>.ticks`: a header and then one message for each tick, each a MessagePack
map behind its length (4 bytes, little-endian). A cut-off last message, as a killed run leaves it, ends the recording.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.marks import Mark
from pipeline.outputs import cannot_write, make_folder, write_whole
from pipeline.running import checked
from pipeline.tick import Tick
from pipeline.values import Value, columns, items

logger = logging.getLogger(__name__)

VERSION = 1
LENGTH = struct.Struct("<I")
MAX_MESSAGE_BYTES = 1 << 30
CURE = "record it again with --record"


class Recorder:
    """Writes the values of one edge, tick by tick."""

    def __init__(self, edge: str, kind: type[Value], folder: Path) -> None:
        """Begin a recording, replacing one of the same edge.

        Raises:
            ConfigError: the folder cannot be made.
            PipelineError: the file cannot be written.
        """
        self._edge = edge
        self._path = make_folder(folder) / f"{edge}.ticks"
        with self._explained():
            self._file = FileIO(self._path, "w")  # unbuffered: a failure is known at once, and nothing is left to do
        try:
            self._write({"gazegraph": "recording", "version": VERSION, "edge": edge, "kind": kind.__name__})
        except PipelineError:
            self.close()
            raise

    def add(self, tick: Tick) -> None:
        """Write the tick's frames (without pictures), marks and value.

        Raises:
            PipelineError: it cannot be written; names path, cause and cure.
        """
        self._write(plain_tick(tick, [self._edge]))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _write(self, message: dict[str, Any]) -> None:
        packed = msgspec.msgpack.encode(message)
        with self._explained():
            write_whole(self._file, LENGTH.pack(len(packed)) + packed)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PipelineError(f"{self._path}: {cannot_write(error)}") from error


@dataclass(frozen=True)
class RecordedTick:
    """One tick as it was recorded; the frames know neither pictures nor streams."""

    frames: FrameBatch
    marks: tuple[Mark, ...]
    value: Value


class Recording(Iterator[RecordedTick]):
    """The ticks of one edge, read one after another; the file is closed at its end, after an error, or by `close()`."""

    def __init__(self, edge: str, kind: type[Value], folder: Path, again: bool = False) -> None:
        """Open a recording and check what it begins with.

        Args:
            edge: the edge that was recorded.
            kind: what the graph expects on that edge.
            folder: where it was recorded to.
            again: whether it is of an earlier pass of the same run.

        Raises:
            ConfigError: it is not there, or of another edge, kind or version.
        """
        self.kind = kind
        self.where = f"second pass, {edge}" if again else f"--replay {edge}"
        """What asked for it, for messages."""
        self.misfit_cure = (
            "leave files as they are while they are run"
            if again
            else "replay with the input, streams and batch size of the recording"
        )
        self._edge, self._path = edge, folder / f"{edge}.ticks"
        self._number = 0
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            where = f"--replay {edge}={folder}"
            raise ConfigError(f"{where}: expected the recording {self._path}, got: {error.strerror}; {CURE}") from error
        wanted = {"gazegraph": "recording", "version": VERSION, "edge": edge, "kind": kind.__name__}
        try:
            header = self._message()
        except ValueError as error:
            raise ConfigError(f"{self._path}: expected a recording, got: {error}; {CURE}") from error
        if header != wanted:
            self.close()
            raise ConfigError(
                f"{self._path}: expected a recording that begins with {wanted}, got {header!r:.200}; {CURE}"
            )

    def __next__(self) -> RecordedTick:
        """Return the next tick.

        Raises:
            StopIteration: there is none, or it is cut off.
            PipelineError: a message is not what a recording holds.
        """
        try:
            message = None if self._file.closed else self._message()
            if message is None:
                raise StopIteration
            frames, marks, values = from_plain_tick(message, {self._edge: self.kind})
        except (KeyError, TypeError, ValueError) as error:
            self.close()
            where = f"{self._path}: tick {self._number}"
            got = f"no {error}" if isinstance(error, KeyError) else error
            raise PipelineError(f"{where}: expected a recorded tick, got: {got}; {CURE}") from error
        self._number += 1
        return RecordedTick(frames, marks, values[self._edge])

    def close(self) -> None:
        """Read no further."""
        self._file.close()

    def _message(self) -> Any:
        """Return the next message as plain data; None when there is none.

        Raises:
            ValueError: the bytes are something else; the file is closed.
        """
        head = self._file.read(LENGTH.size)
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        try:
            if length > MAX_MESSAGE_BYTES:
                raise ValueError(f"a message of {length} bytes")
            packed = self._file.read(length)
            if len(head) == LENGTH.size and len(packed) == length:
                return msgspec.msgpack.decode(packed)
        except (ValueError, RecursionError) as error:
            self.close()
            raise ValueError(f"{error}") from error
        if head:
            logger.warning("%s: the last tick is cut off; the recording ends before it", self._path)
        self.close()
        return None


def plain_tick(tick: Tick, edges: Iterable[str]) -> dict[str, Any]:
    """Return frames without pictures, marks, and the values on some edges, as plain data."""
    return {
        "marks": [msgspec.to_builtins(mark) for mark in tick.marks],
        "frames": _plain(tick.frames),
        "values": {edge: _plain(tick.slots[edge].on_host) for edge in edges},
    }


def from_plain_tick(
    message: Any, kinds: Mapping[str, type[Value]]
) -> tuple[FrameBatch, tuple[Mark, ...], dict[str, Value]]:
    """Return what `plain_tick` was made from; the frames know neither pictures nor streams.

    Raises:
        KeyError, TypeError, ValueError: the message is something else.
    """
    marks = tuple(msgspec.convert(message["marks"], list[Mark]))
    frames = _value(FrameBatch, message["frames"])
    made = {edge: _value(kind, message["values"][edge]) for edge, kind in kinds.items()}
    return frames, marks, {edge: checked(made[edge], kind, len(frames)) for edge, kind in kinds.items()}


def _plain(value: Value) -> dict[str, Any]:
    """Return the columns as plain data: names as lists, arrays as their shape and bytes."""
    return {
        name: list(content)
        if isinstance(content, tuple)
        else {"shape": content.shape, "bytes": np.ascontiguousarray(content).tobytes()}
        for name, content in items(value)
    }


def _value(kind: type[Value], plain: dict[str, Any]) -> Any:
    """Return the value; dtypes are those the kind declares, so a recording cannot bring its own.

    Raises:
        ValueError: a column is missing, has the wrong type or does not fill its shape.
    """
    made: dict[str, Any] = {}
    for spec in columns(kind):
        content = plain[spec.name]
        if "names" in spec.metadata:
            made[spec.name] = tuple(msgspec.convert(content, list[str]))
        else:
            shape = msgspec.convert(content["shape"], list[int])
            made[spec.name] = np.frombuffer(content["bytes"], spec.metadata["dtype"]).reshape(shape).copy()
    return kind(**made)
