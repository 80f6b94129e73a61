"""How old live frames are when they leave the graph, counted in buckets: cheap, and exact over a month."""

from __future__ import annotations

import threading
from bisect import bisect_left

from pipeline.status import AgeHistogram

BOUNDS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)


class Ages:
    """A histogram of ages. Safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_ns = 0

    def add(self, age_ns: int) -> None:
        """Count one frame."""
        with self._lock:
            self._counts[bisect_left(BOUNDS_S, age_ns / 1e9)] += 1
            self._sum_ns += age_ns

    def histogram(self) -> AgeHistogram:
        """Return the counts so far."""
        with self._lock:
            return AgeHistogram(BOUNDS_S, tuple(self._counts), self._sum_ns / 1e9)
