"""Monotonic time as an object, so that tests can move it."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """Return nanoseconds since some fixed moment; never goes back."""
        return time.monotonic_ns()

    def wait(self, condition: threading.Condition, timeout_s: float | None) -> None:
        """Wait on a held condition until it is notified or the time is over."""
        condition.wait(timeout_s)
