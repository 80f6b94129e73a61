"""Open the nodes of all threads before any of them works."""

from __future__ import annotations

import threading


class Opening:
    """Where the threads wait until the nodes of all of them are open."""

    def __init__(self, threads: int) -> None:
        self._failures: dict[int, BaseException] = {}
        self._arrived = threading.Semaphore(0)
        self._threads = threads
        self._decided = threading.Event()
        self._begins = False

    @property
    def failure(self) -> BaseException | None:
        """Why the run cannot begin; of several reasons the one of the first stage, whichever came first."""
        return self._failures[min(self._failures)] if self._failures else None

    def fail(self, index: int, error: BaseException) -> None:
        """Note that a node of a stage could not be opened."""
        self._failures[index] = error

    def arrive(self) -> bool:
        """Note that a thread has opened its nodes, or failed to; wait for the others, and tell whether to begin."""
        self._arrived.release()
        self._decided.wait()
        return self._begins

    def wait(self) -> None:
        """Wait until all threads have arrived."""
        for _ in range(self._threads):
            self._arrived.acquire()

    def decide(self, begin: bool) -> None:
        """Let the threads begin or not. What was decided once stands."""
        if not self._decided.is_set():
            self._begins = begin
            self._decided.set()
