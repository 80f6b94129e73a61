"""Keep messages in a log through all that can happen to one: in use, full, damaged, gone, of another story."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from pipeline.bus.answers import Answers
from pipeline.bus.held import Held, message_of
from pipeline.bus.log import FORGET_ROWS, Log
from pipeline.bus.log_faults import LogFault, OtherStory, fault_of
from pipeline.bus.log_file import set_aside
from pipeline.bus.message import Begun, Kept, Message
from pipeline.bus.waiting import Waiting, runs

logger = logging.getLogger(__name__)

TEND_S = 1.0
"""Longest time between two looks at the log."""
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""How long a log that cannot be used is left alone, by failures in a row; the last one is kept to."""
OPEN_STILL = ("busy", "full")
"""Faults that pass without the log being opened anew."""

Told = list[Kept | Message]
"""What is to be sent: with a place in the log, or without."""


class Keeper:
    """The log of a publisher. Used by the thread that publishes; `answers` and `held` are what others see of it."""

    def __init__(
        self,
        name: str,
        path: Path | None,
        *,
        keep_s: float,
        keep_bytes: int,
        room: int,
        interrupted: Callable[[Message, int], Message | None],
        back_off_s: Sequence[float] = BACK_OFF_S,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            name: of the node that publishes, for what is said.
            path: of the log; None to keep nothing.
            keep_s: age in seconds from which on messages are forgotten.
            keep_bytes: size of the log from which on the oldest messages are forgotten.
            room: messages that may wait for a log that cannot be used.
            interrupted: makes the last message of a key that was left open, out of the last one told and the sequence
                that it gets; None where it cannot.
            back_off_s: see `BACK_OFF_S`.
        """
        self.held = Held()
        self.answers = Answers(self.held, keeps=path is not None)
        self.due_s = 0.0
        """When `tend()` is to be called next, on the monotonic clock."""
        self._name, self._path, self._interrupted = name, path, interrupted
        self._keep_s, self._keep_bytes, self._back_off_s = keep_s, keep_bytes, back_off_s
        self._log: Log | None = None
        self._fault: LogFault | None = None
        """What is wrong at the moment; what is told meanwhile waits."""
        self._failures = 0
        self._waiting = Waiting(room)
        self._damage: LogFault | None = None
        """What other threads found."""
        self._told: dict[tuple[str, int], int] = {}
        """Highest sequence told in this run, by source and generation."""
        self._appended = 0

    def open(self) -> None:
        """Open the log, or say why that cannot be done and try again later."""
        if self._path is not None:
            try:
                self._open()
            except LogFault as fault:
                self._cope(fault)

    def place(self) -> tuple[str | None, int | None]:
        """Return the log and its last position; None where it cannot be used."""
        return (self._log.id, self._log.reader.last) if self._log else (None, None)

    def keep(self, items: Sequence[Message | Begun]) -> Told:
        """Bring items to the disk and return what is to be sent; if that cannot be done now, they wait for it."""
        told: Told = []
        for some in runs(items):
            told += self._try(some)
        return told

    def tend(self) -> Told:
        """Look after the log; return what has found its way into it late."""
        self.due_s = time.monotonic() + TEND_S
        self._appended = 0
        if self._path is None:
            return []
        try:
            if self._damage:
                fault, self._damage = self._damage, None
                raise fault
            if self._fault:
                return self._catch_up()
            assert self._log
            self._log.check_in_place()
            if self._log.forget(time.time_ns() - round(self._keep_s * 1e9), self._keep_bytes):
                self.due_s = 0.0
            self.held.forget(self._log.reader.first)
        except LogFault as fault:
            return self._cope(fault)
        return []

    def finish(self) -> Told:
        """Try once more to keep what waits; say what cannot be kept."""
        if self._fault:
            try:
                return self._catch_up()
            except LogFault as fault:
                logger.warning(
                    "%s: event log %s; %d events of this run were published and are not in the log",
                    self._name,
                    fault,
                    self._waiting.refused + self._waiting.count(),
                )
        return []

    def close(self) -> None:
        """Let go of the log."""
        self.answers.log = None
        if self._log:
            self._log.close()
            self._log = None

    # what is kept

    def _try(self, some: Sequence[Message | Begun]) -> Told:
        told: Told = []
        if self._path and not self._fault:
            try:
                return self._write(some)
            except LogFault as fault:
                told = self._cope(fault)
            if not self._fault:  # a new log has begun
                try:
                    return [*told, *self._write(some)]
                except LogFault as fault:
                    told += self._cope(self._of_new_log(fault))
        return [*told, *self._put_by(some)]

    def _write(self, some: Sequence[Message | Begun]) -> Told:
        assert self._log
        messages = [item for item in some if isinstance(item, Message)]
        told = [*messages, *(ended for item in some if isinstance(item, Begun) for ended in self._left_open(item))]
        try:
            kept = self._log.append(told, time.time_ns())
        except OtherStory as other:
            if self._told_by_this_run(other.message):
                logger.warning("%s: %r is told again with other content; the first stays", self._name, other.message.id)
                return self._write([item for item in some if not self._told_by_this_run(item)])
            return [*self._begin_other_story(), *self._write(some)]
        self.held.take(kept, self._log.reader.last)
        for message in messages:
            self._told[message.source, message.generation] = message.sequence
        self._appended += len(kept)
        if self._appended >= FORGET_ROWS:
            self.due_s = 0.0
        return [*kept]

    def _told_by_this_run(self, item: Message | Begun) -> bool:
        return isinstance(item, Message) and item.sequence <= self._told.get((item.source, item.generation), -1)

    def _left_open(self, begun: Begun) -> list[Message]:
        """Return the last messages of what an earlier run left open, because it was killed."""
        assert self._log
        ended: list[Message] = []
        sequences: dict[tuple[str, int], int] = {}
        for last in self.held.left_over(begun.source, begun.generation):
            name = last.source, last.generation
            sequence = sequences.get(name, self._log.next_sequence(name))
            message = self._interrupted(last, sequence)
            if message is None:
                logger.warning(
                    "%s: %r, left open by an earlier run, cannot be read and stays open", self._name, last.id
                )
                continue
            sequences[name] = sequence + 1
            ended.append(message)
        return ended

    def _put_by(self, some: Sequence[Message | Begun]) -> Told:
        """Let items wait for the log, as far as there is room; they are sent without a place in it."""
        messages = [item for item in some if isinstance(item, Message)]
        if self._path:
            self._waiting.put(some)
        self.held.take(messages, self._log.reader.last if self._log else 0)
        return [*messages]

    def _catch_up(self) -> Told:
        told: Told = []
        if self._log is None:
            self._open()
        waited, refused = self._waiting.count(), self._waiting.refused
        while self._waiting:
            some = self._waiting.first(FORGET_ROWS)
            told += self._write(some)
            self._waiting.done(len(some))
        logger.warning(
            "%s: event log %s can be used again: %d events that waited are in it%s",
            self._name,
            self._path,
            waited,
            f"; {refused} more, for which there was no room, are not" if refused else "",
        )
        self._fault, self._failures, self._waiting.refused = None, 0, 0
        return told

    # which log it is kept in

    def _open(self) -> None:
        assert self._path
        self._log = Log(self._path, self._found)
        self.held.begin(self._log.held, self._log.id, self._log.reader.last)
        self.answers.log = self._log

    def _cope(self, fault: LogFault) -> Told:
        """Begin a new log where that helps; else say what is wrong, once, and see to it that it is tried again."""
        if fault.kind in ("damaged", "gone"):
            return self._begin_anew(fault)
        wait_s = self._back_off_s[min(self._failures, len(self._back_off_s) - 1)]
        self.due_s = time.monotonic() + wait_s
        self._failures += 1
        if fault.kind not in OPEN_STILL:
            self._let_go()
        if self._fault is None:
            logger.warning(
                "%s: event log %s; events go out all the same, and %d of them can wait until it can be used",
                self._name,
                fault,
                self._waiting.room,
            )
        self._fault = fault
        return []

    def _begin_anew(self, fault: LogFault) -> Told:
        """Begin a new log with what is held, but for what comes with those that wait."""
        assert self._path
        left = [one for one in map(message_of, self.held.snapshot()[0]) if not self._waiting.waits(one)]
        self._let_go()
        try:
            where = f"it was moved to {set_aside(self._path)}, and " if fault.kind == "damaged" else ""
            self._open()
            logger.warning("%s: event log %s; %sa new log begins", self._name, fault, where)
            return self._write(left)
        except OSError as error:
            return self._cope(fault_of(self._path, error))
        except LogFault as again:
            return self._cope(self._of_new_log(again))

    def _of_new_log(self, fault: LogFault) -> LogFault:
        """Return what a fault of a log that has just begun means: it cannot be damaged, unless the disk is."""
        return LogFault(fault.path, "failing", str(fault)) if fault.kind in ("damaged", "gone") else fault

    def _begin_other_story(self) -> Told:
        """Begin a new log with what this run has told so far, as far as the old log has it."""
        assert self._path
        self._let_go()
        try:
            aside = set_aside(self._path)
        except OSError as error:
            raise fault_of(self._path, error) from error
        logger.warning(
            "%s: event log %s: expected the same events of the same input as before, got others, as after a change of "
            "values; the log was moved to %s, and a new one begins",
            self._name,
            self._path,
            aside,
        )
        self._open()
        told: Told = []
        with closing(Log(aside, lambda _: None)) as before:
            for piece in before.messages(self._told):
                told += self._write(piece)
        return told

    def _let_go(self) -> None:
        """Close the log; what is held goes on without a place in it."""
        self.held.begin([message_of(one) for one in self.held.snapshot()[0]], None, 0)
        self.close()
        self._damage = None  # no thread of that log runs any more

    def _found(self, fault: LogFault) -> None:
        """Take note, on another thread, of what it found."""
        if fault.kind == "damaged":
            self._damage = fault
            self.due_s = 0.0
