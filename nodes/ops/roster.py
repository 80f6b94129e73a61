"""Who is in the picture: the people followed in one stream, with their numbers and ages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nodes.ops.motion import BODY, HEAD, Motion, Pace

Array = np.ndarray[Any, np.dtype[Any]]


def _nobody() -> Motion:
    return Motion(np.empty((0, 2, 4, 2)), np.empty((0, 2, 4, 3)), np.empty((0, 2), np.bool_))


def _no_ints() -> Array:
    return np.empty(0, np.int64)


@dataclass
class Roster:
    """N people in the order in which they were first seen."""

    motion: Motion = field(default_factory=_nobody)
    track_id: Array = field(default_factory=_no_ints)
    """(N,) int64, from 1 in the order of confirmation; 0 not confirmed yet."""
    seen_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: pts of the last sight."""
    in_sight_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: how long seen in all."""
    pts_ns: int | None = None
    """Of the last frame; None before the first."""
    before_ns: int | None = None
    """Of the frame before that."""
    last_id: int = 0

    def __len__(self) -> int:
        return len(self.track_id)

    def just_seen(self) -> Array:
        """Tell who was seen in the frame before this one: (N,) bool."""
        return np.asarray(self.seen_ns == self.before_ns)

    def advance(self, pts_ns: int, max_lost_s: float, pace: Pace) -> None:
        """Move everybody on to the next frame; forget who has been out of sight for longer than `max_lost_s`."""
        self.before_ns, self.pts_ns = self.pts_ns, pts_ns
        self._keep((self.track_id == 0) | (pts_ns - self.seen_ns <= max_lost_s * 1e9))
        if self.before_ns is not None:
            self.motion = self.motion.predict((pts_ns - self.before_ns) / 1e9, pace)

    def see(self, measured: Array, seen: Array, pace: Pace) -> None:
        """Take in where people were seen in this frame.

        Args:
            measured: (N, 2, 4) anchored boxes of head and body; ignored where not seen.
            seen: (N, 2) bool.
            pace: how people move.
        """
        assert self.pts_ns is not None
        self.motion = self.motion.update(measured, seen, pace)
        now = seen.any(axis=1)
        step_ns = 0 if self.before_ns is None else self.pts_ns - self.before_ns
        self.in_sight_ns = self.in_sight_ns + np.where(now, step_ns, 0)
        self.seen_ns = np.where(now, self.pts_ns, self.seen_ns)

    def add(self, measured: Array, seen: Array, pace: Pace) -> None:
        """Begin K people, measured (K, 2, 4), whose parts are seen (K, 2)."""
        assert self.pts_ns is not None
        count = len(measured)
        self.motion = self.motion.join(Motion.begin(measured, seen, pace))
        self.track_id = np.concatenate([self.track_id, np.zeros(count, np.int64)])
        self.seen_ns = np.concatenate([self.seen_ns, np.full(count, self.pts_ns, np.int64)])
        self.in_sight_ns = np.concatenate([self.in_sight_ns, np.zeros(count, np.int64)])

    def confirm(self, confirm_s: float) -> None:
        """Number those who have been in sight long enough; everybody in the first frame."""
        enough = self.in_sight_ns >= confirm_s * 1e9
        due = np.flatnonzero((self.track_id == 0) & (enough | (self.before_ns is None)))
        self.track_id[due] = self.last_id + 1 + np.arange(len(due))
        self.last_id += len(due)

    def forget(self, confirm_s: float, aspect: float) -> Array:
        """Drop who is gone; return who stays: (N,) bool.

        Gone is who is not confirmed and out of sight for longer than `confirm_s`, and who is out of sight and expected
        outside the frame, `aspect` wide.
        """
        assert self.pts_ns is not None
        boxes = self.motion.boxes()
        box = np.where(self.motion.known[:, BODY, None], boxes[:, BODY], boxes[:, HEAD])
        x = (box[:, 0] + box[:, 2]) / 2
        outside = (x < 0) | (x > aspect) | (box[:, 3] < 0) | (box[:, 1] > 1)
        lost_ns = self.pts_ns - self.seen_ns
        gone = (lost_ns > 0) & (outside | ((self.track_id == 0) & (lost_ns > confirm_s * 1e9)))
        self._keep(~gone)
        return np.asarray(~gone)

    def _keep(self, who: Array) -> None:
        if not who.all():
            self.motion = self.motion.take(who)
            self.track_id, self.seen_ns = self.track_id[who], self.seen_ns[who]
            self.in_sight_ns = self.in_sight_ns[who]
