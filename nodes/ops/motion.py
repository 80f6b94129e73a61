"""How people move in the picture: head and body of each person as filtered boxes that hold together.

Space: fractions of the frame's height on both axes, so that a step to the side is as long as a step up. Axes: N people,
2 parts (head, body), 4 coordinates of an anchored box (centre x, top y, width, height; see `ops.boxes`).
Held on the host on purpose: a few floats per person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops import kalman
from nodes.ops.boxes import from_anchored

Array = np.ndarray[Any, np.dtype[Any]]

HEAD, BODY = 0, 1
"""Places on the axis of parts."""
HEADS_PER_BODY = 6.0
"""Body height over head height where the head alone is known; whole adults have 7, but the box of a head has hair."""
# Chosen on rendered crowds (scenes.crowd); coordinates: centre x, top y, width, height.
_JITTER = np.array([0.04, 0.04, 0.07, 0.07])
"""Standard deviation of a detected box: of its place over the side of a square as large, of its sides over these."""
_DRIFT = np.array([0.2, 0.2, 0.3, 0.3])
"""The same of what a detector is off to one side for a while, over a second."""
_PACES = np.array([1.0, 0.6, 0.15, 0.3])
"""Standard deviation of speeds: of the place in those of people, who go up and down the picture less than across; of
the sides in part heights per second, as they walk up to a camera or bend."""
_GROWTH_PERSISTENCE_S = 0.5
"""For how long a change of size goes on; short, because most of them are hands and furniture hiding something."""
_TINY = 1e-4


@dataclass(frozen=True)
class Pace:
    """How people are taken to move."""

    speed: float
    """Standard deviation of the speed, body heights per second."""
    persistence_s: float
    """For how long a walker keeps speed and direction, seconds."""


@dataclass
class Motion:
    """Where N people are and how they move. A part never seen is unknown, its numbers are NaN."""

    mean: Array
    """(2, N, 2, 4) float64: position and velocity of each coordinate."""
    cov: Array
    """(3, N, 2, 4) float64: see `ops.kalman`."""
    known: Array
    """(N, 2) bool: the part has been seen before."""

    @classmethod
    def nobody(cls) -> Motion:
        """Return no people."""
        return cls(np.empty((2, 0, 2, 4)), np.empty((3, 0, 2, 4)), np.empty((0, 2), np.bool_))

    @classmethod
    def begin(cls, measured: Array, seen: Array, pace: Pace) -> Motion:
        """Return people at their first sight.

        Args:
            measured: (N, 2, 4) anchored boxes; ignored where not seen.
            seen: (N, 2) bool.
            pace: how they will move.
        """
        measured = np.where(seen[:, :, None], measured, np.nan)
        sides = _sides(measured)
        mean, cov = kalman.begin(measured, _JITTER * sides, _speeds(measured, pace))
        return cls(mean, cov, seen.copy())

    def __len__(self) -> int:
        return len(self.known)

    def take(self, rows: Array) -> Motion:
        """Return the people picked by a mask or an index array."""
        return Motion(self.mean[:, rows], self.cov[:, rows], self.known[rows])

    def join(self, more: Motion) -> Motion:
        """Return these people and more."""
        return Motion(
            np.concatenate([self.mean, more.mean], axis=1),
            np.concatenate([self.cov, more.cov], axis=1),
            np.concatenate([self.known, more.known]),
        )

    def anchored(self) -> Array:
        """Return the anchored boxes (N, 2, 4) of the parts now; NaN unknown."""
        return np.asarray(self.mean[kalman.POSITION])

    def boxes(self) -> Array:
        """Return the boxes (N, 2, 4) `x1, y1, x2, y2` where the parts are now; NaN unknown."""
        anchored = self.anchored().copy()
        np.maximum(anchored[..., 2:], _TINY, out=anchored[..., 2:])
        return from_anchored(anchored)

    def spread(self) -> Array:
        """Return the standard deviation (N, 2, 2) of where the parts are, in x and y; NaN unknown."""
        return np.sqrt(self.variance())

    def variance(self) -> Array:
        """Return the squares of `spread` (N, 2, 2)."""
        return np.asarray(self.cov[kalman.PP, ..., :2])

    def predict(self, dt_s: float, pace: Pace) -> Motion:
        """Return the people `dt_s` seconds later."""
        place, size = pace.persistence_s, _GROWTH_PERSISTENCE_S
        now = self.anchored()
        speeds, drift = _speeds(now, pace), _DRIFT * _sides(now)
        return Motion(*kalman.predict(self.mean, self.cov, dt_s, speeds, (place, place, size, size), drift), self.known)

    def update(self, measured: Array, seen: Array, pace: Pace) -> Motion:
        """Return the people after one frame; who is not seen at all stays as predicted.

        A part that is not seen goes along with the part that is, so that a head found again after a while is where
        the body has carried it.

        Args:
            measured: (N, 2, 4) anchored boxes; ignored where not seen.
            seen: (N, 2) bool.
            pace: how people move, for parts seen for the first time.
        """
        again = seen & self.known
        noise = _JITTER * _sides(measured)
        mean, cov = kalman.update(self.mean, self.cov, measured, noise, again[..., None])
        new = seen & ~self.known
        if np.count_nonzero(new):
            first = Motion.begin(measured, new, pace)
            mean[:, new], cov[:, new] = first.mean[:, new], first.cov[:, new]
        along = self.known & ~seen & again[:, ::-1]
        if np.count_nonzero(along):
            row, part = np.nonzero(along)
            moved = mean[kalman.POSITION, row, 1 - part, :2] - self.mean[kalman.POSITION, row, 1 - part, :2]
            mean[kalman.POSITION, row, part, :2] += moved
            mean[kalman.VELOCITY, row, part, :2] = mean[kalman.VELOCITY, row, 1 - part, :2]
        return Motion(mean, cov, self.known | seen)

    def shifted(self, by: Array) -> Motion:
        """Return the people with their places moved by (2,)."""
        mean = self.mean.copy()
        mean[kalman.POSITION, ..., :2] += by
        return Motion(mean, self.cov, self.known)

    def seen_from(self, affine: Array) -> Motion:
        """Return the people as a camera that moved sees them.

        Args:
            affine: (2, 3) takes points of the picture before to this one, in fractions of the frame's height.
        """
        turn, scale = affine[:, :2], np.sqrt(abs(np.linalg.det(affine[:, :2])))
        mean = self.mean.copy()
        mean[..., :2] = mean[..., :2] @ turn.T
        mean[kalman.POSITION, ..., :2] += affine[:, 2]
        mean[..., 2:] *= scale
        return Motion(mean, self.cov * scale**2, self.known)

    def without(self, parts: Array) -> Motion:
        """Return the people with some parts (N, 2) bool unknown again."""
        unknown = parts[..., None]
        return Motion(np.where(unknown, np.nan, self.mean), np.where(unknown, np.nan, self.cov), self.known & ~parts)


def heights(anchored: Array) -> Array:
    """Return the heights (N,) of whole people with parts (N, 2, 4), by head and by body."""
    return np.fmax(HEADS_PER_BODY * anchored[:, HEAD, 3], anchored[:, BODY, 3])


def _speeds(anchored: Array, pace: Pace) -> Array:
    """Return the standard deviation (N, 2, 4) of the velocities of anchored boxes; both parts of a person alike."""
    speeds = np.empty_like(anchored)
    speeds[..., :2] = (pace.speed * heights(anchored))[:, None, None]
    speeds[..., 2:] = anchored[..., 3:]
    speeds *= _PACES
    return speeds


def _sides(anchored: Array) -> Array:
    """Return the lengths (N, 2, 4) that errors go by: twice the side of a square as large, width, height; above 0."""
    sides = np.empty_like(anchored)
    np.maximum(anchored[..., 2:], _TINY, out=sides[..., 2:])
    sides[..., :2] = np.sqrt(sides[..., 2] * sides[..., 3])[..., None]
    return sides
