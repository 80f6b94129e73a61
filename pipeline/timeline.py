"""Give the frames of a stream their times, and say which of them are taken."""

from __future__ import annotations

from typing import Literal

from pipeline.rate_limit import RateLimit

JUMP_NS = 500_000_000
"""Time that runs back by more than this is a cut (a loop, a restart); by less, a stray frame."""

Verdict = Literal["take", "jump", "time_backwards", "rate_limit"]


class Timeline:
    """The times of one stream, nanoseconds, strictly rising but for jumps.

    Args:
        period_ns: distance of frames whose time is unknown.
        max_fps: frames above this rate are refused; None takes all.
    """

    def __init__(self, period_ns: int, max_fps: float | None) -> None:
        self._period_ns = period_ns
        self._max_fps, self._limit = max_fps, RateLimit()
        self._last_ns: int | None = None
        self._shift_ns = 0
        self._all_unknown = True

    def admit(self, pts_ns: int | None) -> tuple[int, Verdict]:
        """Return time and fate of the next frame.

        `take` it; take it after a `jump`; refuse it because it is not after the one before (`time_backwards`) or
        comes too soon after it (`rate_limit`).
        """
        pts_ns = self._placed(pts_ns)
        jumps = self._last_ns is not None and pts_ns < self._last_ns - JUMP_NS
        if jumps:
            self._limit.begin_anew()
        elif self._last_ns is not None and pts_ns <= self._last_ns:
            return pts_ns, "time_backwards"
        self._last_ns = pts_ns
        if not self._limit.admits(pts_ns, self._max_fps):
            return pts_ns, "rate_limit"
        return pts_ns, "jump" if jumps else "take"

    def _placed(self, pts_ns: int | None) -> int:
        following = 0 if self._last_ns is None else self._last_ns + self._period_ns
        if pts_ns is None:
            return following
        if self._all_unknown and pts_ns < following:
            # Some know no time before their second frame, and count from there.
            self._shift_ns = following - pts_ns
        self._all_unknown = False
        return pts_ns + self._shift_ns
