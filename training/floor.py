"""Where heads are above the floor before a camera of which nothing is told, by how large heads are in its picture.

Heads are about alike in size and about alike high above the floor, so the height of a head in the picture grows in
proportion with how far below the horizon it is seen (Hoiem, Efros and Hebert, Putting Objects in Perspective, 2008).
A line through both gives the horizon, and with it the tilt of the camera. The picture is that of a pinhole; its focal
length is taken for one width of the picture, 53 degrees across: cameras of 45 to 65 degrees turn what is told here by
some degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_FOCAL = 1.0
"""Focal length in longer sides of the picture."""
_LEAST_HEADS = 20
_ROUNDS = 20
_MOST_UNSURE = 0.15
"""Standard error of the line's slope, in slopes, up to which it tells anything."""
_LEAST_BELOW = 0.08
"""Sine of the angle below the horizon from which on a head's place is told: nearer to it a pixel is metres."""
_EDGE = 0.005
"""Heads so close to the edge of the picture, in pictures, may be cut by it."""


@dataclass(frozen=True)
class Floor:
    """A camera above the plane in which heads are. Lengths are in heights of the camera above that plane."""

    aspect: float
    """Width of the picture over its height."""
    tilt_rad: float
    """How far the camera looks down."""

    @classmethod
    def of_heads(cls, box: Floats, aspect: float) -> Self | None:
        """Return the floor that heads of one camera tell of; None where they do not.

        Args:
            box: (N, 4) xyxy of heads, fractions of the picture.
            aspect: of the picture.
        """
        whole = box[((box > _EDGE) & (box < 1 - _EDGE)).all(axis=1)].astype(np.float64)
        if len(whole) < _LEAST_HEADS:
            return None
        row, height = (whole[:, 1] + whole[:, 3]) / 2, whole[:, 3] - whole[:, 1]
        slope, horizon, unsure = _line(row, height)
        if slope <= 0 or unsure > _MOST_UNSURE * slope:
            return None
        return cls(aspect, float(np.arctan2((0.5 - horizon) / aspect, _focal(aspect))))

    def rays(self, box: Floats) -> Floats:
        """Return (..., 3) unit vectors to the centres of boxes (..., 4): to the right, down, and ahead on the floor."""
        across = ((box[..., 0] + box[..., 2]) / 2 - 0.5) / _focal(self.aspect)
        below = ((box[..., 1] + box[..., 3]) / 2 - 0.5) / self.aspect / _focal(self.aspect)
        cos, sin = np.cos(self.tilt_rad), np.sin(self.tilt_rad)
        rays = np.stack([across, sin + cos * below, cos - sin * below], axis=-1)
        return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))

    def places(self, box: Floats) -> Floats:
        """Return (..., 2) where heads are, to the right and ahead of the camera; nan too near the horizon."""
        rays = self.rays(box)
        below = np.where(rays[..., 1] > _LEAST_BELOW, rays[..., 1], np.nan)
        return np.asarray(rays[..., [0, 2]] / below[..., None])

    def heights(self, box: Floats) -> Floats:
        """Return (...) how tall heads are that fill boxes (..., 4)."""
        places = self.places(box)
        far = np.sqrt((places**2).sum(axis=-1) + 1)
        return np.asarray((box[..., 3] - box[..., 1]) / self.aspect * far / _focal(self.aspect))

    def in_rays(self, box: Floats, way: Floats) -> Floats:
        """Return ways along the floor as they are seen: unit vectors (N, 3) in the camera-ray frames of heads.

        Args:
            box: (N, 4) of the heads.
            way: (N, 2) to the right and ahead, of any length but 0.
        """
        rays = self.rays(box)
        level = np.stack([way[:, 0], np.zeros(len(way)), way[:, 1]], axis=1)
        level = level / np.linalg.norm(level, axis=1, keepdims=True)
        right = np.stack([rays[:, 2], np.zeros(len(rays)), -rays[:, 0]], axis=1)
        right = right / np.linalg.norm(right, axis=1, keepdims=True)
        down = np.cross(rays, right)
        return np.stack([(level * axis).sum(axis=1) for axis in (right, down, rays)], axis=1)


def _focal(aspect: float) -> float:
    """Return the focal length in widths of the picture."""
    return _FOCAL * max(1.0, 1.0 / aspect)


def _line(row: Floats, height: Floats) -> tuple[float, float, float]:
    """Return slope and zero of a line through heights by rows, few outliers notwithstanding, and the slope's error.

    Least squares whose weights fall with what is left over (Huber): children and people who sit are outliers.
    """
    given = np.stack([row, np.ones_like(row)], axis=1)
    weight = np.ones_like(row)
    for _ in range(_ROUNDS):
        slope, level = np.linalg.lstsq(given * weight[:, None], height * weight, rcond=None)[0]
        left = np.abs(height - given @ (slope, level))
        weight = np.sqrt(1 / np.maximum(1.0, left / (np.median(left) + 1e-9)))
    spread = np.sqrt((weight**2 * (row - np.average(row, weights=weight**2)) ** 2).sum()) + 1e-12
    unsure = np.sqrt((weight**2 * left**2).sum() / len(row)) / spread
    return float(slope), float(-level / slope) if slope else 0.0, float(unsure)
