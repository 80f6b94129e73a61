"""The state of a stream: connecting, live, stalled, lost, backing off; and how long to wait before the next try."""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter

from pipeline.clock import Clock
from pipeline.errors import Reason, SourceError
from pipeline.settings import EngineConfig
from pipeline.status import StreamState
from pipeline.urls import redact

logger = logging.getLogger(__name__)

STEADY_NS = 10_000_000_000
"""Frames for this long, and earlier failures are forgotten: the next loss is the first one again."""
REMIND_NS = 600_000_000_000
"""A stream that stays lost is logged again this often."""
LARGEST_POWER = 32
"""Of two: doubling ends long before."""


class Life:
    """What state a stream is in. Its source's thread and a thread that watches it both change it.

    Back-off is exponential with full jitter (Brooker, "Exponential Backoff and Jitter", 2015): the wait is drawn evenly
    between 0 and a limit that doubles with each try, so that forty cameras behind one switch do not come back at one
    moment.

    Args:
        stream_id: for the log.
        settings: `stall_s`, `back_off_first_s` and `back_off_cap_s` are used.
        clock: tells the time.
        draw: makes a number from 0 to 1; another one is for tests.
    """

    def __init__(self, stream_id: str, settings: EngineConfig, clock: Clock, draw: random.Random | None = None) -> None:
        self._id, self._settings, self._clock = stream_id, settings, clock
        self._draw = draw or random.Random()
        self._lock = threading.Lock()
        self.state: StreamState = "connecting"
        self.since_ns = clock.now_ns()
        self.reason: Reason | None = None
        self.message = ""
        self.connections = 0
        self.losses: Counter[Reason] = Counter()
        self.next_try_ns: int | None = None
        """On the engine's clock, while backing off."""
        self._tries = 0
        self._live_since_ns: int | None = None
        self._frame_ns = 0
        self._told: tuple[Reason, int] | None = None

    def became(self, state: StreamState) -> None:
        """Note a state that the engine decides on: `connecting`, `paused`, `reading`, `ended`, `failed`, `removed`."""
        with self._lock:
            self._enter(state)

    def frame_came(self) -> None:
        """Note that a frame was read."""
        with self._lock:
            now_ns = self._frame_ns = self._clock.now_ns()
            if self.state not in ("connecting", "stalled", "live"):  # paused or removed meanwhile
                return
            if self.state == "connecting":
                self.connections += 1
                self._live_since_ns = now_ns
                self._tell_back()
            if self.state != "live":
                self._enter("live")
            if self._tries and self._live_since_ns is not None and now_ns - self._live_since_ns > STEADY_NS:
                self._tries = 0

    def stalls(self) -> bool:
        """Tell whether the stream has just stalled; asked by a thread of its own, whatever its source is doing."""
        with self._lock:
            if self.state == "live" and self._clock.now_ns() - self._frame_ns > self._settings.stall_s * 1e9:
                self._enter("stalled")
                return True
            return False

    def silent_s(self) -> float:
        """Return for how long no frame has come, since the last one or since it was connected to."""
        with self._lock:
            return (self._clock.now_ns() - max(self._frame_ns, self.since_ns * (self.state == "connecting"))) / 1e9

    def lost(self, error: SourceError) -> float:
        """Note that the stream is lost, or that a try to connect failed; return how long to wait, seconds."""
        with self._lock:
            self.reason, self.message = error.reason, redact(str(error))
            self.losses[error.reason] += 1
            self._enter("lost")
            limit_s = self._settings.back_off_first_s * 2.0 ** min(self._tries, LARGEST_POWER)
            wait_s = self._draw.uniform(0, min(limit_s, self._settings.back_off_cap_s))
            self._tries += 1
            self._enter("backing_off")
            self.next_try_ns = self._clock.now_ns() + round(wait_s * 1e9)
            self._tell_of(wait_s)
            return wait_s

    def _enter(self, state: StreamState) -> None:
        logger.debug("stream %r: %s", self._id, state, extra={"fields": {"stream": self._id, "state": state}})
        self.state, self.since_ns, self.next_try_ns = state, self._clock.now_ns(), None

    def _tell_of(self, wait_s: float) -> None:
        """Log a loss: the first one, one for another reason, and now and then that it goes on."""
        assert self.reason is not None
        now_ns = self._clock.now_ns()
        if self._told and self._told[0] == self.reason and now_ns - self._told[1] < REMIND_NS:
            return
        self._told = self.reason, now_ns
        fields = {"stream": self._id, "state": self.state, "reason": self.reason, "tries": self._tries}
        what = f"{self.message}; tried again in {wait_s:.1f} s, and until it comes (try {self._tries})"
        logger.warning("%s: %s", self.reason, what, extra={"fields": fields})

    def _tell_back(self) -> None:
        if self._told is not None:
            fields = {"stream": self._id, "state": "live", "tries": self._tries}
            logger.warning("stream %r: frames come again", self._id, extra={"fields": fields})
        self._told = None
