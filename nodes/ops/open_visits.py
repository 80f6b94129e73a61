"""Which visits of a stream have not ended, as far as its event log tells, and how to end them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from nodes.ops.cloud_events import OPEN, LookEvent, decode, interrupted, sequence_numbers

logger = logging.getLogger(__name__)


class _Data(msgspec.Struct):
    visit: str = ""


class Head(msgspec.Struct):
    """What must be known of an event to find a place in a log."""

    type: str
    time: str
    sequence: Annotated[str, Meta(pattern=r"^\d{10}\.\d{10}$")]
    data: _Data

    @property
    def generation(self) -> int:
        """Return the generation of the stream."""
        return sequence_numbers(self.sequence)[0]

    @property
    def count(self) -> int:
        """Return its place in the generation."""
        return sequence_numbers(self.sequence)[1]


_HEAD = msgspec.json.Decoder(Head)


class OpenVisits:
    """The visits of one stream that have started and not ended, each with its last event."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, bytes]] = {}
        """Generation and last event, by visit."""
        self._next: dict[int, int] = {}
        """Count of the next event, by generation."""
        self.newest: Head | None = None
        """The last event of the log that they were found in."""

    def __len__(self) -> int:
        return len(self._last)

    def note(self, event: LookEvent, encoded: bytes) -> None:
        """Take an event that was written."""
        generation, count = sequence_numbers(event.sequence)
        self._last.pop(event.data.visit, None)  # taken out first, so that the order stays that of the last events
        if event.type in OPEN:
            self._last[event.data.visit] = generation, encoded
        self._next[generation] = count + 1

    def interrupted(self, generation: int) -> list[tuple[LookEvent, bytes]]:
        """Return the events that end the visits of earlier generations, in the order of their last events."""
        ends = []
        counts = {earlier: count for earlier, count in self._next.items() if earlier < generation}
        for earlier, last in self._last.values() if counts else ():
            if earlier < generation:
                encoded = interrupted(last, counts[earlier])
                counts[earlier] += 1
                ends.append((decode(encoded), encoded))
        return ends

    def forget(self, generation: int) -> None:
        """Count no longer in generations before this one; their visits have ended."""
        self._next = {later: count for later, count in self._next.items() if later >= generation}

    @classmethod
    def of_log(cls, lines: Iterable[bytes]) -> OpenVisits:
        """Return the visits that a log leaves open.

        When a generation begins, those before it are over; so only the last one is read.

        Args:
            lines: of the log of one stream in JSON, the last one first.
        """
        made, told, last = cls(), set[str](), dict[str, tuple[int, bytes]]()
        for head, line in heads(lines):
            made.newest = made.newest or head
            if head.generation != made.newest.generation:
                break
            if head.type in OPEN and head.data.visit not in told and _is_look(line):
                last[head.data.visit] = head.generation, line
            told.add(head.data.visit)
        if made.newest is not None:
            made._next[made.newest.generation] = made.newest.count + 1
        made._last = dict(reversed(last.items()))
        return made


def heads(lines: Iterable[bytes]) -> Iterator[tuple[Head, bytes]]:
    """Yield the lines that are events, and say when some are not."""
    wrong = False
    for line in lines:
        try:
            yield _HEAD.decode(line), line
        except msgspec.DecodeError:
            if not wrong:
                _complain(line)
            wrong = True


def last_count(lines: Iterable[bytes], generation: int) -> int:
    """Return the count of the last event of a generation in a log, whose last line comes first; -1 without one."""
    for head, _ in heads(lines):
        if head.generation <= generation:
            return head.count if head.generation == generation else -1
    return -1


def _is_look(line: bytes) -> bool:
    try:
        decode(line)
    except msgspec.DecodeError:
        _complain(line)
        return False
    return True


def _complain(line: bytes) -> None:
    logger.warning("expected events in the log, got %r; it stays as it is", line[:200])
