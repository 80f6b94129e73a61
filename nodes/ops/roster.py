"""Who is in the picture: the people followed in one stream, with their numbers and ages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nodes.ops.boxes import iou
from nodes.ops.motion import BODY, HEAD, Motion, Pace

Array = np.ndarray[Any, np.dtype[Any]]

_SAME_PLACE = 0.5
"""Overlap from which the part of one person is taken for that of another."""


def _nobody() -> Motion:
    return Motion(np.empty((0, 2, 4, 2)), np.empty((0, 2, 4, 3)), np.empty((0, 2), np.bool_))


def _no_ints() -> Array:
    return np.empty(0, np.int64)


@dataclass
class Roster:
    """N people in the order in which they were first seen. Times are pts in nanoseconds."""

    motion: Motion = field(default_factory=_nobody)
    track_id: Array = field(default_factory=_no_ints)
    """(N,) int64, from 1 in the order of confirmation; 0 not confirmed yet."""
    seen_ns: Array = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """(N, 2) int64: last sight of head and body; of a part never seen, the first sight of the person."""
    in_sight_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: how long seen in all."""
    pts_ns: int | None = None
    """Of this frame; None before the first."""
    before_ns: int | None = None
    """Of the frame before."""
    last_id: int = 0

    def __len__(self) -> int:
        return len(self.track_id)

    def lost_ns(self) -> Array:
        """Return for how long head and body have been out of sight: (N, 2) int64."""
        return np.asarray((self.pts_ns or 0) - self.seen_ns)

    def just_seen(self) -> Array:
        """Tell who was seen in the frame before this one: (N,) bool."""
        return np.asarray((self.seen_ns == self.before_ns).any(axis=1))

    def advance(self, pts_ns: int, max_lost_s: float, pace: Pace) -> None:
        """Move everybody on to the next frame; forget people and parts out of sight for longer than `max_lost_s`.

        People not confirmed yet stay, so that they can be confirmed at any frame rate.
        """
        self.before_ns, self.pts_ns = self.pts_ns, pts_ns
        if self.before_ns is None:
            return
        stale = (self.lost_ns() > max_lost_s * 1e9) & (self.track_id > 0)[:, None]
        if stale.any():
            self.motion = self.motion.without(stale)
            self._keep(np.asarray(~stale.all(axis=1)))
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
        step_ns = 0 if self.before_ns is None else self.pts_ns - self.before_ns
        self.in_sight_ns = self.in_sight_ns + np.where(seen.any(axis=1), step_ns, 0)
        self.seen_ns = np.where(seen, self.pts_ns, self.seen_ns)

    def forget(self, confirm_s: float, aspect: float) -> Array:
        """Drop those out of sight who will not come back; return who stays: (N,) bool.

        That is who is not confirmed and out of sight for longer than `confirm_s`; who is expected outside the frame,
        `aspect` wide; and half a person, a head or a body, in the place of the head or body of somebody whole in sight.
        """
        lost_ns = self.lost_ns().min(axis=1, initial=np.iinfo(np.int64).max)
        lost = lost_ns > 0
        if not lost.any():
            return np.ones(len(self), np.bool_)
        boxes = self.motion.boxes()
        whole = np.where(self.motion.known[:, BODY, None], boxes[:, BODY], boxes[:, HEAD])
        x = (whole[:, 0] + whole[:, 2]) / 2
        outside = (x < 0) | (x > aspect) | (whole[:, 3] < 0) | (whole[:, 1] > 1)
        unproven = (self.track_id == 0) & (lost_ns > confirm_s * 1e9)
        stays = ~(lost & (outside | unproven | self._halves_of_others(boxes, lost)))
        self._keep(stays)
        return np.asarray(stays)

    def add(self, measured: Array, seen: Array, pace: Pace) -> None:
        """Begin K people, measured (K, 2, 4), whose parts are seen (K, 2)."""
        count = len(measured)
        if not count:
            return
        self.motion = self.motion.join(Motion.begin(measured, seen, pace))
        self.track_id = np.concatenate([self.track_id, np.zeros(count, np.int64)])
        self.seen_ns = np.concatenate([self.seen_ns, np.full((count, 2), self.pts_ns, np.int64)])
        self.in_sight_ns = np.concatenate([self.in_sight_ns, np.zeros(count, np.int64)])

    def confirm(self, confirm_s: float) -> None:
        """Number those who have been in sight long enough; everybody in the first frame."""
        enough = self.in_sight_ns >= (0 if self.before_ns is None else confirm_s * 1e9)
        due = np.flatnonzero((self.track_id == 0) & enough)
        if len(due):
            self.track_id = self.track_id.copy()
            self.track_id[due] = self.last_id + 1 + np.arange(len(due))
            self.last_id += len(due)

    def _halves_of_others(self, boxes: Array, lost: Array) -> Array:
        """Tell of whom but one part is known, in the place of that part of somebody whole in sight: (N,) bool."""
        double = np.zeros(len(self), np.bool_)
        whole = boxes[~lost & self.motion.known.all(axis=1)]
        for part, other in ((HEAD, BODY), (BODY, HEAD)):
            half = np.flatnonzero(lost & self.motion.known[:, part] & ~self.motion.known[:, other])
            double[half] = (iou(boxes[half, part], whole[:, part]) > _SAME_PLACE).any(axis=1)
        return double

    def _keep(self, who: Array) -> None:
        if not who.all():
            self.motion = self.motion.take(who)
            self.track_id, self.seen_ns = self.track_id[who], self.seen_ns[who]
            self.in_sight_ns = self.in_sight_ns[who]
