"""Refuse frames that would be too old when they leave the graph, before any work is spent on them."""

from __future__ import annotations

from pipeline.clock import Clock
from pipeline.inlet import Admitted, Inlet
from pipeline.transit import Transit

PROBE_AFTER_NS = 1_000_000_000
"""A stream that was refused for this long gets one frame in, so that a graph which became fast again is noticed."""


class AgeLimit:
    """Holds live streams to their `max_age_ms`.

    Args:
        clock: tells the time.
        transit: how long a tick would take through the graph.
    """

    def __init__(self, clock: Clock, transit: Transit) -> None:
        self._clock, self._transit = clock, transit

    def refuses(self, inlet: Inlet, one: Admitted) -> bool:
        """Tell whether the next frame of a stream is too old to be let in."""
        limit_ms = inlet.stream.config.max_age_ms
        if limit_ms is None or not inlet.stream.live:
            return False
        now_ns = self._clock.now_ns()
        if inlet.admitted_ns is None or now_ns - inlet.admitted_ns > PROBE_AFTER_NS:
            return False
        return now_ns - one.arrived_ns + self._transit.expected_ns() > limit_ms * 1e6
