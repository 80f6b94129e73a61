"""Read the clock of a live stream's sender: where its stamps stand on our time, and where they break off."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.clock_offset import ClockOffset
from pipeline.wrapping import Wrapping

SLEW = 0.03
"""Times are moved towards where they should be by this part of a step at most, so durations are wrong by no more."""
AHEAD_NS = 100_000_000
"""No time is later than the arrival by more: what it is wrong by beyond is taken off at once."""
BACK_NS = 500_000_000
"""Stamps that step back by less are out of order, as of senders that stamp in decoding order; by more, begun anew."""
JUMP_NS = 1_000_000_000
"""Stamps that step forward by this much more than arrivals allow jump."""
LATEST_NS = 20_000_000_000
"""A frame that is later than the promptest by this is not late; the sender's clock is another one."""
BEHIND_NS = 2_000_000_000
"""Times that are found to be too early by more than this are put right at once, by less by and by."""
WALL_NS = 10_000_000_000
"""Sender reports by which a frame took longer than this on its way are of a clock that is wrong."""


class Reading(NamedTuple):
    """Where a stamp stands on our time."""

    shown_ns: int
    """Moved slowly where the estimate changes."""
    taken_ns: int
    """By the best estimate of now; never after the arrival."""
    breaks: str | None = None
    """Why the stamp does not continue the one before: `jump`, `reset`, `behind`."""
    backwards: bool = False
    """Whether it is before the one before, though it continues it."""


class SenderClock:
    """The clock of one sender during one connection, read by its stamps.

    Args:
        start_unix_ns: the Unix time at which ours is 0; None where sender reports are not to be heard.
    """

    def __init__(self, start_unix_ns: int | None) -> None:
        self._start_unix_ns = start_unix_ns
        self.wall_off_s: float | None = None
        """By how much sender reports are wrong, so that they are not believed; None while they are, or without."""
        self._begin()

    def _begin(self) -> None:
        self.offset = ClockOffset()
        self._counter = Wrapping()
        self._reported_ns: int | None = None
        self._target_ns = 0
        self._shown_ns: int | None = None
        self._at = (0, 0)

    def read(self, pts_ns: int, wall_ns: int | None, arrived_ns: int) -> Reading:
        """Return where a frame with this stamp stands, and go on from it."""
        sender_ns = self._counter.unwrapped(pts_ns, arrived_ns)
        breaks = self._broken(sender_ns, arrived_ns)
        if breaks is not None:
            self._begin()
            sender_ns = pts_ns
        last = self._counter.last
        step_ns = 0 if last is None else sender_ns - last[0]
        self.offset.observe(sender_ns, arrived_ns)
        target_ns = self._target_ns = self._aim(sender_ns, wall_ns)
        shown_ns = target_ns if self._shown_ns is None else self._shown_ns
        if target_ns > shown_ns + BEHIND_NS:
            breaks, shown_ns = "behind", target_ns
        elif step_ns > 0:
            most_ns = int(step_ns * SLEW)
            shown_ns += max(-most_ns, min(most_ns, target_ns - shown_ns))
        self._shown_ns = min(shown_ns, arrived_ns + AHEAD_NS - sender_ns)
        self._counter.take(pts_ns, sender_ns, arrived_ns)
        return self._reading(sender_ns, arrived_ns, breaks, step_ns < 0)

    def guess(self, step_ns: int, arrived_ns: int) -> Reading | None:
        """Return where a frame without a stamp stands that follows the last one by a step; None before any stamp."""
        if self._shown_ns is None:
            return None
        sender_ns, then_ns = self._at
        # Frames sent twice come at once; none is given more time than it took to come.
        return self._reading(sender_ns + max(0, min(step_ns, arrived_ns - then_ns)), arrived_ns, None, False)

    def late_ns(self, pts_ns: int, arrived_ns: int) -> int:
        """Take in the arrival of a packet; return how much later it is than the promptest, 0 where that is unknown."""
        sender_ns = self._counter.unwrapped(pts_ns, arrived_ns)
        if self._broken(sender_ns, arrived_ns) is not None:
            return 0
        if self._counter.last is None:
            self._counter.take(pts_ns, sender_ns, arrived_ns)
        self.offset.observe(sender_ns, arrived_ns)
        least_ns = self.offset.least_ns
        return 0 if least_ns is None or self.offset.runs_wrong else arrived_ns - sender_ns - least_ns

    def _broken(self, sender_ns: int, arrived_ns: int) -> str | None:
        last, least_ns = self._counter.last, self.offset.least_ns
        if last is None or least_ns is None:
            return None
        if sender_ns < last[0] - BACK_NS:
            return "reset"
        offset_ns = arrived_ns - sender_ns
        # Frames that make up for a pause, or that a server kept for us, come too soon as well, but step as ever.
        if offset_ns < least_ns - JUMP_NS:
            return "jump"
        return "behind" if offset_ns > least_ns + LATEST_NS else None

    def _aim(self, sender_ns: int, wall_ns: int | None) -> int:
        """Return what to add to the sender's time: by its reports where they can be, else by the promptest frames."""
        least_ns = self.offset.least_ns
        assert least_ns is not None
        if wall_ns is not None and self._start_unix_ns is not None:
            self._reported_ns = wall_ns - self._start_unix_ns - sender_ns
        if self._reported_ns is None:
            return least_ns
        way_ns = least_ns - self._reported_ns
        believed = -AHEAD_NS <= way_ns <= WALL_NS
        self.wall_off_s = None if believed else -way_ns / 1e9
        return self._reported_ns if believed else least_ns

    def _reading(self, sender_ns: int, arrived_ns: int, breaks: str | None, backwards: bool) -> Reading:
        assert self._shown_ns is not None
        self._at = (sender_ns, arrived_ns)
        taken_ns = min(arrived_ns, sender_ns + self._target_ns)
        return Reading(sender_ns + self._shown_ns, taken_ns, breaks, backwards)
