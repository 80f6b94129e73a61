"""Give the frames of a stream their times, and say which of them are taken."""

from __future__ import annotations

from typing import Literal

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
        self._gap_ns = 1e9 / max_fps if max_fps else 0.0
        self._last_ns: int | None = None
        self._shift_ns = 0
        self._all_unknown = True
        self._due_ns = 0.0

    def admit(self, pts_ns: int | None) -> tuple[int, Verdict]:
        """Return time and fate of the next frame.

        `take` it; take it after a `jump`; refuse it because it is not after the one before (`time_backwards`) or
        comes too soon after it (`rate_limit`).
        """
        pts_ns = self._placed(pts_ns)
        jumps = self._last_ns is not None and pts_ns < self._last_ns - JUMP_NS
        if self._last_ns is None or jumps:
            self._due_ns = pts_ns
        elif pts_ns <= self._last_ns:
            return pts_ns, "time_backwards"
        self._last_ns = pts_ns
        # A twentieth of the gap for times that a container rounds to milliseconds.
        if pts_ns < self._due_ns - self._gap_ns / 20:
            return pts_ns, "rate_limit"
        # Kept to a grid while frames come, so that 10 of 25 a second are 10 and not 8; begun anew after a pause.
        on_grid = pts_ns < self._due_ns + self._gap_ns
        self._due_ns = (self._due_ns if on_grid else pts_ns) + self._gap_ns
        return pts_ns, "jump" if jumps else "take"

    def _placed(self, pts_ns: int | None) -> int:
        following = 0 if self._last_ns is None else self._last_ns + self._period_ns
        if pts_ns is None:
            return following
        if self._all_unknown and pts_ns < following:
            # Network streams often know no time before their second frame, and count from there.
            self._shift_ns = following - pts_ns
        self._all_unknown = False
        return pts_ns + self._shift_ns
