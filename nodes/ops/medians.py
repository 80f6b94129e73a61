"""Running medians, one per track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Samples:
    """N samples of the tracks of one stream."""

    pts_ns: Array
    """(N,) int64."""
    track_id: Array
    """(N,) int64."""
    value: Array
    """(N,) float64."""

    @classmethod
    def none(cls) -> Samples:
        """Return those of a stream that begins."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def after(self, pts_ns: int, track_id: Array, value: Array, window_s: float) -> Samples:
        """Return these and those of a frame, without what is older than the window, or of this frame already.

        Args:
            pts_ns: of the frame.
            track_id: (M,) tracks, each once.
            value: (M,) one sample each.
            window_s: seconds; 0 keeps those of the frame alone.
        """
        kept = (self.pts_ns < pts_ns) & (pts_ns - self.pts_ns <= window_s * 1e9)
        return Samples(
            np.concatenate([self.pts_ns[kept], np.full(len(track_id), pts_ns, np.int64)]),
            np.concatenate([self.track_id[kept], track_id]),
            np.concatenate([self.value[kept], value]),
        )

    def medians(self, track_id: Array) -> Array:
        """Return the median (M,) of all samples of each track, which has some."""
        order = np.lexsort((self.value, self.track_id))
        ids, value = self.track_id[order], self.value[order]
        first, last = np.searchsorted(ids, track_id, "left"), np.searchsorted(ids, track_id, "right") - 1
        middle = first + last
        return np.asarray((value[middle // 2] + value[(middle + 1) // 2]) / 2)
