"""The last message of each key that is held: what who comes late is told first."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from pipeline.bus.message import Kept, Message


class Held:
    """Shared between the thread that publishes and the one that answers requests."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._last: dict[str, Message | Kept] = {}
        self._log: str | None = None
        self._upto = 0

    def take(self, told: Iterable[Message | Kept], upto: int) -> None:
        """Take what was told into account, up to a position of the log."""
        with self._turn:
            for one in told:
                message = message_of(one)
                self._last.pop(message.key, None)  # so that the order is that of the last messages
                if message.holds:
                    self._last[message.key] = one
            self._upto = upto

    def begin(self, held: Iterable[Message | Kept], log: str | None, upto: int) -> None:
        """Begin with what a log holds; with messages that are in none when `log` is None."""
        with self._turn:
            self._last = {message_of(one).key: one for one in held}
            self._log, self._upto = log, upto

    def forget(self, before: int) -> None:
        """Forget what the log has forgotten."""
        with self._turn:
            old = [key for key, one in self._last.items() if isinstance(one, Kept) and one.position < before]
            for key in old:
                del self._last[key]

    def snapshot(self, prefix: str = "") -> tuple[list[Message | Kept], str | None, int]:
        """Return what is held below a topic, oldest first, and the log and position up to which that is true."""
        with self._turn:
            held = [one for one in self._last.values() if message_of(one).topic.startswith(prefix)]
            return held, self._log, self._upto

    def left_over(self, source: str, generation: int) -> list[Message]:
        """Return what a source holds from before a generation, in the order of sequences."""
        with self._turn:
            messages = [message_of(one) for one in self._last.values()]
        old = [one for one in messages if one.source == source and one.generation < generation]
        return sorted(old, key=lambda one: (one.generation, one.sequence))


def message_of(one: Message | Kept) -> Message:
    """Return the message, whether it stands in a log or not."""
    return one.message if isinstance(one, Kept) else one
