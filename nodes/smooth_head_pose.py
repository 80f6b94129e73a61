"""Smooth where heads point over time, one filter per person: the rotation, not its angles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.rotation_filter import Held, Tuning, filtered
from nodes.types import HeadPoses
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

SHORTEST_S = 1e-6
"""Least time between two poses of a person, so that speeds are finite."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_cutoff_hz: float = Field(default=0.5, gt=0, json_schema_extra=LIVE)
    """Cut-off for a head at rest. Lower: steadier and later. Tune first, with beta = 0."""
    beta: float = Field(default=0.04, ge=0, json_schema_extra=LIVE)
    """How fast the cut-off rises with speed: Hz per degree and second. Raise to cut lag when a head turns."""
    speed_cutoff_hz: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Cut-off of the speed itself. Raise to react to shorter turns, at the price of more jitter."""
    usual_error_deg: float = Field(default=60.0, gt=0, json_schema_extra=LIVE)
    """A pose this far off from what is held weighs half, farther ones less. Lower where heads are often taken for their
    backs for a frame, raise where heads turn faster than frames come."""
    min_weight: float = Field(default=0.05, gt=0, le=1, json_schema_extra=LIVE)
    """Weight of a pose of score 0; full scores weigh 1. Raise to follow doubtful poses more."""
    forget_s: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Seconds without a pose after which a person's filter starts anew. Raise to bridge longer gaps."""


class SmoothHeadPose(Node[Config]):
    """Smooth head poses, one filter per (stream, generation, track).

    Each pose turns what is held by a share of the one turn that leads to it, the shortest way. Where only the yaw is
    known, it turns about the vertical, and pitch and roll stay NaN; they are taken up again with the next whole pose.

    State: filters per stream, on the host, a few floats per person; a track's is dropped `forget_s` after its last
    pose, all of them with the generation or the stream.
    Empty: no rows in, no rows out; filters are kept.
    Ref: see `ops.rotation_filter`.
    """

    def open(self) -> None:
        self._streams: dict[str, tuple[int, _Filters]] = {}
        self.reconfigured()

    def reconfigured(self) -> None:
        c = self.config
        self._tuning = Tuning(c.min_cutoff_hz, c.beta, c.speed_cutoff_hz, c.usual_error_deg)

    def process(self, frames: FrameBatch, poses: HeadPoses) -> HeadPoses:
        smoothed = []
        for row in np.unique(poses.frame_row):
            generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
            held, filters = self._streams.get(stream_id, (generation, _Filters.none()))
            if held != generation:
                filters = _Filters.none()
            filters, made = self._step(filters, poses.take(poses.frame_row == row), int(frames.pts_ns[row]))
            self._streams[stream_id] = generation, filters
            smoothed.append(made)
        return concat(smoothed) if smoothed else HeadPoses.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def _step(self, filters: _Filters, seen: HeadPoses, pts_ns: int) -> tuple[_Filters, HeadPoses]:
        """Filter the poses of one frame; return the filters after it and the smoothed poses."""
        filters = filters.take(pts_ns - filters.seen_ns <= self.config.forget_s * 1e9)
        held, dt_s = filters.of(seen.track_id, pts_ns)
        sample = seen.yaw_pitch_roll_deg.astype(np.float64)
        weight = np.maximum(seen.score.astype(np.float64), self.config.min_weight)
        after = filtered(held, sample, weight, dt_s, self._tuning)
        angles = after.yaw_pitch_roll_deg
        angles[np.isnan(sample)] = np.nan
        made = replace(seen, yaw_pitch_roll_deg=angles.astype(np.float32))
        others = filters.take(~np.isin(filters.track_id, seen.track_id))
        now = np.full(len(seen), pts_ns, np.int64)
        return others.join(_Filters(seen.track_id, now, after)), made


@dataclass(frozen=True)
class _Filters:
    """The filters of one stream: N tracks."""

    track_id: Array
    """(N,) int64."""
    seen_ns: Array
    """(N,) int64: pts of the last pose."""
    held: Held

    @classmethod
    def none(cls) -> _Filters:
        """Return the filters of a stream that begins."""
        no_ints = np.empty(0, np.int64)
        return cls(no_ints, no_ints, Held.nothing(0))

    def take(self, rows: Array) -> _Filters:
        """Return the filters picked by an index array or a mask."""
        return _Filters(self.track_id[rows], self.seen_ns[rows], self.held.take(rows))

    def join(self, more: _Filters) -> _Filters:
        """Return these filters and more."""
        track_id = np.concatenate([self.track_id, more.track_id])
        return _Filters(track_id, np.concatenate([self.seen_ns, more.seen_ns]), self.held.join(more.held))

    def of(self, track_id: Array, pts_ns: int) -> tuple[Held, Array]:
        """Return the filters of M tracks, empty ones for new tracks, and the seconds (M,) since their last poses."""
        count = len(track_id)
        every = self.join(_Filters(track_id, np.full(count, pts_ns, np.int64), Held.nothing(count)))
        # The first place of a track is its own filter where it has one, else its fresh one.
        found = every.take((every.track_id == track_id[:, None]).argmax(axis=1))
        # A tick that failed further down is run again: the same pts comes twice, and no time has passed.
        return found.held, np.maximum((pts_ns - found.seen_ns) / 1e9, SHORTEST_S)
