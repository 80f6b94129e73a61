"""The durable log: every message gets a position, and is on the disk before anybody hears of it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path

from pipeline.bus.checkpoints import Checkpoints
from pipeline.bus.log_faults import LogFault, OtherStory, fault_of
from pipeline.bus.log_file import LogFile
from pipeline.bus.log_reader import COLUMNS, LogReader, Series, first_since, kept
from pipeline.bus.message import Kept, Message
from pipeline.bus.wire import LEVELS, prefixes

FORGET_ROWS = 2000
"""Messages forgotten at once: few enough for a commit to wait for it."""
SHRUNK = 0.95
"""Part of the allowed size that a log is brought down to when it has outgrown it, so that this is not always due."""
INSERT_ROWS = 50
"""Rows put in by one statement at most; a statement for each takes half as long again."""
NEXT = "SELECT position, sequence, data FROM messages WHERE position > ? AND series = ? ORDER BY position LIMIT 1"


@lru_cache(maxsize=INSERT_ROWS)
def insert_of(rows: int) -> str:
    """Return the statement that puts in so many messages."""
    return f"INSERT INTO messages ({COLUMNS}) VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'] * rows)}"


SeriesName = tuple[str, int]
"""Source and generation."""


class Log:
    """One log, open for writing, for one thread; `reader` is for any.

    A message is new when its sequence is above all that the log has seen of its (source, generation). What is not new
    is compared with what is there: the same again is no news, anything else is another story.
    """

    def __init__(self, path: Path, on_fault: Callable[[LogFault], None]) -> None:
        """Open or make a log and read what it holds.

        Args:
            path: the file.
            on_fault: called, on other threads, when what was written cannot be read or tidied up.

        Raises:
            LogFault: it cannot be used.
        """
        self.path = path
        self._series: dict[SeriesName, Series] = {}
        self._by_number: dict[int, Series] = {}
        self._latest: dict[str, int] = {}
        self._latest_swept = 0
        self._recorded_ns = 0
        with ExitStack() as opened, self._explained():
            self._file = LogFile(path)
            self._db = self._file.writer
            opened.callback(self._file.close)
            self.reader = LogReader(self._file.connect(), path, self._by_number, on_fault)
            opened.callback(self.reader.close)
            self.held = self._read_back()
            """The last message of each key that is held, as it was when the log was opened."""
            self._checkpoints = Checkpoints(self._file, on_fault)
            self._checkpoints.start()
            opened.callback(self._checkpoints.end)
            self._opened = opened.pop_all()

    @property
    def id(self) -> str:
        """32 hexadecimal digits that no other log has."""
        return self._file.id

    def append(self, messages: Sequence[Message], now_ns: int) -> list[Kept]:
        """Bring what is new among messages to the disk, all or nothing, and return that.

        Raises:
            OtherStory: one is in the log with other content; nothing was written.
            LogFault: nothing could be written.
        """
        with self._explained():
            new, begun = self._new(messages)
            if not new:
                return []
            recorded_ns = max(now_ns, self._recorded_ns)
            latest: dict[str, int] = {}
            placed = [
                Kept(message, position, self._previous(message.topic, position, latest), recorded_ns)
                for position, (message, _) in enumerate(new, self.reader.last + 1)
            ]
            self._insert(placed, [series.number for _, series in new], begun)
        self._latest |= latest
        self._recorded_ns = recorded_ns
        for one in begun:
            self._know(one)
        for (message, series), (_, position, _, _) in zip(new, placed, strict=True):
            series.mark, series.last = message.sequence, position
        self.reader.last += len(new)
        return placed

    def forget(self, before_ns: int, keep_bytes: int) -> bool:
        """Forget what is oldest: recorded before a time, or beyond a size; never the last message of all.

        Returns:
            Whether there is more to forget; a call forgets at most `FORGET_ROWS`.

        Raises:
            LogFault: nothing could be forgotten.
        """
        first, last = self.reader.first, self.reader.last
        with self._explained():
            used = self._used_bytes()
            by_size = math.ceil((last - first + 1) * (1 - SHRUNK * keep_bytes / used)) if used > keep_bytes else 0
            by_age = (first_since(self._db, first, last, before_ns) or last) - first
            wanted = min(max(by_size, by_age), last - first)
            if wanted <= 0:
                return False
            cut = first + min(wanted, FORGET_ROWS)
            self._delete(cut)
        self.reader.first = cut
        if len(self._latest) > 2 * self._latest_swept + 1000:
            self._latest = {prefix: position for prefix, position in self._latest.items() if position >= cut}
            self._latest_swept = len(self._latest)
        return wanted > FORGET_ROWS

    def messages(self, upto: Mapping[SeriesName, int]) -> Iterator[list[Message]]:
        """Yield, piece by piece, the messages of some series up to a sequence each.

        Raises:
            LogFault: they cannot be read.
        """
        wanted = {self._series[name].number: sequence for name, sequence in upto.items() if name in self._series}
        with self._explained():
            rows = self._db.execute(f"SELECT {COLUMNS} FROM messages ORDER BY position")
            found = (kept(row, self._by_number).message for row in rows if row[3] <= wanted.get(row[2], -1))
            while piece := list(islice(found, FORGET_ROWS)):
                yield piece

    def next_sequence(self, name: SeriesName) -> int:
        """Return the number after the highest one that the log has seen of a source's generation."""
        return self._series[name].mark + 1 if name in self._series else 0

    def check_in_place(self) -> None:
        """Make sure that the file is still where it was.

        Raises:
            LogFault: it was removed or replaced.
        """
        self._file.check_in_place()

    def close(self) -> None:
        """Let go of the file. The reader refuses from then on."""
        self._opened.close()

    # what is new

    def _new(self, messages: Sequence[Message]) -> tuple[list[tuple[Message, Series]], list[Series]]:
        """Return the messages that the log does not know, and the series among theirs that it does not know."""
        new: list[tuple[Message, Series]] = []
        begun: dict[SeriesName, Series] = {}
        marks: dict[int, int] = {}
        for message in messages:
            name = message.source, message.generation
            series = self._series.get(name) or begun.get(name)
            if series is None:
                number = max(self._by_number, default=0) + len(begun) + 1
                series = begun[name] = Series(number, *name, message.contenttype)
            if message.sequence > marks.get(series.number, series.mark):
                marks[series.number] = message.sequence
                new.append((message, series))
            elif message.sequence <= series.mark:  # else it came twice in this batch
                self._compare(message, series)
        return new, list(begun.values())

    def _compare(self, message: Message, series: Series) -> None:
        """Look for the message where the search for the one before ended: a story is told again in its order."""
        sequence, position = series.compared if series.compared[0] < message.sequence else (-1, 0)
        while sequence < message.sequence:
            row = self._db.execute(NEXT, (position, series.number)).fetchone()
            if row is None:
                return  # forgotten, with all that came before it
            position, sequence, data = row
        if sequence == message.sequence:
            series.compared = sequence, position
            if data != message.data:
                raise OtherStory(message)

    def _previous(self, topic: str, position: int, latest: dict[str, int]) -> tuple[int, int, int]:
        """Return where the topic and what it stands below last occurred; note in `latest` that they do now."""
        found = [0] * LEVELS
        for level, prefix in enumerate(prefixes(topic)):
            found[level] = latest.get(prefix) or self._latest.get(prefix, 0)
            latest[prefix] = position
        return found[0], found[1], found[2]

    # what is on the disk

    def _insert(self, placed: list[Kept], numbers: list[int], begun: list[Series]) -> None:
        written = 0
        with self._transaction():
            for one in begun:
                self._db.execute(
                    "INSERT INTO series VALUES (?, ?, ?, ?, -1)",
                    (one.number, one.source, one.generation, one.contenttype),
                )
            for start in range(0, len(placed), INSERT_ROWS):
                some = placed[start : start + INSERT_ROWS]
                values: list[object] = []
                for (told, position, previous, recorded_ns), number in zip(some, numbers[start:], strict=False):
                    values += (position, recorded_ns, number, told.sequence, told.topic, told.id, told.key, told.holds)
                    values += (*previous, told.data)
                    written += len(told.data)
                self._db.execute(insert_of(len(some)), values)
        self._checkpoints.wrote(written)

    def _delete(self, cut: int) -> None:
        """Forget messages before a position. What is still needed of their series is kept."""
        newest: dict[str, int] = {}
        for source, generation in self._series:
            newest[source] = max(generation, newest.get(source, generation))
        empty = [one for one in self._series.values() if one.last < cut]
        outlived = [one for one in empty if one.generation < newest[one.source]]
        with self._transaction():
            marks = [(one.mark, one.number) for one in empty]
            self._db.executemany("UPDATE series SET mark = ? WHERE number = ?", marks)
            self._db.executemany("DELETE FROM series WHERE number = ?", [(one.number,) for one in outlived])
            self._db.execute("DELETE FROM messages WHERE position < ?", (cut,))
        for one in outlived:
            del self._series[one.source, one.generation]  # its number stays known to who reads just now

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._checkpoints.write_turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell; SQLite may have rolled back itself
                    self._db.execute("ROLLBACK")
                raise

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _read_back(self) -> list[Kept]:
        """Take up what is known of series and topics; return the messages that are held."""
        for row in self._db.execute("SELECT number, source, generation, contenttype, mark FROM series"):
            self._know(Series(*row))
        held: dict[str, int] = {}
        position = 0
        for position, topic, key, holds, number, sequence in self._db.execute(
            "SELECT position, topic, key, holds, series, sequence FROM messages ORDER BY position"
        ):
            self._latest[topic] = position
            if number not in self._by_number:
                raise LogFault(self.path, "damaged", f"message {position} of an unknown series")
            series = self._by_number[number]
            series.mark, series.last = sequence, position
            if holds:
                held[key] = position
            else:
                held.pop(key, None)
        for topic, last in sorted(self._latest.items(), key=lambda item: item[1]):
            self._latest |= dict.fromkeys(prefixes(topic), last)
        self._latest_swept = len(self._latest)
        if position:
            first, self._recorded_ns = self._db.execute(
                "SELECT min(position), (SELECT recorded_ns FROM messages WHERE position = ?) FROM messages", (position,)
            ).fetchone()
            self.reader.first, self.reader.last = first, position
        select = f"SELECT {COLUMNS} FROM messages WHERE position = ?"
        return [kept(self._db.execute(select, (at,)).fetchone(), self._by_number) for at in sorted(held.values())]

    def _know(self, series: Series) -> None:
        self._series[series.source, series.generation] = series
        self._by_number[series.number] = series

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise fault_of(self.path, error) from error
