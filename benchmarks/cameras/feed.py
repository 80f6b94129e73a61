"""What a server serves under one path: who reads it, and the faults that every kind of stream can have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.cameras.pace import Pace

if TYPE_CHECKING:
    from benchmarks.cameras.loop import LoopServer


@dataclass(eq=False)
class Feed:
    """Public methods may be called from any thread; each returns the Unix time at which it was done."""

    stalled: bool = field(default=False, init=False)
    missing: bool = field(default=False, init=False)
    clients: dict[asyncio.Transport, object] = field(default_factory=dict, init=False, repr=False)
    """Connections that asked for it, each with what its kind of stream keeps; belongs to the server's thread."""

    def __post_init__(self) -> None:
        self._server: LoopServer[Any] | None = None
        self._pace: Pace | None = None

    def take_late_s(self) -> float:
        """Return how much later than due a frame was sent at most since this was asked last."""

        def take() -> float:
            if self._pace is None:
                return 0.0
            late_s, self._pace.late_s = self._pace.late_s, 0.0
            return late_s

        return self._server.call(take) if self._server is not None else take()

    def drop(self) -> float:
        """Close the connections of all clients."""

        def close() -> None:
            for client in list(self.clients):
                client.abort()

        return self._do(close)

    def stall(self) -> float:
        """Send nothing more; connections stay, and new ones get nothing either."""
        return self._set(stalled=True)

    def not_found(self, on: bool = True) -> float:
        """Answer everybody with 404 from now on."""
        return self._set(missing=on)

    def begin(self, server: LoopServer[Any], loop: asyncio.AbstractEventLoop | None) -> None:
        """Belong to a server, and send on its loop if it runs."""
        self._server = server

    def halt(self) -> None:
        """Send nothing more, until it begins again."""
        if self._pace is not None:
            self._pace.stop()
            self._pace = None

    def _set(self, **values: float) -> float:
        return self._do(lambda: self.__dict__.update(values))

    def _do(self, what: Callable[[], object]) -> float:
        def done() -> float:
            what()
            return time.time()

        return self._server.call(done) if self._server is not None else done()
