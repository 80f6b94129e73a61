"""Counters of a sender that begin again at 0 when they are full."""

from __future__ import annotations

WRAPS_NS = (2**32 * 100_000 // 9, 2**33 * 100_000 // 9)
"""Counts of 90 kHz in 32 bits (RTP, 13.3 h) and in 33 bits (MPEG-TS, 26.5 h), nanoseconds."""
NEAR_NS = 10_000_000_000
"""A step that only a full counter explains is this near to the time that passed meanwhile."""


class Wrapping:
    """The stamps of one sender on one scale that goes on where its counter wraps."""

    def __init__(self) -> None:
        self.last: tuple[int, int] | None = None
        """The last stamp on that scale, and when it arrived; None before any."""
        self._shift_ns = 0

    def unwrapped(self, pts_ns: int, arrived_ns: int) -> int:
        """Return a stamp on the scale, as the one after the last, without taking it for that."""
        sender_ns = pts_ns + self._shift_ns
        if self.last is None:
            return sender_ns
        step_ns, passed_ns = sender_ns - self.last[0], arrived_ns - self.last[1]
        for wrap_ns in WRAPS_NS:
            # Also back over the edge, for senders whose stamps do not rise with every frame.
            whole_ns = wrap_ns if step_ns < 0 else -wrap_ns
            if abs(step_ns) > wrap_ns // 2 and abs(step_ns + whole_ns - passed_ns) <= NEAR_NS:
                return sender_ns + whole_ns
        return sender_ns

    def take(self, pts_ns: int, sender_ns: int, arrived_ns: int) -> None:
        """Go on from a stamp, given as it came and on the scale."""
        self._shift_ns = sender_ns - pts_ns
        self.last = (sender_ns, arrived_ns)
