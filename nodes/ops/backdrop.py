"""By how much pixels differ from frame to frame where nothing happens: noise of the camera, and of compression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.patches import change

Array = np.ndarray[Any, np.dtype[Any]]

ACROSS, DOWN = 6, 4
SIDE_SHARE = 0.06
"""Side of a place in heights of the frame: that of a head, more or less."""
LEARN_NS = 20_000_000_000


@dataclass(frozen=True)
class Backdrop:
    """Places spread over the picture of one stream, whatever is there: people in some of them do not count."""

    mean: Array
    """(ACROSS * DOWN, side, side) float32: how they look on average."""
    begun_ns: int
    looked_ns: int
    noise: float
    """By how much the middle one of them differs from its mean in the frame looked at last, grey levels."""

    def looked_at(self, patch: Array, pts_ns: int) -> Backdrop:
        """Return it after another look."""
        levels, _ = change(patch, self.mean)
        known_ns = min(pts_ns - self.begun_ns, LEARN_NS)
        part = np.float32((pts_ns - self.looked_ns) / known_ns if known_ns else 0)
        mean = self.mean + min(part, np.float32(1)) * (patch - self.mean)
        return Backdrop(mean, self.begun_ns, pts_ns, float(np.median(levels)))


def places(aspect: float) -> Array:
    """Return the places (ACROSS * DOWN, 4) in fractions of a frame, `aspect` times as wide as it is high."""
    side = np.array([SIDE_SHARE / aspect, SIDE_SHARE])
    x, y = ((np.arange(count) + 0.5) / count for count in (ACROSS, DOWN))
    middle = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.concatenate([middle - side / 2, middle + side / 2], axis=1)
