"""What is told of people as such, from evidence that adds up over time and fades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Evidence:
    """The evidence about N tracks of one stream, for K questions."""

    track_id: Array
    """(N,) int64, rising."""
    seen_ns: Array
    """(N,) int64: pts at which the track was last looked at."""
    sums: Array
    """(N, K, 2) float64: looks that spoke against and for it, each as far as it was sure, older ones faded."""
    asked: Array
    """(N, K) bool: whether the question came up at all."""

    @classmethod
    def nothing(cls, questions: int) -> Evidence:
        """Return that of a stream that begins."""
        no = np.empty(0, np.int64)
        return cls(no, no, np.empty((0, questions, 2)), np.empty((0, questions), np.bool_))

    def after(self, pts_ns: int, track_id: Array, said: Array, look_s: float, forget_s: float) -> Evidence:
        """Return the evidence after a frame.

        Frames that follow each other closely show the same: they count as the share of a look that time makes of them,
        `1 - exp(-dt / look_s)`. The first frame of a track is a whole look; one that is shown again is none.

        Args:
            pts_ns: of the frame.
            track_id: (M,) tracks that were looked at, rising, each once.
            said: (M, K, 2) 0 to 1: what speaks against and for it; both 0 where nothing does.
            look_s: seconds in which what is seen of a person becomes another look.
            forget_s: seconds in which evidence fades to 1/e. Tracks not looked at for longer are dropped.
        """
        held = self._take(pts_ns - self.seen_ns <= forget_s * 1e9)
        every = np.union1d(held.track_id, track_id)
        old, new = np.searchsorted(every, held.track_id), np.searchsorted(every, track_id)
        seen_ns = np.full(len(every), pts_ns, np.int64)
        seen_ns[old] = held.seen_ns
        sums, asked = np.zeros((len(every), *said.shape[1:])), np.zeros((len(every), said.shape[1]), np.bool_)
        sums[old], asked[old] = held.sums, held.asked
        known = np.isin(track_id, held.track_id)
        passed_s = np.maximum(pts_ns - seen_ns[new], 0) / 1e9
        look = np.where(known, -np.expm1(-passed_s / look_s), 1.0)
        sums[new] = sums[new] * np.exp(-passed_s / forget_s)[:, None, None] + said * look[:, None, None]
        asked[new] |= said[..., 1] > 0
        seen_ns[new] = pts_ns
        return Evidence(every, seen_ns, sums, asked)

    def share(self, track_id: Array, prior: float) -> Array:
        """Return the share (M, K) of the evidence that speaks for it, NaN where nothing was ever said.

        Args:
            track_id: (M,) tracks that have been looked at.
            prior: looks that are taken to have said half and half before the first: what little evidence says is not
                believed more than it should be.
        """
        sums = self.sums[np.searchsorted(self.track_id, track_id)]
        whole = sums.sum(axis=2)
        return np.where(whole > 0, (sums[..., 1] + prior / 2) / (whole + prior), np.nan)

    def ever(self, track_id: Array) -> Array:
        """Return which questions (M, K) bool something has ever spoken for."""
        return np.asarray(self.asked[np.searchsorted(self.track_id, track_id)])

    def _take(self, rows: Array) -> Evidence:
        return Evidence(self.track_id[rows], self.seen_ns[rows], self.sums[rows], self.asked[rows])
