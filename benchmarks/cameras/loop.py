"""A server whose connections are all served by one event loop, on one thread of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Generic, Self, TypeVar

from benchmarks.cameras.feed import Feed

T = TypeVar("T")
F = TypeVar("F", bound=Feed)

_SEND_BUFFER = 256 * 1024
"""Bytes that the system holds for a connection, half of them for itself."""


class LoopServer(Generic[F]):
    """Listens on a port of 127.0.0.1 from `start` to `stop`; may be started again, on the same port.

    All its methods may be called from any thread; what they do is done when they return.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Make it; it does not listen yet.

        Args:
            port: 0 for a free one, which is then kept over restarts.
            tls: makes its connections secure, see `benchmarks.cameras.tls`.
        """
        self.port = port
        self.feeds: dict[str, F] = {}
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listening: asyncio.Server | None = None
        self._open: dict[asyncio.Transport, None] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and serve until `stop`.

        Raises:
            OSError: somebody else has the port.
        """
        loop = asyncio.new_event_loop()
        try:
            self._listening = loop.run_until_complete(
                loop.create_server(self._protocol, "127.0.0.1", self.port, backlog=200, ssl=self._tls)
            )
        except OSError:
            loop.close()
            raise
        self.port = self._listening.sockets[0].getsockname()[1]
        self._loop, self._thread = loop, threading.Thread(target=loop.run_forever, name="cameras", daemon=True)
        loop.call_soon(self._started)
        self._thread.start()

    def stop(self) -> None:
        """Close everything at once, as a killed server does."""
        if self._loop is None or self._thread is None:
            return
        loop, thread = self._loop, self._thread
        self.call(self._close_all)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        self._loop = self._thread = None
        loop.close()

    def add(self, path: str, feed: F) -> None:
        """Serve something under a path, such as `door`."""

        def enter() -> None:
            self.feeds[path] = feed
            feed.begin(self, self._loop)

        self.call(enter)

    def remove(self, path: str) -> None:
        """Close the connections to what a path names, and know it no longer."""

        def leave() -> None:
            feed = self.feeds.pop(path)
            feed.halt()
            feed.drop()

        self.call(leave)

    def call(self, do: Callable[[], T]) -> T:
        """Run a function on the thread of the loop, or here while there is none; return what it returns."""
        loop = self._loop
        if loop is None or threading.current_thread() is self._thread:
            return do()
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(do())
            except BaseException as error:
                done.set_exception(error)

        loop.call_soon_threadsafe(run)
        return done.result(timeout=10)

    def opened(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        """Know a new connection; like a camera's, it holds little for a reader that is slow."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._open[transport] = None
        return transport

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._open.pop(transport, None)

    def _protocol(self) -> asyncio.Protocol:
        """Return what serves one connection; it tells of its begin and end (`opened`, `closed`)."""
        raise NotImplementedError

    def _started(self) -> None:
        for feed in self.feeds.values():
            feed.begin(self, self._loop)

    def _close_all(self) -> None:
        for feed in self.feeds.values():
            feed.halt()
        assert self._listening is not None
        self._listening.close()
        for transport in list(self._open):
            transport.abort()
