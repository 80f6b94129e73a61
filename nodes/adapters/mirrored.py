"""Show a detector every other frame in the mirror, so that errors which lean to one side lean to both in turn.

A network reads a mirrored picture with errors of its own. Averaging both readings of one picture is usual (test-time
augmentation) and costs as much again; taking them in turn costs next to nothing, and what follows a stream through
time, tracks and smoothed directions, does the averaging.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from nodes.ops.detected import Rows
from nodes.ops.wholebody import NAMES
from pipeline.frames import FrameBatch
from pipeline.namespaces import namespace

Array = np.ndarray[Any, np.dtype[Any]]

_SIDES = {"left": "right", "right": "left"}
_MIRRORED = np.array([NAMES.index(re.sub("left|right", lambda side: _SIDES[side[0]], name)) for name in NAMES])
"""What a class is seen as in the mirror: (34,) int64. Of what has sides, directions of heads and hands, the other."""


def mirrored_pictures(images: Any, mirrored: Array, layout: Literal["nchw", "nhwc"]) -> Any:
    """Return a model input with some of its B pictures in the mirror.

    Args:
        images: (B, C, H, W) or (B, H, W, C) on any device.
        mirrored: (B,) bool, which of them.
        layout: which of both.
    """
    if not mirrored.any():
        return images
    flipped = images[..., ::-1] if layout == "nchw" else images[:, :, ::-1]
    rows = [(flipped if turned else images)[row, ...] for row, turned in enumerate(mirrored)]
    return namespace(images).stack(rows)


def mirrored_rows(rows: Rows) -> Rows:
    """Return what was seen in a mirrored picture, boxes in fractions of it, as it is in the picture itself."""
    x1, y1, x2, y2 = rows.box.T
    return rows._replace(label=_MIRRORED[rows.label], box=np.stack([1 - x2, y1, 1 - x1, y2], axis=1))


class Turns:
    """Tells which frames of a stream are shown in the mirror: the second one, the fourth, and so on, or none."""

    def __init__(self, *, every_other: bool) -> None:
        self._every_other = every_other
        self._last: dict[str, tuple[tuple[int, int] | None, bool]] = {}
        """By stream, generation and pts of its last frame, and whether that was mirrored."""

    def take(self, frames: FrameBatch) -> Array:
        """Return which of the frames of a tick to mirror: (B,) bool."""
        mirrored = np.zeros(len(frames), np.bool_)
        if not self._every_other:
            return mirrored
        for row, stream_id in enumerate(frames.stream_id):
            frame = int(frames.generation[row]), int(frames.pts_ns[row])
            last, before = self._last.get(stream_id, (None, True))
            # A tick that failed further down is run again: the same frame comes twice, and is shown the same way.
            mirrored[row] = before if frame == last else not before
            self._last[stream_id] = frame, bool(mirrored[row])
        return mirrored

    def forget(self, stream_id: str) -> None:
        """Forget a stream that ended."""
        self._last.pop(stream_id, None)
