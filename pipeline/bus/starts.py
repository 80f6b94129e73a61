"""What a subscriber begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.bus.wire import Delivered


@dataclass(frozen=True)
class Snapshot:
    """Begin with what is held at the moment, such as visits that are open."""


@dataclass(frozen=True)
class After:
    """Begin after a position."""

    position: int = 0
    """0: with the oldest message that is kept."""


@dataclass(frozen=True)
class Since:
    """Begin with the first message recorded at a time or after it."""

    time: str
    """RFC 3339 with a time zone."""


@dataclass(frozen=True)
class AfterEvent:
    """Begin after the message with an id, which must be in the log."""

    id: str


@dataclass(frozen=True)
class Resume:
    """Go on after what was taken before, where that is still in the log; else with the oldest message kept."""

    taken: tuple[tuple[str, bytes], ...]
    """Id and content of the last messages taken, oldest first, one or more."""
    content: Callable[[Delivered], bytes]
    """Gives the content of a message, to compare: another log may tell something else under the same id."""


Start = Snapshot | After | Since | AfterEvent | Resume
