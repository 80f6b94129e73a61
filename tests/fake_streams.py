"""Streams of the stand-in for cupy, which do nothing before somebody waits, and events in them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fake_cupy import FakeCupy


class Stream:
    """Work in the order in which it was begun, none of it done before somebody waits."""

    def __init__(self, cupy: FakeCupy, non_blocking: bool = False) -> None:
        assert non_blocking, "a stream that the default stream waits for makes all stages wait for each other"
        self._cupy = cupy
        self._todo: list[Callable[[], None]] = []
        self.begun = self.done = 0
        self._lock = threading.RLock()
        self.ptr = id(self)
        cupy.streams[self.ptr] = self

    def use(self) -> None:
        """Make it the current stream of this thread."""
        self._cupy.current = self

    def begin(self, work: Callable[[], None]) -> None:
        """Put work at the end."""
        with self._lock:
            self._todo.append(work)
            self.begun += 1

    def catch_up(self, count: int | None = None) -> None:
        """Do the first `count` pieces of work, all of them where none is named."""
        with self._lock:
            while self._todo and (count is None or self.done < count):
                work = self._todo.pop(0)
                work()
                self.done += 1

    def wait_event(self, event: Event) -> None:
        """Let what comes after wait for an event."""
        self.begin(event.synchronize)


class Event:
    """A place in the work of a stream."""

    def __init__(self, disable_timing: bool = False) -> None:
        self._at: tuple[Stream, int] | None = None

    def record(self, stream: Stream) -> None:
        """Stand after all that was begun on a stream so far."""
        self._at = stream, stream.begun

    def synchronize(self) -> None:
        """Wait for it."""
        assert self._at is not None
        stream, count = self._at
        stream.catch_up(count)

    @property
    def done(self) -> bool:
        """Tell whether it is over."""
        assert self._at is not None
        return self._at[0].done >= self._at[1]
