"""Tell how far heads are from the camera, in metres."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from pydantic import Field

from nodes.adapters.lenses import lens_of_stream
from nodes.ops.distance import head_distance_m, seen_width_m, sights
from nodes.ops.medians import Samples
from nodes.types import Distances, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

logger = logging.getLogger(__name__)

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    head_width_m: float = Field(default=0.17, gt=0, json_schema_extra=LIVE)
    """Head from ear to ear as its box holds it: with hair, metres. A larger one makes everybody farther away. That of
    adults is 0.15 without hair."""
    head_depth_m: float = Field(default=0.21, gt=0, json_schema_extra=LIVE)
    """Head from nose to nape, with hair, metres. That of adults is 0.19 from brow to nape without hair."""
    head_height_m: float = Field(default=0.24, gt=0, json_schema_extra=LIVE)
    """Head from chin to crown, with hair, metres. That of adults is 0.22 without hair."""
    median_s: float = Field(default=0.5, ge=0, json_schema_extra=LIVE)
    """Seconds of which the median is told, per person. Raise for steadier figures, lower for less lag; 0 tells what
    each frame says."""


class EstimateDistance(Node[Config]):
    """Tell how far each head is by how large it is seen, with one pinhole camera for all fields of view.

    The camera of a stream is its `camera_matrix`, else its `hfov_deg`; streams without either have no rows, which is
    said once. Width and height of the head box are turned into angles, each angle into a distance along the line of
    sight (`ops.distance`), and the geometric mean of both is told; `point_m` is where that is. How
    wide a head looks depends on its turn, which the head directions tell. A side that the edge of the frame cuts off
    says nothing. Over time the median per track is told.

    Sizes are those of adults, men and women alike, with 1 cm of hair on each side. Heads of adults differ by some 6 %
    (standard deviation), and so do distances; children, with smaller heads, seem farther away, hats and big hair
    nearer. What matters most is that boxes hold heads as these sizes do.

    State: distances of `median_s` per stream, dropped with the generation and the stream.
    Empty: no heads, no rows; samples are kept.
    Ref: breadth and length of heads after Pheasant, "Bodyspace", 2nd ed. 1996 (means of British adults: 0.155 and 0.195
    m of men, 0.145 and 0.18 m of women); height 0.13 of the stature, Drillis & Contini 1966. Upstream takes 0.26 m for
    the width, which tells half as much again in front, and a focal length that jumps at 90°.
    """

    def open(self) -> None:
        self._held: dict[str, tuple[int, Samples]] = {}
        self._unknown: set[str] = set()

    def process(self, frames: FrameBatch, tracks: Tracks) -> Distances:
        heads = tracks.take(~np.isnan(tracks.head_box).any(axis=1))
        told = []
        for row in np.unique(heads.frame_row).tolist():
            lens = self._lens(frames, row)
            if lens is not None:
                told.append(self._step(frames, row, heads.take(heads.frame_row == row), lens))
        return concat(told) if told else Distances.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._held.pop(stream_id, None)
        self._unknown.discard(stream_id)

    def _step(self, frames: FrameBatch, row: int, heads: Tracks, lens: Array) -> Distances:
        """Return the distances of the heads of one frame."""
        config, box = self.config, heads.head_box.astype(np.float64)
        inverse = np.broadcast_to(np.linalg.inv(lens), (len(box), 3, 3))
        edge = 1 / frames.size_wh[row]  # a pixel
        cut = (box[:, :2] < edge) | (box[:, 2:] > 1 - edge)
        width_m = seen_width_m(heads.direction_scores, config.head_width_m, config.head_depth_m)
        angles, along = sights(box, inverse)
        found_m = head_distance_m(angles, along, width_m, config.head_height_m, cut)
        known = np.flatnonzero(np.isfinite(found_m))
        track_id = heads.track_id[known]
        generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
        held, samples = self._held.get(stream_id, (generation, Samples.none()))
        if held != generation:
            samples = Samples.none()
        samples = samples.after(int(frames.pts_ns[row]), track_id, found_m[known], config.median_s)
        self._held[stream_id] = generation, samples
        distance_m = samples.medians(track_id)
        point_m = along[known] * distance_m[:, None]
        return Distances(
            np.full(len(known), row, np.int64), track_id, distance_m.astype(np.float32), point_m.astype(np.float32)
        )

    def _lens(self, frames: FrameBatch, row: int) -> Array | None:
        """Return the lens (3, 3) of the camera of a frame, to fractions of the frame; None where it is unknown."""
        stream = frames.stream(row)
        lens = lens_of_stream(stream.config, frames.size_wh[row])
        if lens is not None:
            return lens
        if stream.id not in self._unknown:
            self._unknown.add(stream.id)
            logger.warning("stream=%s has neither hfov_deg nor camera_matrix: no distances are told", stream.id)
        return None
