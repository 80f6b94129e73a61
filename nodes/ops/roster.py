"""Who is in the picture: the people followed in one stream, with their numbers and ages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nodes.ops.boxes import iou
from nodes.ops.motion import BODY, HEAD, Motion, Pace

Array = np.ndarray[Any, np.dtype[Any]]

COMPARED_AT_NS = np.array([300_000_000, 600_000_000, 1_000_000_000, 1_500_000_000])
"""When newcomers are compared with those lost (`ops.reunion`): so long after their first sight."""
NEVER_NS = np.iinfo(np.int64).max
_SAME_PLACE = 0.5
"""Overlap from which the part of one person is taken for that of another."""
_UNPROVEN_NS = 400_000_000
"""Who is not confirmed is forgotten when out of sight for longer."""
_NEW_LOOKS = 0.1
"""What the latest sight counts in how somebody looks."""
_COLUMNS = ("track_id", "first_ns", "seen_ns", "last_ns", "in_sight_ns", "looks", "first_box", "last_mean")


def _no_ints() -> Array:
    return np.empty(0, np.int64)


@dataclass
class Roster:
    """N people in the order in which they were first seen. Times are pts in nanoseconds."""

    motion: Motion = field(default_factory=Motion.nobody)
    track_id: Array = field(default_factory=_no_ints)
    """(N,) int64, from 1 in the order of confirmation; 0 not confirmed yet."""
    first_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: first sight."""
    seen_ns: Array = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """(N, 2) int64: last sight of head and body; of a part never seen, the first sight of the person."""
    last_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: last sight of either."""
    in_sight_ns: Array = field(default_factory=_no_ints)
    """(N,) int64: how long seen in all."""
    looks: Array = field(default_factory=lambda: np.empty((0, 0)))
    """(N, D) how they look, unit vectors; 0 where not known. D is that of the detector's descriptions, 0 without."""
    first_box: Array = field(default_factory=lambda: np.empty((0, 2, 4)))
    """(N, 2, 4) anchored boxes of their first sight, NaN unseen."""
    last_mean: Array = field(default_factory=lambda: np.empty((0, 2, 2, 4)))
    """(N, 2, 2, 4): where they were and how they moved at their last sight, as `Motion.mean` with N first."""
    pts_ns: int | None = None
    """Of this frame; None before the first."""
    before_ns: int | None = None
    """Of the frame before."""
    last_id: int = 0
    doubts: list[Any] = field(default_factory=list)
    """Kept for `ops.doubts`."""
    compare_ns: int = NEVER_NS
    """pts from which a newcomer is due to be compared with the lost."""

    def __len__(self) -> int:
        return len(self.track_id)

    def lost_ns(self) -> Array:
        """Return for how long head and body have been out of sight: (N, 2) int64."""
        return np.asarray((self.pts_ns or 0) - self.seen_ns)

    def just_seen(self) -> Array:
        """Tell who was seen in the frame before this one: (N,) bool."""
        return np.asarray(self.last_ns == self.before_ns)

    def advance(self, pts_ns: int, max_lost_s: float, pace: Pace, affine: Array | None = None) -> None:
        """Move everybody on to the next frame; forget people and parts out of sight for longer than `max_lost_s`.

        People not confirmed yet stay, so that they can be confirmed at any frame rate.

        Args:
            pts_ns: of the next frame.
            max_lost_s: seconds.
            pace: how people move.
            affine: (2, 3) how the camera moved since, in fractions of the frame's height; None: not known.
        """
        self.before_ns, self.pts_ns = self.pts_ns, pts_ns
        if self.before_ns is None or not len(self):
            return
        stale = (self.lost_ns() > max_lost_s * 1e9) & (self.track_id > 0)[:, None] & self.motion.known
        if np.count_nonzero(stale):
            self.motion = self.motion.without(stale)
            self.keep(self.motion.known[:, HEAD] | self.motion.known[:, BODY])
        self.motion = self.motion.predict((pts_ns - self.before_ns) / 1e9, pace)
        if affine is not None:
            self.motion = self.motion.seen_from(affine)

    def see(self, measured: Array, seen: Array, looks: Array | None, pace: Pace) -> None:
        """Take in where people were seen in this frame.

        Args:
            measured: (N, 2, 4) anchored boxes of head and body; ignored where not seen.
            seen: (N, 2) bool.
            looks: (N, D) how they look now, 0 where not known; None without descriptions.
            pace: how people move.
        """
        assert self.pts_ns is not None
        self.motion = self.motion.update(measured, seen, pace)
        anyhow = seen[:, HEAD] | seen[:, BODY]
        step_ns = 0 if self.before_ns is None else self.pts_ns - self.before_ns
        self.in_sight_ns = self.in_sight_ns + step_ns * anyhow
        self.seen_ns = self.seen_ns.copy()
        self.seen_ns[seen] = self.pts_ns
        self.last_ns = self.last_ns.copy()
        self.last_ns[anyhow] = self.pts_ns
        self.last_mean = np.where(anyhow[:, None, None, None], self.motion.mean.swapaxes(0, 1), self.last_mean)
        if looks is not None:
            self._look(looks)

    def forget(self, aspect: float) -> Array:
        """Drop those out of sight who will not come back; return who stays: (N,) bool.

        That is who is not confirmed and out of sight for a while; who is expected outside the frame, `aspect` wide; and
        half a person, a head or a body, in the place of the head or body of somebody whole in sight.
        """
        assert self.pts_ns is not None
        lost_ns = self.pts_ns - self.last_ns
        lost = lost_ns > 0
        if not np.count_nonzero(lost):
            return np.ones(len(self), np.bool_)
        anchored = self.motion.anchored()
        place = np.where(self.motion.known[:, BODY, None], anchored[:, BODY], anchored[:, HEAD])
        x, top, bottom = place[:, 0], place[:, 1], place[:, 1] + place[:, 3]
        gone = (x < 0) | (x > aspect) | (bottom < 0) | (top > 1)
        gone |= (self.track_id == 0) & (lost_ns > _UNPROVEN_NS)
        whole = self.motion.known[:, HEAD] & self.motion.known[:, BODY]
        if np.count_nonzero(whole):
            gone |= self._halves_of_others(lost, whole)
        stays = ~(lost & gone)
        self.keep(stays)
        return np.asarray(stays)

    def add(self, measured: Array, seen: Array, looks: Array, pace: Pace) -> None:
        """Begin K people, measured (K, 2, 4), whose parts are seen (K, 2) and who look like (K, D)."""
        count = len(measured)
        if not count:
            return
        assert self.pts_ns is not None
        new = Motion.begin(measured, seen, pace)
        if self.looks.shape[1] != looks.shape[1]:
            self.looks = np.zeros((len(self), looks.shape[1]))
        first = np.full(count, self.pts_ns, np.int64)
        fresh = (
            first * 0,
            first,
            np.stack([first, first], axis=1),
            first,
            first * 0,
            looks,
            measured,
            new.mean.swapaxes(0, 1),
        )
        self.motion = self.motion.join(new)
        self.compare_ns = min(self.compare_ns, self.pts_ns + int(COMPARED_AT_NS[0]))
        for name, rows in zip(_COLUMNS, fresh, strict=True):
            setattr(self, name, np.concatenate([getattr(self, name), rows]))

    def due(self, confirm_s: float) -> Array:
        """Return the rows of those who have been in sight long enough for a number; everybody in the first frame."""
        unproven = self.track_id == 0
        if not np.count_nonzero(unproven):
            return _no_ints()
        if self.before_ns is not None:
            unproven &= self.in_sight_ns >= confirm_s * 1e9
        return np.flatnonzero(unproven)

    def confirm(self, rows: Array) -> None:
        """Give numbers to those of some rows who have none."""
        if len(rows) and len(rows := rows[self.track_id[rows] == 0]):
            self.track_id = self.track_id.copy()
            self.track_id[rows] = self.last_id + 1 + np.arange(len(rows))
            self.last_id += len(rows)

    def keep(self, who: Array) -> None:
        """Forget all but those picked by a mask (N,)."""
        if not who.all():
            self.motion = self.motion.take(who)
            for name in _COLUMNS:
                setattr(self, name, getattr(self, name)[who])

    def _look(self, looks: Array) -> None:
        """Take in how people look (N, D): a running mean, so that one bad view changes little."""
        if self.looks.shape[1] != looks.shape[1]:
            self.looks = np.zeros_like(looks, np.float64)
        known, new = (np.any(each, axis=1, keepdims=True) for each in (self.looks, looks))
        mixed = np.where(known, (1 - _NEW_LOOKS) * self.looks + _NEW_LOOKS * looks, looks)
        mixed /= np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)
        self.looks = np.where(new, mixed, self.looks)

    def _halves_of_others(self, lost: Array, whole: Array) -> Array:
        """Tell of whom but one part is known, in the place of that part of somebody whole in sight: (N,) bool."""
        double = np.zeros(len(self), np.bool_)
        if whole.all():
            return double
        boxes = self.motion.boxes()
        whole = boxes[~lost & whole]
        for part, other in ((HEAD, BODY), (BODY, HEAD)):
            half = (lost & self.motion.known[:, part] & ~self.motion.known[:, other]).nonzero()[0]
            double[half] = (iou(boxes[half, part], whole[:, part]) > _SAME_PLACE).any(axis=1)
        return double
