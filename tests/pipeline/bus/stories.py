"""Messages made by hand, and what is in a log, for tests of the bus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault
from pipeline.bus.message import Kept, Message

DEADLINE_S = 10.0


def message(
    sequence: int,
    track: int = 1,
    *,
    stream: str = "shop",
    generation: int = 0,
    holds: bool = False,
    key: str | None = None,
    data: bytes | None = None,
) -> Message:
    """Return a message whose data tell it from all others."""
    id = f"{stream}/{generation}/{sequence}"
    return Message(
        topic=f"look/{stream}/{track}/",
        id=id,
        source=f"retail/{stream}",
        generation=generation,
        sequence=sequence,
        contenttype="text/plain",
        key=key or id,
        holds=holds,
        data=id.encode() if data is None else data,
    )


def raises(fault: LogFault) -> None:
    """Let nothing go wrong unnoticed on another thread."""
    raise fault


def open_log(path: Path) -> Log:
    """Return a log that nothing may go wrong with."""
    return Log(path, raises)


def all_of(log: Log) -> list[Kept]:
    """Return all messages of a log."""
    return log.reader.events(0, "", 10**9)[0]


def ids(told: Iterable[Kept | Message]) -> list[str]:
    """Return the ids of messages, with positions where they have some."""
    return [f"{one.position} {one.message.id}" if isinstance(one, Kept) else f"- {one.id}" for one in told]


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Return as soon as something is true."""
    end_s = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end_s, f"waited in vain until {what}"
