"""Show a detector every other frame in the mirror, so that errors which lean to one side lean to both in turn.

A network reads a mirrored picture with errors of its own. Averaging both readings of one picture is usual (test-time
augmentation) and costs as much again; taking them in turn is free, and what follows a stream through time, tracks and
smoothed directions, does the averaging.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from nodes.ops.detected import Rows
from nodes.ops.wholebody import NAMES
from pipeline.frames import FrameBatch

Array = np.ndarray[Any, np.dtype[Any]]


_SIDES = {"left": "right", "right": "left"}
_MIRRORED = np.array([NAMES.index(re.sub("left|right", lambda side: _SIDES[side[0]], name)) for name in NAMES])
"""What a class is seen as in the mirror: (34,) int64. Of what has sides, directions of heads and hands, the other."""


def mirror_picture(image: Any, layout: Literal["nchw", "nhwc"]) -> None:
    """Mirror one picture of a model input in place, on any device: (C, H, W) or (H, W, C)."""
    image[:] = (image[:, :, ::-1] if layout == "nchw" else image[:, ::-1]).copy()


def mirrored_rows(rows: Rows) -> Rows:
    """Return what was seen in a mirrored picture, boxes in fractions of it, as it is in the picture itself."""
    x1, y1, x2, y2 = rows.box.T
    return rows._replace(label=_MIRRORED[rows.label], box=np.stack([1 - x2, y1, 1 - x1, y2], axis=1))


class Turns:
    """Tells which frames of a stream are shown in the mirror: the second one, the fourth, and so on, or none."""

    def __init__(self, *, every_other: bool) -> None:
        self._every_other = every_other
        self._next: dict[str, bool] = {}

    def take(self, frames: FrameBatch) -> Array:
        """Return which of the frames of a tick to mirror: (B,) bool."""
        mirrored = np.zeros(len(frames), np.bool_)
        for row, stream_id in enumerate(frames.stream_id):
            mirrored[row] = self._every_other and self._next.get(stream_id, False)
            self._next[stream_id] = not mirrored[row]
        return mirrored

    def forget(self, stream_id: str) -> None:
        """Forget a stream that ended."""
        self._next.pop(stream_id, None)
