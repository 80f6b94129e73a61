"""Which packets of a live stream are decoded: none that are too late, and few of those that nobody would look at."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from pipeline.clock import Clock
from pipeline.packet_gate import PacketGate
from pipeline.streams import StreamConfig

LATE_NS = 1_000_000_000
"""Packets this much later than the promptest ones are not decoded, where the stream sets no `max_age_ms`."""
SEGMENT_NS = 30_000_000_000
"""The same where a stream comes in files of some seconds each (HLS): all but its end is as late as it is long."""
PROBE_AFTER_NS = 2_000_000_000
"""A key frame is decoded at least this often, so that a way that became longer for good does not look like lateness."""
WASTE_HIGH, WASTE_LOW = 0.04, 0.02
"""Share of all cores that may go into decoding frames which are then dropped: above the first less is decoded, below
the second more."""


class Gate(PacketGate):
    """Decides on the packets of one stream.

    Args:
        clock: tells the time.
        late_ns: tells how late a packet of a pts is.
        limit_ns: tells how late one may be.
        keep: tells which share of the packets is worth decoding, 0 to 1.
    """

    def __init__(
        self,
        clock: Clock,
        late_ns: Callable[[int | None], int],
        limit_ns: Callable[[], int],
        keep: Callable[[], float],
    ) -> None:
        self._clock, self._late_ns, self._limit_ns, self._keep = clock, late_ns, limit_ns, keep
        self._cause: str | None = None
        """Why packets are dropped up to the next key frame."""
        self._since_key = 0
        self._group = 0
        """Packets from one key frame to the next, the last time."""
        self._budget = 1.0
        self._decoded_ns: int | None = None

    def admit(self, pts_ns: int | None, is_key: bool) -> str | None:
        """Return None for a packet to decode, or the cause for which it is dropped."""
        now_ns = self._clock.now_ns()
        if is_key:
            self._group, self._since_key = max(self._since_key, 1), 0
            debt = max(min(self._budget, 0.0), -1.0)  # of a key frame that was decoded for want of less
            self._budget = debt + self._keep() * self._group
            self._cause = None
        self._since_key += 1
        if self._cause is None:
            self._cause = self._verdict(pts_ns, is_key, now_ns)
        if self._cause is None:
            self._budget -= self._keep() < 1
            self._decoded_ns = now_ns
        return self._cause

    def _verdict(self, pts_ns: int | None, is_key: bool, now_ns: int) -> str | None:
        if is_key and (self._decoded_ns is None or now_ns - self._decoded_ns > PROBE_AFTER_NS):
            return None
        if self._late_ns(pts_ns) > self._limit_ns():
            return "decoder_late"
        return "shed" if self._keep() < 1 and self._budget < (0.5 if is_key else 1) else None


class Governor:
    """Sets which share of packets is worth decoding, by how much CPU time goes into frames that are dropped.

    Args:
        clock: tells the time.
        cores: of this machine that the program may use.
    """

    def __init__(self, clock: Clock, cores: int | None = None) -> None:
        self.keep = 1.0
        self._clock = clock
        self._cores = cores or usable_cores()
        self._before: dict[str, tuple[int, int, int]] = {}
        self._looked_ns = clock.now_ns()

    def look(self, streams: dict[str, tuple[int, int, int]]) -> None:
        """Look at what was wasted since the last time.

        Args:
            streams: by stream, CPU time of its source in ns, frames decoded, and those of them that were dropped for
                the want of time; all counted from its beginning.
        """
        now_ns = self._clock.now_ns()
        wasted_ns = 0.0
        for stream_id, counts in streams.items():
            before = self._before.get(stream_id, (0, 0, 0))
            cpu_ns, decoded, dropped = (now - then for now, then in zip(counts, before, strict=True))
            wasted_ns += cpu_ns * min(dropped / decoded, 1.0) if decoded > 0 else 0.0
        share = wasted_ns / max(self._cores * (now_ns - self._looked_ns), 1)
        self._before, self._looked_ns = dict(streams), now_ns
        if share > WASTE_HIGH:
            self.keep = max(self.keep * 0.8, 0.02)
        elif share < WASTE_LOW:
            self.keep = min(self.keep * 1.1 + 0.01, 1.0)


def limit_ns(stream: StreamConfig) -> int:
    """Return how late a packet of a stream may be: half of the age that a frame may have at the sinks."""
    if stream.max_age_ms is not None:
        return math.ceil(stream.max_age_ms * 0.5e6)
    return SEGMENT_NS if urlsplit(stream.url).path.lower().endswith(".m3u8") else LATE_NS


def usable_cores() -> int:
    """Return how many cores the program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
