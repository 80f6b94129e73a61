"""Read messages of a log by position, for whoever asks and on whatever thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.bus.log_faults import LogFault, fault_of
from pipeline.bus.message import Kept, Message
from pipeline.bus.wire import REPLY_BYTES

COLUMNS = "position, recorded_ns, series, sequence, topic, id, key, holds, previous_1, previous_2, previous_3, data"
BESIDE_DATA = 300
"""About how many bytes of a reply a message takes beside its data."""
AFTER_ALL = "\U0010ffff"


@dataclass
class Series:
    """What is known of one (source, generation)."""

    number: int
    source: str
    generation: int
    contenttype: str
    mark: int = -1
    """Highest sequence kept, also when it was forgotten since."""
    last: int = 0
    """Position of the last message that is still there; 0 for none."""
    compared: tuple[int, int] = (-1, 0)
    """Sequence and position of the message that was last found to be told again."""


class LogReader:
    """A connection that only reads. Calls from several threads take turns."""

    def __init__(
        self, db: sqlite3.Connection, path: Path, series: Mapping[int, Series], on_fault: Callable[[LogFault], None]
    ) -> None:
        self.first, self.last = 1, 0
        """The positions that are there; moved by who writes, once that is on the disk."""
        self._db: sqlite3.Connection | None = db
        self._path, self._series, self._on_fault = path, series, on_fault
        self._turn = threading.Lock()

    def events(self, after: int, prefix: str, most: int) -> tuple[list[Kept], int]:
        """Return messages after a position whose topic begins with a prefix, oldest first.

        Returns:
            At most `most` messages, fewer where they are large; and the position up to which that is all there is.

        Raises:
            LogFault: the log cannot be read.
        """
        last = self.last
        found: list[Kept] = []
        size = 0
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {COLUMNS} FROM messages WHERE position > ? AND position <= ? AND topic >= ? AND topic < ?"
                " ORDER BY position",
                (after, last, prefix, prefix + AFTER_ALL),
            )
            for row in rows:
                found.append(kept(row, self._series))
                size += len(row[-1]) + BESIDE_DATA
                if len(found) == most or size >= REPLY_BYTES:
                    return found, found[-1].position
        return found, max(last, 0)

    def find(self, id: str) -> int | None:
        """Return the position of the newest message with an id; reads backwards, the whole log if need be.

        Raises:
            LogFault: the log cannot be read.
        """
        with self._reading() as db:
            row = db.execute("SELECT position FROM messages WHERE id = ? ORDER BY position DESC", (id,)).fetchone()
        return None if row is None else int(row[0])

    def since(self, recorded_ns: int) -> int | None:
        """Return the position of the first message recorded at a time or after it.

        Raises:
            LogFault: the log cannot be read.
        """
        with self._reading() as db:
            return first_since(db, self.first, self.last, recorded_ns)

    def close(self) -> None:
        """Close the connection; later calls raise."""
        with self._turn:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if self._db is None:
                raise LogFault(self._path, "gone")
            try:
                yield self._db
            except sqlite3.Error as error:
                fault = fault_of(self._path, error)
                self._on_fault(fault)
                raise fault from error


def first_since(db: sqlite3.Connection, first: int, last: int, recorded_ns: int) -> int | None:
    """Return the first of the positions recorded at a time or after it: recorded times never fall."""
    low, high = first, last + 1
    while low < high:
        middle = (low + high) // 2
        row = db.execute("SELECT recorded_ns FROM messages WHERE position = ?", (middle,)).fetchone()
        if row is None or row[0] < recorded_ns:  # not there: forgotten meanwhile
            low = middle + 1
        else:
            high = middle
    return low if low <= last else None


def kept(row: tuple[Any, ...], series: Mapping[int, Series]) -> Kept:
    """Return a row of `COLUMNS` as the message it stands for."""
    position, recorded_ns, number, sequence, topic, id, key, holds, *previous, data = row
    of = series[number]
    message = Message(topic, id, of.source, of.generation, sequence, of.contenttype, key, bool(holds), data)
    return Kept(message, position, (previous[0], previous[1], previous[2]), recorded_ns)
