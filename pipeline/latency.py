"""Running percentiles of how long ticks take, and how old frames are when they leave."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

KEPT = 512
"""Times remembered; enough for a p95 that means something, few enough to follow a change of load."""


class Latency:
    """The last times of something, in nanoseconds. Safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: deque[int] = deque(maxlen=KEPT)
        self._worst = 0

    def add(self, time_ns: int) -> None:
        """Remember one time."""
        with self._lock:
            self._times.append(time_ns)
            self._worst = max(self._worst, time_ns)

    def to_dict(self) -> dict[str, float]:
        """Return median, p95 (of the last times) and the worst ever, milliseconds; empty before any."""
        with self._lock:
            if not self._times:
                return {}
            p50, p95 = (np.percentile(self._times, [50, 95]) / 1e6).tolist()
            return {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2), "max_ms": round(self._worst / 1e6, 2)}
