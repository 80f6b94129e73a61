"""How far a sender's clock stands from ours, from when its frames arrive."""

from __future__ import annotations

import statistics
from collections import deque
from itertools import pairwise

import numpy as np

BUCKET_NS = 2_000_000_000
"""Arrivals of this long, or one frame where they come more rarely, are known by the promptest of them."""
WINDOW = 15
"""Buckets in which the promptest is looked for: 30 s, longer than the segments of HLS, which come in bursts."""
FORGET = 3
"""So many buckets in a row that are all late are a delay that stays, or a sender's clock that stood still."""
FORGET_NS = 2_000_000_000
"""Later than the promptest by this is late in that sense; a smaller delay is followed when the window has passed."""
LEVEL_NS = 200_000_000
"""A delay that stays differs by less than this from bucket to bucket; more is as of a clock that runs wrong."""
PER_DRIFT = 5
"""Buckets in one minimum that the drift is estimated from: 10 s."""
DRIFTS = 120
"""Minima that the drift is estimated from: 20 min."""
DRIFTS_NEEDED = 6
"""With these, after 60 s, the drift is known."""
ALIKE = 4
"""Buckets in a row that have to change alike before a clock is called wrong."""
WRONG_FAST = 0.2
"""A clock that gains or loses more than this part, from each bucket to the next, runs wrong."""
WRONG_SLOW = 0.03
"""The same from each minimum of 10 s to the next."""

Least = tuple[int, int, int]
"""A bucket: when it began, the least offset in it, when that arrived."""


class ClockOffset:
    """Arrival minus stamp of the promptest frames of late, and how fast it changes.

    What a frame spends on the way only ever adds to the difference of two clocks, so the least sum is next to it.

    State: the last 15 buckets of 2 s, and 120 minima of 10 s. Ref: minima as in Paxson, On calibrating measurements of
    packet transit times, 1998; their slope is the median of all pairs (Theil, 1950; Sen, 1968), which few stalls move.
    """

    def __init__(self) -> None:
        self.least_ns: int | None = None
        """Arrival minus stamp of the promptest frame; None before any."""
        self.drift_ppm: float | None = None
        """How much faster the sender's clock runs than ours; None until it was heard for 60 s."""
        self.runs_wrong = False
        """Whether it gains or loses so much that its stamps are not of a clock: such as a guessed frame rate."""
        self._current: Least | None = None
        self._window: deque[Least] = deque(maxlen=WINDOW)
        self._pending: list[Least] = []
        self._minima: deque[Least] = deque(maxlen=DRIFTS)

    def observe(self, sender_ns: int, arrived_ns: int) -> None:
        """Take in when something arrived that the sender stamped with a time on one unbroken scale."""
        offset_ns = arrived_ns - sender_ns
        current = self._current
        if current is None:
            self._current = (arrived_ns, offset_ns, arrived_ns)
        elif arrived_ns - current[0] >= BUCKET_NS:
            self._close(current)
            self._current = (arrived_ns, offset_ns, arrived_ns)
            self.least_ns = min(least[1] for least in self._window)
        elif offset_ns < current[1]:
            self._current = (current[0], offset_ns, arrived_ns)
        if self.least_ns is None or offset_ns < self.least_ns:
            self.least_ns = offset_ns

    def _close(self, bucket: Least) -> None:
        window = self._window
        window.append(bucket)
        self._pending.append(bucket)
        if len(self._pending) == PER_DRIFT:
            _, offset_ns, arrived_ns = min(self._pending, key=lambda least: least[1])
            self._minima.append((self._pending[0][0], offset_ns, arrived_ns))
            self._pending.clear()
            if len(self._minima) >= DRIFTS_NEEDED:
                self.drift_ppm = _slope(self._minima) * -1e6
            self.runs_wrong = self.runs_wrong or _changes_alike(self._minima, WRONG_SLOW)
        self.runs_wrong = self.runs_wrong or _changes_alike(window, WRONG_FAST)
        recent = list(window)[-FORGET:]
        offsets = [least[1] for least in recent]
        if min(offsets) > min(least[1] for least in window) + FORGET_NS and max(offsets) - min(offsets) < LEVEL_NS:
            self._window = deque(recent, maxlen=WINDOW)
            self._pending.clear()
            self._minima.clear()
            self.drift_ppm = None


def _changes_alike(minima: deque[Least], rate: float) -> bool:
    """Tell whether the last minima all rise, or all fall, by more than a part of the time between them."""
    if len(minima) <= ALIKE:
        return False
    last = [minima[back] for back in range(-ALIKE - 1, 0)]
    rates = [(now[1] - then[1]) / (now[0] - then[0]) for then, now in pairwise(last)]
    return min(rates) > rate or max(rates) < -rate


def _slope(minima: deque[Least]) -> float:
    """Return the median slope of all pairs of minima, ns per ns."""
    first = minima[0]
    at = np.array([least[2] - first[2] for least in minima], np.float64)
    offset = np.array([least[1] - first[1] for least in minima], np.float64)
    i, j = np.triu_indices(len(at), k=1)
    # That of numpy imports 4 MB of masked arrays, a minute after the first stream has come.
    return float(statistics.median(((offset[j] - offset[i]) / (at[j] - at[i])).tolist()))
