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
_HEADS_PER_BODY = 6.0
"""Body height over head height where the head alone is known; whole adults have 7, but the box of a head has hair."""
_JITTER = np.array([0.06, 0.06, 0.08, 0.08])
"""Standard deviation of a detected box's coordinates over its size: typical of detectors at 8 to 30 px heads."""
_GROWTH = 0.3
"""Standard deviation of the rate at which sizes change, part sizes per second: walking up to a camera, bending."""
_GROWTH_PERSISTENCE_S = 0.5
"""For how long a change of size goes on; short, because most of them are hands and furniture hiding something."""


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
    """(N, 2, 4, 2) float64: position and velocity of each coordinate."""
    cov: Array
    """(N, 2, 4, 3) float64: see `ops.kalman`."""
    known: Array
    """(N, 2) bool: the part has been seen before."""

    @classmethod
    def begin(cls, measured: Array, seen: Array, pace: Pace) -> Motion:
        """Return people at their first sight.

        Args:
            measured: (N, 2, 4) anchored boxes; ignored where not seen.
            seen: (N, 2) bool.
            pace: how they will move.
        """
        measured = np.where(seen[:, :, None], measured, np.nan)
        mean, cov = kalman.begin(measured, _noise(measured), _speeds(measured, pace))
        return cls(mean, cov, seen.copy())

    def __len__(self) -> int:
        return len(self.known)

    def take(self, rows: Array) -> Motion:
        """Return the people picked by a mask or an index array."""
        return Motion(self.mean[rows], self.cov[rows], self.known[rows])

    def join(self, more: Motion) -> Motion:
        """Return these people and more."""
        return Motion(
            np.concatenate([self.mean, more.mean]),
            np.concatenate([self.cov, more.cov]),
            np.concatenate([self.known, more.known]),
        )

    def boxes(self) -> Array:
        """Return the boxes (N, 2, 4) `x1, y1, x2, y2` where the parts are now; NaN unknown."""
        anchored = self.mean[..., kalman.POSITION].copy()
        anchored[..., 2:] = np.maximum(anchored[..., 2:], 1e-4)
        return from_anchored(anchored)

    def spread(self) -> Array:
        """Return the standard deviation (N, 2, 2) of where the parts are, in x and y; NaN unknown."""
        return np.sqrt(self.cov[..., :2, kalman.PP])

    def predict(self, dt_s: float, pace: Pace) -> Motion:
        """Return the people `dt_s` seconds later."""
        persistence_s = np.array([pace.persistence_s] * 2 + [_GROWTH_PERSISTENCE_S] * 2)
        speeds = _speeds(self.mean[..., kalman.POSITION], pace)
        return Motion(*kalman.predict(self.mean, self.cov, dt_s, speeds, persistence_s), self.known)

    def update(self, measured: Array, seen: Array, pace: Pace) -> Motion:
        """Return the people after one frame; who is not seen at all stays as predicted.

        A part that is not seen goes along with the part that is, so that a head found again after a while is where
        the body has carried it.

        Args:
            measured: (N, 2, 4) anchored boxes; ignored where not seen.
            seen: (N, 2) bool.
            pace: how people move, for parts seen for the first time.
        """
        measured = np.where(seen[:, :, None], measured, np.nan)
        again, new = seen & self.known, seen & ~self.known
        mean, cov = kalman.update(self.mean, self.cov, measured, _noise(measured))
        mean, cov = np.where(again[..., None, None], mean, self.mean), np.where(again[..., None, None], cov, self.cov)
        if new.any():
            first = Motion.begin(measured, new, pace)
            mean[new], cov[new] = first.mean[new], first.cov[new]
        for part, other in ((HEAD, BODY), (BODY, HEAD)):
            along = self.known[:, part] & ~seen[:, part] & again[:, other]
            mean[along, part, :2] += mean[along, other, :2] - self.mean[along, other, :2]
        return Motion(mean, cov, self.known | seen)

    def without(self, parts: Array) -> Motion:
        """Return the people with some parts (N, 2) bool unknown again."""
        unknown = parts[..., None, None]
        return Motion(np.where(unknown, np.nan, self.mean), np.where(unknown, np.nan, self.cov), self.known & ~parts)


def _noise(anchored: Array) -> Array:
    """Return the standard deviation (N, 2, 4) of measured anchored boxes."""
    return _JITTER * _size(anchored)[..., None]


def _speeds(anchored: Array, pace: Pace) -> Array:
    """Return the standard deviation (N, 2, 4) of the velocities of anchored boxes; both parts of a person alike."""
    height = np.fmax(_HEADS_PER_BODY * anchored[:, HEAD, 3], anchored[:, BODY, 3])  # of the body, by head and by body
    speeds = np.empty_like(anchored)
    speeds[..., :2] = pace.speed * height[:, None, None]
    speeds[..., 2:] = _GROWTH * _size(anchored)[..., None]
    return speeds


def _size(anchored: Array) -> Array:
    """Return the side (N, 2) of a square as large as each anchored box, kept above 0."""
    return np.asarray(np.sqrt(np.maximum(anchored[..., 2], 1e-4) * np.maximum(anchored[..., 3], 1e-4)))
