"""Values on the device that pass from thread to thread: who reads them waits, and what is read is kept until it was."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.cuda.streams import ThreadStreams


class Handover:
    """Orders what threads read of each other.

    Memory that nobody names any more is given out again to the stream it came from, at once: to what is begun there,
    it is free, but another stream may still be reading. So what is read is named here until its readers are through.

    Args:
        streams: of the threads that read.
    """

    def __init__(self, streams: ThreadStreams) -> None:
        self._streams = streams
        self._read: deque[tuple[Any, Sequence[Any]]] = deque()
        """Event and what is read until it is over."""
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, read: Sequence[tuple[Any, Any]]) -> Iterator[None]:
        """Let the stream of the calling thread read what others made; see `Device.reading`.

        Args:
            read: each with the event that is over when it is made.
        """
        self._let_go()
        for _, made in read:
            self._streams.own().wait_event(made)
        try:
            yield
        finally:
            if read:
                self.hold([one for one, _ in read])

    def hold(self, read: Sequence[Any]) -> None:
        """Keep what the calling thread reads until the device has done all that it has begun so far."""
        self._let_go()
        event = self._streams.mark()
        with self._lock:
            self._read.append((event, read))

    def __len__(self) -> int:
        """Return how often something is still being read."""
        return len(self._read)

    def _let_go(self) -> None:
        with self._lock:
            for _ in range(len(self._read)):
                event, kept = self._read.popleft()
                if not event.done:
                    self._read.append((event, kept))
