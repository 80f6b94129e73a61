"""The time of a live stream, from stamps that may be missing, stand still, run back or jump, and from arrivals."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pipeline.even_steps import EvenSteps
from pipeline.node import Stamp
from pipeline.sender_clock import AHEAD_NS, Reading, SenderClock

SILENT_NS = 1_000_000_000
"""Frames without a new stamp go by the last one for so long, then by their arrival."""
DISORDER_NS = 2_000_000_000
"""After stamps were out of order, they are only followed roughly for so long."""
BREAKS = 3
"""More breaks than this within `BREAKS_NS` are nonsense."""
BREAKS_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Placed:
    """The time of a frame, nanoseconds since the start of its stream."""

    pts_ns: int
    """Strictly rising."""
    taken_ns: int
    """When it was taken, by the best estimate; never after its arrival."""
    breaks: str | None = None
    """Why it does not continue the frame before, in a word; None where it does."""


class LiveTime:
    """Give the frames of a live stream their times, over all its connections.

    A stamp stands on our time where the promptest frame of the last 30 s would have come, or where sender reports put
    it. As that estimate changes, times follow by at most 3 % of each step (`SLEW`), so durations are wrong by no more.
    Two errors are put right at once:

    * Times that would be later than the arrival by more than 0.1 s. So the backlog that a server sends first is
      pressed into the time in which it came, as its first frame already stands at its arrival.
    * Times that are too early by more than 2 s; that is a break (`behind`).

    Always, while arrivals do not run back: arrival - 34 s <= pts <= arrival + 0.1 s + 1 ns for each frame so far.

    Breaks: `reset` (stamps step back by more than 0.5 s), `jump` (forward by 1 s more than arrivals allow), `behind`
    (later than the promptest by 20 s, or times put right as above), `nonsense` (the fourth break in 10 s) and `rate`
    (the stamps gain or lose 20 % over 10 s, or 3 % over 50 s). After the last two, stamps are not believed before the
    next connection; frames then stand at their arrivals, made even.

    Args:
        period_ns: distance of frames, until it is known better.
        start_unix_ns: the Unix time of the stream's start; None where sender reports are not to be heard.
    """

    def __init__(self, period_ns: int = 40_000_000, start_unix_ns: int | None = None) -> None:
        self._start_unix_ns = start_unix_ns
        self._even = EvenSteps(period_ns)
        self._last_ns: int | None = None
        self.connected()

    def connected(self) -> None:
        """Begin a new connection: what the sender's clock said before means nothing now."""
        self._clock = SenderClock(self._start_unix_ns)
        self._believed = True
        self._first = True
        self._stamp_ns: int | None = None
        self._stamped_ns = 0
        self._packet_ns: int | None = None
        self._disorder_ns: int | None = None
        self._broke_ns: deque[int] = deque(maxlen=BREAKS)

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the sender's clock runs than ours; None until known (60 s), or not believed."""
        return self._clock.offset.drift_ppm if self._believed else None

    @property
    def sender_clock_off_s(self) -> float | None:
        """By how much sender reports are ahead of our wall clock; None without any, or where they are believed."""
        return self._clock.wall_off_s

    def late_ns(self, pts_ns: int | None, arrived_ns: int) -> int:
        """Return how much later than the promptest of this connection a packet is; 0 when unknown.

        The packet counts as an arrival, so that a sender who stays late is known for that (after 6 s or more) even if
        all of its packets are dropped. Lateness that stays is none, and a stamp that stands still tells of none.

        Args:
            pts_ns: its stamp, as in `Stamp`.
            arrived_ns: when it arrived.
        """
        if pts_ns is None or pts_ns == self._packet_ns or not self._believed:
            return 0
        self._packet_ns = pts_ns
        return self._clock.late_ns(pts_ns, arrived_ns)

    def place(self, stamp: Stamp, arrived_ns: int) -> Placed:
        """Return the time of the next frame.

        Args:
            stamp: what the sender says of its time.
            arrived_ns: when it arrived, on our monotonic clock since the start of the stream.
        """
        reading = self._read(stamp, arrived_ns) if self._believed else None
        breaks = self._judge(reading, arrived_ns)
        if reading is None or not self._believed:
            pts_ns, taken_ns = self._even.next(arrived_ns), arrived_ns
        else:
            pts_ns, taken_ns = self._ordered(reading, arrived_ns), reading.taken_ns
        pts_ns = min(pts_ns, arrived_ns + AHEAD_NS)
        if self._last_ns is not None:
            pts_ns = max(pts_ns, self._last_ns + 1)
        self._last_ns, self._first = pts_ns, False
        return Placed(pts_ns, taken_ns, breaks)

    def _read(self, stamp: Stamp, arrived_ns: int) -> Reading | None:
        """Return where the sender puts a frame; None where it says nothing."""
        if stamp.pts_ns is not None and stamp.pts_ns != self._stamp_ns:
            self._stamp_ns, self._stamped_ns = stamp.pts_ns, arrived_ns
            return self._clock.read(stamp.pts_ns, stamp.wall_ns, arrived_ns)
        if arrived_ns - self._stamped_ns > SILENT_NS:
            return None
        return self._clock.guess(self._even.period_ns, arrived_ns)

    def _judge(self, reading: Reading | None, arrived_ns: int) -> str | None:
        """Return why a frame does not continue the one before, and stop believing stamps that break too often."""
        if reading is None:
            return None
        breaks = reading.breaks
        if self._clock.offset.runs_wrong:
            self._believed, breaks = False, "rate"
        if breaks is None or self._first:
            return None
        if len(self._broke_ns) == BREAKS and arrived_ns - self._broke_ns[0] <= BREAKS_NS:
            self._believed, breaks = False, "nonsense"
        self._broke_ns.append(arrived_ns)
        return breaks

    def _ordered(self, reading: Reading, arrived_ns: int) -> int:
        """Return where the sender puts a frame, made even where its stamps are out of order."""
        if reading.backwards:
            self._disorder_ns = arrived_ns
        if self._disorder_ns is not None and arrived_ns - self._disorder_ns <= DISORDER_NS:
            return self._even.next(reading.shown_ns)
        self._even.follow(reading.shown_ns)
        return reading.shown_ns
