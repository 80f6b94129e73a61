"""Take the messages of a publisher in order, each once: gaps are asked for, restarts are waited out."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from msgspec import UNSET

from pipeline.bus import wire
from pipeline.bus.link import Link
from pipeline.bus.starts import After, AfterEvent, Resume, Since, Snapshot, Start
from pipeline.bus.wire import Ask, AskEvents, AskFind, AskSince, AskSnapshot, Delivered, Heartbeat, Reply
from pipeline.errors import ConfigError

logger = logging.getLogger(__name__)

MOST_UNLOGGED = 100_000
"""Ids remembered of messages that came before they stood in a log."""


class Subscriber(Iterator[Delivered]):
    """Messages of one publisher in order of position, without gaps, each once.

    Iterating waits for the next message, however long and however often the publisher is started again. A message that
    could not be logged is handed out when it comes, and not again when it is logged later. That the log is another one
    than before, or that retention has removed what was missed, is logged as a warning; messages then go on with the
    first of that log, or with the oldest kept.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        prefixes: Sequence[str] = ("",),
        start: Start | None = None,
        requests: str | None = None,
        keys: Path | None = None,
    ) -> None:
        """Connect to a publisher, which need not be there yet.

        Args:
            endpoint: where it publishes, `tcp://HOST:PORT` or `ipc://PATH`.
            prefixes: beginnings, in whole segments, of the topics wanted: `look/shop/`; "" for all. What they have in
                common is what travels; the rest is sorted out here, so that there is one order.
            start: what to begin with; None: with what is held at the moment.
            requests: where requests are answered; None: where the publisher says.
            keys: the folder of keys, as `run_graph.py keys` makes it, for a publisher that asks for them.

        Raises:
            ConfigError: an address or the folder of keys is wrong. Iterating raises it when the publisher does not take
                the keys, or does not know the event to begin after.
            ValueError: a prefix is not made of whole segments.
        """
        self._endpoint, self._prefixes = endpoint, tuple(prefixes)
        self._root = shared_root(self._prefixes)
        self._start = start or Snapshot()
        self._log: str | None = None
        """The log that `_position` is of; None before the start."""
        self._position = 0
        """All messages up to here have been handed out."""
        self._unlogged: OrderedDict[str, None] = OrderedDict()
        self._told_of_no_log = False
        self._link = Link(endpoint, self._root, requests, keys)
        self._messages = self._all()

    def __next__(self) -> Delivered:
        return next(self._messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._link.close()

    def _all(self) -> Iterator[Delivered]:
        while True:
            came = self._link.next()
            message = None if isinstance(came, Heartbeat) else came
            place = came if isinstance(came, Heartbeat) else came.headers
            if place.log is None or place.position is None:
                yield from self._outside_a_log(message)
            elif self._log is None:
                yield from self._begin()
            elif place.log != self._log or self._something_between(message, place.position):
                yield from self._repair()
            elif message is not None and place.position > self._position:
                self._position = place.position
                yield from self._wanted(message)

    def _something_between(self, message: Delivered | None, position: int) -> bool:
        """Tell whether there may be messages between the last one handed out and this message or heartbeat."""
        if message is None:
            return position != self._position  # less: the log may have lost its end
        depth = self._root.count("/")
        before = message.headers.previous[depth - 1] if depth else position - 1
        return before > self._position

    def _begin(self) -> Iterator[Delivered]:
        """Begin as wished; do nothing yet while the log cannot be used."""
        position: int | None
        match self._start:
            case Snapshot():
                reply, held = self._ask(AskSnapshot(self._root))
                if reply is not None and reply.upto is not UNSET:
                    self._log, self._position = reply.log, reply.upto
                    for message in held:
                        yield from self._wanted(message)
                return
            case After(position):
                pass
            case Since(time):
                position = self._before_time(time)
            case AfterEvent(id):
                position = self._of_event(id)
            case Resume() as resume:
                position = self._of_last_taken(resume)
        if position is not None:
            self._position = position
            yield from self._repair()

    def _before_time(self, time: str) -> int | None:
        reply, _ = self._ask(AskSince(time))
        if reply is None:
            return None
        return reply.position - 1 if isinstance(reply.position, int) else reply.last

    def _of_event(self, id: str) -> int | None:
        reply, _ = self._ask(AskFind(id))
        if reply is not None and not isinstance(reply.position, int):
            raise ConfigError(
                f"{self._endpoint}: expected an event of the log to begin after, got {id!r}, which is not in it; give "
                "another id, a time, or start"
            )
        return reply.position if reply and isinstance(reply.position, int) else None

    def _of_last_taken(self, resume: Resume) -> int | None:
        """Return the position of the newest message taken before that is in the log; 0 for none."""
        not_found: list[str] = []
        for id, content in reversed(resume.taken):
            reply, _ = self._ask(AskFind(id))
            if reply is None:
                return None
            if not isinstance(reply.position, int):
                not_found.append(id)
                continue
            found, messages = self._ask(AskEvents(after=reply.position - 1, most=1))
            if found is None or found.log != reply.log:
                return None
            if [resume.content(message) for message in messages] != [content]:
                break
            if not_found:  # taken when they could not be logged, or lost with the end of a log
                logger.warning(
                    "%s: the last %d events taken before are not in the log; going on after %r",
                    self._endpoint,
                    len(not_found),
                    id,
                )
                self._unlogged.update(dict.fromkeys(not_found))
            return reply.position
        logger.warning(
            "%s: expected a log with the last events taken before, got another log, or one whose retention removed "
            "them; going on with all that it holds",
            self._endpoint,
        )
        return 0

    def _repair(self) -> Iterator[Delivered]:
        """Ask for what there is after the last message handed out."""
        while True:
            reply, messages = self._ask(AskEvents(self._position, self._root))
            if reply is None or reply.upto is UNSET:
                return  # the next heartbeat leads here again
            self._told_of_no_log = False
            if self._log not in (None, reply.log) or self._position > reply.last:
                logger.warning(
                    "%s: expected the log of before, got another one, or an earlier state of it; going on with its "
                    "first event: events may come again, or tell otherwise",
                    self._endpoint,
                )
                self._log, self._position = None, 0
                continue
            self._skip_what_is_gone(reply)
            self._log = reply.log
            before = self._position
            for message in messages:
                if message.headers.position is not None and message.headers.position > self._position:
                    self._position = message.headers.position
                    yield from self._wanted(message)
            self._position = max(self._position, reply.upto)
            if self._position >= reply.last or self._position == before:
                return

    def _skip_what_is_gone(self, reply: Reply) -> None:
        """Go to the next position that the log has, or will have, and say so."""
        gone = reply.first - 1 - self._position
        if gone > 0:
            if self._log is not None or self._position > 0:
                logger.warning(
                    "%s: expected events after position %d, got a log that begins with %d: %s %d events were removed "
                    "by its retention before they could be asked for; let it keep more",
                    self._endpoint,
                    self._position,
                    reply.first,
                    "up to" if self._root else "the",
                    gone,
                )
            self._position = reply.first - 1

    def _outside_a_log(self, message: Delivered | None) -> Iterator[Delivered]:
        """Hand out a message that is in no log, and remember it: it may be logged later."""
        if not self._told_of_no_log:
            self._told_of_no_log = True
            logger.warning(
                "%s: expected a durable log behind the events, got none at the moment: what is missed now may be lost",
                self._endpoint,
            )
        if message is not None and message.headers.id not in self._unlogged:
            yield from self._wanted(message)
            self._unlogged[message.headers.id] = None
            if len(self._unlogged) > MOST_UNLOGGED:
                self._unlogged.popitem(last=False)

    def _wanted(self, message: Delivered) -> Iterator[Delivered]:
        if message.headers.position is not None and message.headers.id in self._unlogged:
            del self._unlogged[message.headers.id]
        elif message.topic.startswith(self._prefixes):
            yield message

    def _ask(self, ask: Ask) -> tuple[Reply, list[Delivered]] | tuple[None, list[Delivered]]:
        """Return the answer; None for one without a log."""
        answer = self._link.ask(ask)
        return (None, []) if answer is None or answer[0].log is None else answer


def shared_root(prefixes: Sequence[str]) -> str:
    """Return the segments that all prefixes begin with, as many as can be subscribed to without missing a gap.

    Raises:
        ValueError: there is no prefix, or one that is not made of whole segments.
    """
    for prefix in prefixes:
        if prefix and not wire.TOPIC.fullmatch(prefix):
            raise ValueError(f"prefixes: expected segments that each end with '/', got {prefix!r}; write look/shop/")
    if not prefixes:
        raise ValueError('prefixes: expected one or more, got none; write "" for all')
    shared: list[str] = []
    for segments in zip(*(prefix.split("/")[:-1] for prefix in prefixes), strict=False):
        if len(set(segments)) > 1 or len(shared) == wire.LEVELS:
            break
        shared.append(f"{segments[0]}/")
    return "".join(shared)
