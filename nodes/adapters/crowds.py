"""Say that a detector with a fixed number of rows has none left, so that people in a crowd may be missing."""

from __future__ import annotations

import logging

from pipeline.frames import FrameBatch

logger = logging.getLogger(__name__)

QUIET_NS = 60_000_000_000
"""A stream is warned of again when this much of its own time has passed without a full frame."""


class Crowds:
    """Warns when the rows of a stream's frames are used up: once, and again after they were not for a minute."""

    def __init__(self) -> None:
        self._full: dict[str, tuple[int, int]] = {}
        """By stream, generation and pts of the last full frame."""

    def note(self, frames: FrameBatch, row: int, count: int, lowest: float) -> None:
        """Take up that all rows of a frame are used.

        Args:
            frames: those of the tick.
            row: of the frame.
            count: rows that the model has.
            lowest: score of the least sure one.
        """
        stream_id, now = frames.stream_id[row], (int(frames.generation[row]), int(frames.pts_ns[row]))
        last = self._full.get(stream_id)
        self._full[stream_id] = now
        if last is None or last[0] != now[0] or now[1] - last[1] >= QUIET_NS:
            logger.warning(
                "stream=%s: at %.1f s all %d rows of the detector are used, the least sure with a score of %.2f: of "
                "this crowd some may be missing; choose a model with more rows, or raise the least score that counts",
                stream_id,
                now[1] / 1e9,
                count,
                lowest,
            )

    def forget(self, stream_id: str) -> None:
        """Forget a stream that ended."""
        self._full.pop(stream_id, None)
