"""Take so many frames a second and no more, evenly."""

from __future__ import annotations


class RateLimit:
    """Says of each frame of a stream whether it is taken, by its time."""

    def __init__(self) -> None:
        self._due_ns: float | None = None

    def admits(self, pts_ns: int, max_fps: float | None) -> bool:
        """Tell whether a frame is taken.

        Args:
            pts_ns: its time, rising.
            max_fps: frames a second; None takes all. May change from frame to frame.
        """
        if max_fps is None:
            self._due_ns = None
            return True
        gap_ns = 1e9 / max_fps
        due_ns = pts_ns if self._due_ns is None else self._due_ns
        # A twentieth of the gap for times that a container rounds to milliseconds.
        if pts_ns < due_ns - gap_ns / 20:
            return False
        # Kept to a grid while frames come, so that 10 of 25 a second are 10 and not 8; begun anew after a pause.
        self._due_ns = (due_ns if pts_ns < due_ns + gap_ns else pts_ns) + gap_ns
        return True

    def begin_anew(self) -> None:
        """Take the next frame, whatever its time."""
        self._due_ns = None
