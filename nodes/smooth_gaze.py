"""Smooth gaze points and in-frame probabilities over time, one filter per person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.fixation import Fixations, Pace, followed, on_maps, seen_anew
from nodes.ops.heatmap import cell_centres
from nodes.ops.two_states import Chain, bounded, updated
from nodes.types import GazeMaps, GazePoints, Tracks
from pipeline.frames import FrameBatch
from pipeline.namespaces import namespace, picked
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    hold_s: float = Field(default=0.2, gt=0, json_schema_extra=LIVE)
    """Seconds over which looks are averaged while a fixation lasts. Raise for steadier points, that settle later."""
    gate: float = Field(default=0.3, gt=0, le=1, json_schema_extra=LIVE)
    """How far a map must be from what is held, twice in a row, to be another fixation: 0 the same, 1 nothing in common.
    Raise when points jump while people keep looking at one thing; smaller shifts are then followed later."""
    follow_s: float = Field(default=0.018, gt=0, json_schema_extra=LIVE)
    """Seconds in which a shift of half the gate is followed. Raise for steadier points, that follow shifts later."""
    hill_floor: float = Field(default=0.17, ge=0, lt=1, json_schema_extra=LIVE)
    """With maps: height, as a share of the peak, above which the averaged map makes the point: cells weigh by what they
    rise above it. Raise to come closer to the peak, lower to average over more of the map."""
    inside_s: float = Field(default=0.5, gt=0, json_schema_extra=LIVE)
    """Mean time for which somebody looks at what is in the picture without a break. Raise for fewer flips to outside,
    and later ones."""
    outside_s: float = Field(default=0.33, gt=0, json_schema_extra=LIVE)
    """Mean time for which somebody looks elsewhere. Raise for fewer flips to inside, and later ones."""
    evidence_s: float = Field(default=0.1, gt=0, json_schema_extra=LIVE)
    """In-frame probabilities within this many seconds say the same again and count once. Raise for models whose errors
    last longer: fewer and later flips."""
    forget_s: float = Field(default=2.0, gt=0, json_schema_extra=LIVE)
    """Seconds without a new look after which a person's filter starts anew. Raise to bridge longer gaps."""


class SmoothGaze(Node[Config]):
    """Hold gaze points still while a fixation lasts and follow at once when the gaze moves on.

    With `gaze`, each person's maps are averaged while a fixation lasts, and the point is read off the average; without
    it, points are, believed as far as their spread allows. Two looks in a row that have too little in common with what
    is held are another fixation; a single one is not. Nothing is reported between two fixations for longer than that.
    The in-frame probability is that of a chain of two states. The spread becomes that of what is held.

    A look is what the gaze model was asked for: a point whose `asked_ns` is not newer than the last is an older map
    standing in; what is held is then reported as it is, whatever the head did. With `gaze`, a point without its map is
    no look either. With `tracks`, a track that takes from another one also takes its filter, if that saw more recently.

    Maps are averaged where they are, and points stay there until somebody asks for them. Who is looked at since when,
    and the chain, a few numbers a person, are on the host on purpose.

    State: filters per stream, a few floats and with `gaze` one map per person; a track's is dropped `forget_s` after
    its last look, all of them with the generation or the stream.
    Empty: no rows in, no rows out; filters are kept.
    Ref: gate and chain are ours, see `ops.fixation` and `ops.two_states`; what they do is in docs/smoothing.md.
    """

    reads_on_device = frozenset({"points", "gaze"})

    def open(self) -> None:
        self._streams: dict[str, tuple[int, _Filters]] = {}
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        self._pace = Pace(config.hold_s, config.gate, config.follow_s)
        self._chain = Chain(config.inside_s, config.outside_s, config.evidence_s)

    def process(
        self, frames: FrameBatch, points: GazePoints, gaze: GazeMaps | None = None, tracks: Tracks | None = None
    ) -> GazePoints:
        made = []
        repairs = None if tracks is None else tracks.take(tracks.taken_from > 0)
        rows = points.frame_row if repairs is None else np.concatenate([points.frame_row, repairs.frame_row])
        for row in np.unique(rows):
            generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
            held, filters = self._streams.get(stream_id, (generation, _Filters.none()))
            pts_ns = int(frames.pts_ns[row])
            recent = pts_ns - filters.asked_ns <= self.config.forget_s * 1e9
            filters = filters.take(recent & (held == generation))
            if repairs is not None:
                filters = filters.repaired(repairs.take(repairs.frame_row == row))
            seen = points.take(points.frame_row == row)
            maps = None if gaze is None else gaze.take(gaze.frame_row == row)
            filters = self._step(filters, seen, maps)
            self._streams[stream_id] = generation, filters
            made.append(filters.reported(seen))
        return concat(made) if made else GazePoints.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def _step(self, filters: _Filters, seen: GazePoints, maps: GazeMaps | None) -> _Filters:
        """Return the filters after the looks of one frame."""
        heatmap = None
        if maps is not None:
            rows = {track_id: row for row, track_id in enumerate(maps.track_id.tolist())}
            found = np.array([rows.get(track_id, -1) for track_id in seen.track_id.tolist()], np.int64)
            seen = seen.take(found >= 0)
            (heatmap,) = picked([maps.heatmap], found[found >= 0])
        known, place = filters.places(seen.track_id)
        new = ~known
        new[known] = seen.asked_ns[known] > filters.asked_ns[place[known]]
        if not new.any():
            return filters
        point, spread = seen.point, seen.spread
        if heatmap is not None:
            point, spread = (self.context.device.beside(one, heatmap) for one in (point, spread))
        looks = seen_anew(point, spread, heatmap)
        again, begun = new & known, new & ~known
        held = filters.take(place[again])
        dt_s = (seen.asked_ns[again] - held.asked_ns) / 1e9
        chance = updated(held.in_frame_prob, seen.in_frame_prob[again], dt_s, self._chain)
        there_s = namespace(looks.point).asarray(dt_s)
        fixation = self._read(followed(held.fixation, looks.take(again), there_s, self._pace))
        after = _Filters(held.track_id, seen.asked_ns[again], chance, fixation)
        first, chance = seen.take(begun), bounded(seen.in_frame_prob[begun])
        after = after.join(_Filters(first.track_id, first.asked_ns, chance, self._read(looks.take(begun))))
        return filters.take(~np.isin(filters.track_id, after.track_id)).join(after)

    def _read(self, held: Fixations) -> Fixations:
        """Return what is held with the points of its maps, where it has maps."""
        if not held.map.size:
            return held
        xp, (high, wide) = namespace(held.map), held.map.shape[1:]
        return on_maps(held, cell_centres(wide, xp), cell_centres(high, xp), self.config.hill_floor)


@dataclass(frozen=True)
class _Filters:
    """The filters of one stream: N tracks."""

    track_id: Array
    """(N,) int64."""
    asked_ns: Array
    """(N,) int64: pts of the last look."""
    in_frame_prob: Array
    """(N,) float64."""
    fixation: Fixations

    @classmethod
    def none(cls) -> _Filters:
        """Return the filters of a stream that begins."""
        no_ints, no_points = np.empty(0, np.int64), np.empty((0, 2))
        return cls(no_ints, no_ints, np.empty(0), seen_anew(no_points, no_points, None))

    def take(self, rows: Array) -> _Filters:
        """Return the filters picked by an index array or a mask."""
        return _Filters(self.track_id[rows], self.asked_ns[rows], self.in_frame_prob[rows], self.fixation.take(rows))

    def join(self, more: _Filters) -> _Filters:
        """Return these filters and more."""
        return _Filters(
            np.concatenate([self.track_id, more.track_id]),
            np.concatenate([self.asked_ns, more.asked_ns]),
            np.concatenate([self.in_frame_prob, more.in_frame_prob]),
            self.fixation.join(more.fixation),
        )

    def reported(self, seen: GazePoints) -> GazePoints:
        """Return points of one frame as what is held of their tracks; of tracks without a filter as they are."""
        known, place = self.places(seen.track_id)
        if not known.any():
            return seen
        held, in_frame_prob = self.take(place[known]), seen.in_frame_prob.copy()
        in_frame_prob[known] = held.in_frame_prob
        fixation, xp = held.fixation, namespace(held.fixation.point)
        told = [xp.astype(one, xp.float32) for one in (fixation.point, fixation.spread)]
        if not known.all():
            # Rows of those that are held, behind all that were seen.
            rows = np.where(known, len(seen) + np.cumsum(known) - 1, np.arange(len(seen)))
            pairs = zip((seen.point, seen.spread), told, strict=True)
            told = picked([xp.concat([xp.asarray(one), own]) for one, own in pairs], rows)
        point, spread = told
        return replace(seen, point=point, spread=spread, in_frame_prob=in_frame_prob)

    def places(self, track_id: Array) -> tuple[Array, Array]:
        """Return which (M,) of M tracks have a filter, and the place (M,) of each; -1 without one."""
        rows = {own: row for row, own in enumerate(self.track_id.tolist())}
        place = np.array([rows.get(one, -1) for one in track_id.tolist()], np.int64)
        return place >= 0, place

    def repaired(self, repairs: Tracks) -> _Filters:
        """Return the filters after tracks took over those of others, where these saw something more recently."""
        filters = self
        for track_id, other in zip(repairs.track_id.tolist(), repairs.taken_from.tolist(), strict=True):
            taken = filters.take(filters.track_id == other)
            own = filters.track_id == track_id
            if len(taken.track_id) and (taken.asked_ns[0] > filters.asked_ns[own]).all():
                filters = filters.take(~own).join(replace(taken, track_id=np.array([track_id])))
        return filters
