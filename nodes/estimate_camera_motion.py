"""Estimate how the camera moved: shift, zoom and turn of the picture from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.picture_motion import common_motion, corners, followed, in_fractions
from nodes.types import CameraMotion, Detections
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

Array = np.ndarray[Any, np.dtype[Any]]

CELLS_ACROSS = 16
"""Cells of which each gives one point to follow, over the width of the picture."""
REFERENCE_NS = 1_000_000_000
"""Time after which frames are held against a new one even though nothing moved: people and light will have changed."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    width_px: int = Field(default=320, ge=160, le=1280)
    """Width of the grey picture that is looked at. Raise for cameras that move by less than a thousandth of the width;
    costs time with its square."""
    still: float = Field(default=0.001, gt=0, le=0.05, json_schema_extra=LIVE)
    """Fraction of the frame's width. Smaller motions add up unreported until they reach it. Raise where a fixed camera
    in the wind is taken for a moving one, lower to follow slow ones more evenly."""
    min_share: float = Field(default=0.5, gt=0, le=1, json_schema_extra=LIVE)
    """Share of the followed points that must agree on a motion; below it the camera is said to stand still. Raise when
    crowds are taken for a moving camera, lower when motion is lost because much of the picture moves by itself."""


@dataclass(frozen=True)
class _Reference:
    """The frame that later ones are held against."""

    generation: int
    pts_ns: int
    grey: Array
    """(h, w) u8."""
    points: Array
    """(K, 2) float32 corners in it."""


class EstimateCameraMotion(Node[Config]):
    """Follow corners spread evenly over a small grey picture, and take the shift, zoom and turn most of them agree on.

    A frame is held against the last one at which the camera is known to have moved, so that a camera that stands still
    gives exactly the identity, and one that creeps is reported as soon as the sum counts. Fewer than 8 points, or fewer
    than `min_share` of them that agree, say nothing: the identity, and the next frame is held against this one. Where
    `people` is connected, what is in their boxes is not followed: people who fill the picture do not pull it along.

    State: per stream, one small grey picture and its corners, on the host; anew with each generation, when the size of
    the picture changes, and dropped when the stream ends.
    Empty: no frames in, no rows out; a frame without people is an ordinary one.
    Ref: Lucas and Kanade 1981; RANSAC, Fischler and Bolles 1981; see `ops.picture_motion`.
    """

    reads_pictures = True

    def open(self) -> None:
        self._references: dict[str, _Reference] = {}

    def process(self, frames: FrameBatch, people: Detections | None = None) -> CameraMotion:
        references = dict(self._references)
        motions = [self._step(references, frames, row, people) for row in range(len(frames))]
        self._references = references  # not before: a tick on which something fails is run again
        return CameraMotion(np.arange(len(frames)), np.stack(motions) if motions else np.zeros((0, 2, 3)))

    def stream_ended(self, stream_id: str) -> None:
        self._references.pop(stream_id, None)

    def _step(
        self, references: dict[str, _Reference], frames: FrameBatch, row: int, people: Detections | None
    ) -> Array:
        """Return the motion (2, 3) since the frame before of the same stream, in fractions."""
        stream_id, generation, pts_ns = frames.stream_id[row], int(frames.generation[row]), int(frames.pts_ns[row])
        width, height = (int(side) for side in frames.size_wh[row])
        size_wh = (self.config.width_px, max(1, round(self.config.width_px * height / width)))
        device = self.context.device
        grey = device.to_host(device.model_input(frames.take([row]), size_wh, colour="grey", dtype="uint8"))[0, 0]
        held = references.get(stream_id)
        motion = None
        if held is not None and (held.generation, held.grey.shape) == (generation, grey.shape):
            points, there = followed(held.grey, grey, held.points)
            motion = common_motion(points, there, self.config.still * size_wh[0], self.config.min_share)
            if motion is not None and np.array_equal(motion, np.eye(2, 3)) and pts_ns - held.pts_ns < REFERENCE_NS:
                return motion
        points = corners(grey, _boxes_px(people, row, size_wh), size_wh[0] // CELLS_ACROSS)
        references[stream_id] = _Reference(generation, pts_ns, grey, points)
        return np.eye(2, 3) if motion is None else in_fractions(motion, size_wh)


def _boxes_px(people: Detections | None, row: int, size_wh: tuple[int, int]) -> Array:
    """Return the boxes (N, 4) of heads and bodies of a frame, in pixels of a picture of that size."""
    if people is None:
        return np.zeros((0, 4))
    found = people.take(people.frame_row == row)
    return np.concatenate([found.head_box, found.body_box]) * np.array(size_wh * 2, np.float64)
