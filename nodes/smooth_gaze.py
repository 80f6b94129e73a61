"""Smooth gaze points and in-frame probabilities over time, one filter per person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.one_euro import Held, Tuning, filtered
from nodes.types import GazePoints
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

_MAX_LOGIT = 6.0
"""Probabilities nearer to 0 or 1 than this (0.25 %) count as that, so that one sure frame does not outvote many."""

SHORTEST_S = 1e-6
"""Least time between two points of a person, so that speeds are finite."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_cutoff_hz: float = Field(default=0.5, gt=0, json_schema_extra=LIVE)
    """Cut-off for a point at rest. Lower: steadier and later. Tune first, with beta = 0."""
    beta: float = Field(default=0.5, ge=0, json_schema_extra=LIVE)
    """How fast the cut-off rises with speed: Hz per frame height and second. Raise to cut lag when a gaze moves on."""
    speed_cutoff_hz: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Cut-off of the speed itself. Raise to react to shorter movements, at the price of more jitter."""
    in_frame_cutoff_hz: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Cut-off of the in-frame probability. Lower for fewer flips between inside and outside, and later ones."""
    full_peak: float = Field(default=0.15, gt=0, le=1, json_schema_extra=LIVE)
    """Peak of the map from which a point weighs fully; lower ones weigh in proportion. Raise to rely on clear maps."""
    min_weight: float = Field(default=0.05, gt=0, le=1, json_schema_extra=LIVE)
    """Weight of the most doubtful point. Raise to follow doubtful points more."""
    forget_s: float = Field(default=2.0, gt=0, json_schema_extra=LIVE)
    """Seconds without a point after which a person's filter starts anew. Raise to bridge longer gaps."""


class SmoothGaze(Node[Config]):
    """Smooth gaze points, one filter per (stream, generation, track).

    The point is filtered in fractions of the frame's height, so that both axes are smoothed alike; the in-frame
    probability as its logit. A point weighs as much as it is believed: by its in-frame probability and its peak.

    State: filters per stream, on the host, a few floats per person; a track's is dropped `forget_s` after its last
    point, all of them with the generation or the stream.
    Empty: no rows in, no rows out; filters are kept.
    Ref: One-Euro filter, Casiez et al., CHI 2012; weights are ours, see `ops.one_euro`.
    """

    def open(self) -> None:
        self._streams: dict[str, tuple[int, _Filters]] = {}
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        self._of_point = Tuning(config.min_cutoff_hz, config.beta, config.speed_cutoff_hz)
        self._of_logit = Tuning(config.in_frame_cutoff_hz, 0.0, config.speed_cutoff_hz)

    def process(self, frames: FrameBatch, points: GazePoints) -> GazePoints:
        smoothed = []
        for row in np.unique(points.frame_row):
            generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
            held, filters = self._streams.get(stream_id, (generation, _Filters.none()))
            if held != generation:
                filters = _Filters.none()
            width, height = frames.size_wh[row]
            seen = points.take(points.frame_row == row)
            filters, made = self._step(filters, seen, int(frames.pts_ns[row]), float(width / height))
            self._streams[stream_id] = generation, filters
            smoothed.append(made)
        return concat(smoothed) if smoothed else GazePoints.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def _step(self, filters: _Filters, seen: GazePoints, pts_ns: int, aspect: float) -> tuple[_Filters, GazePoints]:
        """Filter the points of one frame; return the filters after it and the smoothed points."""
        config = self.config
        filters = filters.take(pts_ns - filters.seen_ns <= config.forget_s * 1e9)
        wide = np.array([aspect, 1.0])
        point = seen.point * wide
        chance = seen.in_frame_prob.astype(np.float64)
        logit = np.clip(_logit(chance), -_MAX_LOGIT, _MAX_LOGIT)[:, None]
        believed = np.clip(chance, 0, 1) * np.clip(seen.peak / config.full_peak, 0, 1)
        held, dt_s = filters.of(seen.track_id, point, logit, pts_ns)
        after = _Filters(
            seen.track_id,
            np.full(len(seen), pts_ns, np.int64),
            filtered(held.point, point, np.maximum(believed, config.min_weight), dt_s, self._of_point),
            filtered(held.logit, logit, np.ones(len(seen)), dt_s, self._of_logit),
        )
        made = replace(
            seen,
            point=(after.point.value / wide).astype(np.float32),
            in_frame_prob=(1 / (1 + np.exp(-after.logit.value[:, 0]))).astype(np.float32),
        )
        return filters.take(~np.isin(filters.track_id, seen.track_id)).join(after), made


@dataclass(frozen=True)
class _Filters:
    """The filters of one stream: N tracks."""

    track_id: Array
    """(N,) int64."""
    seen_ns: Array
    """(N,) int64: pts of the last point."""
    point: Held
    """x, y in fractions of the frame's height."""
    logit: Held
    """Logit of the in-frame probability."""

    @classmethod
    def none(cls) -> _Filters:
        """Return the filters of a stream that begins."""
        no_ints = np.empty(0, np.int64)
        return cls(no_ints, no_ints, Held.nothing(np.empty((0, 2))), Held.nothing(np.empty((0, 1))))

    def take(self, rows: Array) -> _Filters:
        """Return the filters picked by an index array or a mask."""
        return _Filters(self.track_id[rows], self.seen_ns[rows], self.point.take(rows), self.logit.take(rows))

    def join(self, more: _Filters) -> _Filters:
        """Return these filters and more."""
        track_id = np.concatenate([self.track_id, more.track_id])
        seen_ns = np.concatenate([self.seen_ns, more.seen_ns])
        return _Filters(track_id, seen_ns, self.point.join(more.point), self.logit.join(more.logit))

    def of(self, track_id: Array, point: Array, logit: Array, pts_ns: int) -> tuple[_Filters, Array]:
        """Return the filters of M tracks, empty ones for new tracks, and the seconds (M,) since their last points."""
        count = len(track_id)
        fresh = _Filters(track_id, np.zeros(count, np.int64), Held.nothing(point), Held.nothing(logit))
        every = self.join(fresh)
        # The first place of a track is its own filter where it has one, else its fresh one.
        place = (every.track_id == track_id[:, None]).argmax(axis=1)
        found = every.take(place)
        # A tick that failed further down is run again: the same pts comes twice, and no time has passed.
        since_s = np.maximum((pts_ns - found.seen_ns) / 1e9, SHORTEST_S)
        return found, np.where(place < len(self.track_id), since_s, 1.0)


def _logit(chance: Array) -> Array:
    """Return log(p / (1 - p)), of 0 and 1 something very low and very high."""
    tiny = np.finfo(np.float64).tiny
    return np.asarray(np.log(np.maximum(chance, tiny)) - np.log(np.maximum(1 - chance, tiny)))
