"""How long ticks take through the graph, and how long one that enters now would take."""

from __future__ import annotations

import math
from collections import defaultdict, deque

from pipeline.clock import Clock
from pipeline.latency import Latency

RECENT_NS = 5_000_000_000
"""What took longer ago tells nothing of now: models are loaded, another camera has come, others use the machine."""
KEPT = 64
"""Times remembered for each number of ticks inside."""


class Transit(Latency):
    """Times through the graph, by how many ticks were inside when one entered.

    A tick waits for those before it, so a graph that is too slow with six ticks inside may be quick enough with two.
    What is expected therefore goes by how many are inside now: where that is too long, frames are refused until fewer
    are, and the graph goes on at the rate that it can keep.

    Args:
        clock: tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._inside: deque[int] = deque()
        """For each tick inside, in order, how many were inside before it."""
        self._by_load: defaultdict[int, deque[tuple[int, int]]] = defaultdict(lambda: deque(maxlen=KEPT))
        """By that number, when ticks left and how long they took."""

    def entered(self) -> None:
        """Note that a tick has entered."""
        with self._lock:
            self._inside.append(len(self._inside))

    def left(self, time_ns: int | None) -> None:
        """Note that the tick that entered first has left.

        Args:
            time_ns: how long it took; None of one without frames, which tells nothing.
        """
        with self._lock:
            load = self._inside.popleft()
            if time_ns is not None:
                self._by_load[load].append((self._clock.now_ns(), time_ns))
        if time_ns is not None:
            self.add(time_ns)

    def expected_ns(self) -> int:
        """Return the time that 95 % of the ticks took which lately entered with as many inside as there are now.

        Where there was none, those with fewer inside are looked at; 0 without any.
        """
        with self._lock:
            since_ns = self._clock.now_ns() - RECENT_NS
            for load in range(len(self._inside), -1, -1):
                if times := [time_ns for at_ns, time_ns in self._by_load[load] if at_ns >= since_ns]:
                    return sorted(times)[math.ceil(0.95 * len(times)) - 1]
            return 0
