"""Open the nodes of all threads before any of them works."""

from __future__ import annotations

import threading


class Opening:
    """Where the threads wait until the nodes of all of them are open."""

    def __init__(self, threads: int) -> None:
        self.failed: list[Exception] = []
        self._arrived = threading.Semaphore(0)
        self._threads = threads
        self._go = threading.Event()

    def arrive(self) -> None:
        """Note that one thread's nodes are open, and wait for the word to begin."""
        self._arrived.release()
        self._go.wait()

    def wait(self) -> None:
        """Wait until all threads have arrived."""
        for _ in range(self._threads):
            self._arrived.acquire()

    def go(self) -> None:
        """Let the threads begin."""
        self._go.set()
