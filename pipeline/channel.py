"""A bounded hand-over between two threads: items flow from `put` to `get`, and the end is an item, too."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class ChannelClosed(Exception):
    """Nothing will come any more, and everything that came was taken."""


@dataclass(frozen=True)
class ChannelStatistics:
    """What passed through a channel so far."""

    capacity: int
    """Items that may wait."""
    waiting: int
    """Items that wait now."""
    peak: int
    """Most items that ever waited at once."""
    passed: int
    """Items taken out."""


class Channel(Generic[T]):
    """A queue that holds at most `capacity` items; `put` waits for room, `get` for an item."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be >= 1, got {capacity!r}")
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._peak = 0
        self._passed = 0

    def put(self, item: T) -> None:
        """Hand an item over, waiting while the channel is full.

        Raises:
            ChannelClosed: the channel was closed.
        """
        with self._changed:
            while len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                raise ChannelClosed
            self._items.append(item)
            self._peak = max(self._peak, len(self._items))
            self._changed.notify_all()

    def get(self) -> T:
        """Take the oldest item, waiting for one.

        Raises:
            ChannelClosed: the channel was closed and is empty.
        """
        with self._changed:
            while not self._items:
                if self._closed:
                    raise ChannelClosed
                self._changed.wait()
            self._passed += 1
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Let no more items in; those inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def statistics(self) -> ChannelStatistics:
        """Return what passed so far."""
        with self._changed:
            return ChannelStatistics(self._capacity, len(self._items), self._peak, self._passed)
