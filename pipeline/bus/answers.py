"""Answer requests of subscribers: what they missed, what is held, where they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pipeline.bus import wire
from pipeline.bus.held import Held
from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault
from pipeline.bus.message import Kept, Message
from pipeline.bus.wire import AskEvents, AskFind, AskSnapshot, Headers, Reply, WireError


class Answers:
    """Makes replies out of requests, on one thread; another one gives it the log as it comes and goes."""

    def __init__(self, held: Held, keeps: bool) -> None:
        """Begin without a log.

        Args:
            held: what a snapshot shows.
            keeps: whether there is to be a log at all.
        """
        self.log: Log | None = None
        self._held, self._keeps = held, keeps

    def reply(self, request: Sequence[bytes]) -> list[bytes]:
        """Return the frames of the reply; to a request that cannot be answered, one that says why."""
        log, tag = self.log, 0
        try:
            ask = wire.decode_ask(request)
            tag = ask.tag
            if isinstance(ask, AskSnapshot):
                return self._snapshot(ask, log)
            if log is None:
                raise WireError(self._no_log())
            if isinstance(ask, AskEvents):
                kept, upto = log.reader.events(ask.after, ask.prefix, ask.most)
                return [_head(log, upto=upto, tag=tag), *_frames(kept, log.id)]
            if isinstance(ask, AskFind):
                return [_head(log, position=log.reader.find(ask.id), tag=tag)]
            return [_head(log, position=log.reader.since(wire.epoch_ns(ask.time)), tag=tag)]
        except (WireError, LogFault) as error:
            return [_head(log, error=str(error), tag=tag)]

    def _snapshot(self, ask: AskSnapshot, log: Log | None) -> list[bytes]:
        held, of_log, upto = self._held.snapshot(ask.prefix)
        if of_log != (log.id if log else None):  # it comes or goes just now
            raise WireError(self._no_log())
        if len(held) > wire.MOST_HELD:
            raise WireError(
                f"request: expected at most {wire.MOST_HELD} messages to be held, got {len(held)}; ask for a prefix"
            )
        return [_head(log, upto=upto, tag=ask.tag), *_frames(held, of_log)]

    def _no_log(self) -> str:
        if self._keeps:
            return "log: expected one that can be used, got one that cannot at the moment; ask again later"
        return "log: expected a publisher that keeps what it publishes, got one that does not; give it a log"


def frames_of(one: Message | Kept, log: str | None, recordedtime: str) -> tuple[bytes, bytes, bytes]:
    """Return topic, headers and data of a message; of one that is kept, with its place in the log of that id."""
    if isinstance(one, Kept):
        message, position, previous, _ = one
        headers = Headers(log, position, previous, recordedtime, message.contenttype, message.id)
    else:
        message = one
        headers = Headers(None, None, (0, 0, 0), recordedtime, message.contenttype, message.id)
    return message.topic.encode(), wire.encode(headers), message.data


def _frames(told: Sequence[Message | Kept], log: str | None) -> list[bytes]:
    now = wire.rfc3339(time.time_ns())
    frames: list[bytes] = []
    for one in told:
        frames += frames_of(one, log, wire.rfc3339(one.recorded_ns) if isinstance(one, Kept) else now)
    return frames


def _head(log: Log | None, **content: Any) -> bytes:
    first, last = (log.reader.first, log.reader.last) if log else (1, 0)
    return wire.encode(Reply(log=log.id if log else None, first=first, last=last, **content))
