"""Decide what each head looks at: how probably at which area, person, thing or grid cell."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.areas import Areas, grid_areas, named_areas
from nodes.ops.belief import Heads, Targets, evidence, probabilities
from nodes.ops.boxes import centres
from nodes.ops.coverage import box_shares
from nodes.ops.mass import cell_shares_of_maps, in_areas, in_boxes
from nodes.types import AoiHits, GazeMaps, GazePoints, HeadPoses, Objects, Tracks
from pipeline.frames import FrameBatch, Stream
from pipeline.namespaces import namespace
from pipeline.node import Node, NodeConfig

logger = logging.getLogger(__name__)

LIVE: dict[str, Any] = {"live": True}
Array = np.ndarray[Any, np.dtype[Any]]


class Config(NodeConfig):
    min_score: float = Field(default=0.05, ge=0, le=1, json_schema_extra=LIVE)
    """Targets with a lower probability are not told. Keep it below `keep_score` of the node that measures looks."""
    rival_share: float = Field(default=0.7, ge=0, le=1, json_schema_extra=LIVE)
    """Nor are targets with less than this share of the probability of the likeliest. Raise towards 1 to hear of one
    target a head only, lower to hear of doubtful ones beside it."""
    people: bool = Field(default=True, json_schema_extra=LIVE)
    """Look at people, too, as `person:<track_id>`."""
    head_scale: float = Field(default=1.3, ge=1, json_schema_extra=LIVE)
    """A person is looked at within the head box enlarged by this factor. Raise when small heads are missed."""
    grid_rows: int = Field(default=3, ge=0, le=99, json_schema_extra=LIVE)
    """Rows of the grid of a stream that names no areas; 0 for no grid."""
    grid_columns: int = Field(default=3, ge=1, le=99, json_schema_extra=LIVE)
    """Columns of that grid."""
    area_bias: float = Field(default=-1.38, json_schema_extra=LIVE)
    """Log-odds of an area or thing that nothing else speaks for. This and the weights below were fitted by `python -m
    training.hits` to the models that ship; fit them again for other models."""
    person_bias: float = Field(default=-2.12, json_schema_extra=LIVE)
    """Log-odds of a person that nothing else speaks for."""
    mass_weight: float = Field(default=1.12, json_schema_extra=LIVE)
    """Weight of the share of the gaze map that lies in the target (its logarithm)."""
    size_weight: float = Field(default=-0.54, json_schema_extra=LIVE)
    """Weight of the target's size (the logarithm of its share of the frame)."""
    in_frame_weight: float = Field(default=0.28, json_schema_extra=LIVE)
    """Weight of the in-frame probability (its log-odds)."""
    aside_weight: float = Field(default=0.61, json_schema_extra=LIVE)
    """Weight of the head being turned to the side of the target."""
    facing_weight: float = Field(default=-0.91, json_schema_extra=LIVE)
    """Weight of the head facing the camera."""
    facing_person_weight: float = Field(default=1.27, json_schema_extra=LIVE)
    """Further weight of the head facing the camera, for people as targets."""


class HitAoi(Node[Config]):
    """Give each target the probability that each head looks at it, and tell those that are worth it.

    Targets of a head are the areas of its stream (`streams.<id>.aois`; holes are cut out, the highest level wins, heads
    hide what is behind them), the heads of the other people of the frame, and things where `objects` brings them. What
    counts is the share of the gaze map inside each, weighed with its size, the in-frame probability and where the head
    points (`nodes.ops.belief`). A stream without areas has a grid in their place: the probability of a cell is its
    share of the map, if the gaze is in the frame and not at a person.

    Shares are summed up where the maps are; of those of a tick on a device one copy comes back.

    State: the shares of map cells in each stream's areas, as long as these do not change; the streams for which the
    lack of areas was logged. Empty: no rows in, no rows out.
    """

    reads_on_device = frozenset({"gaze", "points"})

    def open(self) -> None:
        self._areas: dict[str, tuple[Any, Areas]] = {}
        self._told: set[str] = set()
        self.reconfigured()

    def reconfigured(self) -> None:
        c = self.config
        weights = (c.area_bias, c.person_bias, c.mass_weight, c.size_weight, c.in_frame_weight)
        self._weights = np.array([*weights, c.aside_weight, c.facing_weight, c.facing_person_weight])
        self._areas.clear()  # the grid may be another

    def process(
        self,
        frames: FrameBatch,
        gaze: GazeMaps,
        points: GazePoints,
        tracks: Tracks,
        poses: HeadPoses | None = None,
        objects: Objects | None = None,
    ) -> AoiHits:
        self._tell_unnamed(frames)
        rows: list[tuple[int, int, str, float]] = []
        looked = np.unique(gaze.frame_row).tolist()
        for row, weighed in zip(looked, self.weigh(frames, looked, gaze, points, tracks, poses, objects), strict=True):
            told = self._worth_telling(weighed.track_id, *self._chances(weighed))
            rows += [(row, track_id, target, score) for track_id, target, score in told]
        return AoiHits(
            frame_row=np.array([row for row, _, _, _ in rows], np.int64),
            track_id=np.array([track_id for _, track_id, _, _ in rows], np.int64),
            target=tuple(target for _, _, target, _ in rows),
            score=np.array([score for _, _, _, score in rows], np.float32),
        )

    def weigh(
        self,
        frames: FrameBatch,
        rows: Sequence[int],
        gaze: GazeMaps,
        points: GazePoints,
        tracks: Tracks,
        poses: HeadPoses | None,
        objects: Objects | None,
    ) -> list[Weighed]:
        """Return what speaks for each target of each head, for each of some frames, by their rows."""
        seen = []
        for row in rows:
            maps = _of(gaze, row)
            areas = self._areas_of(frames.stream(row), maps.heatmap)
            seen.append(_Seen(row, maps, areas, self._boxed(_of(tracks, row), _of(objects, row))))
        masses = self.context.device.all_to_host(*(mass for one in seen for mass in one.masses()))
        pairs = zip(seen, masses[::2], masses[1::2], strict=True)
        return [self._weighed(frames, one, areas, boxes, points, poses) for one, areas, boxes in pairs]

    def _weighed(
        self,
        frames: FrameBatch,
        seen: _Seen,
        in_areas: Array,
        in_boxes: Array,
        points: GazePoints,
        poses: HeadPoses | None,
    ) -> Weighed:
        """Return the same of one frame, by the shares of its N maps in the areas (N, A) and in the boxes (N, M)."""
        row, maps, areas, boxed = seen.row, seen.maps, seen.areas, seen.boxed
        rows, columns = box_shares(boxed.box, maps.heatmap.shape[1:])
        named = 0 if areas.grid else len(areas.names)
        targets = Targets(
            np.concatenate([areas.centre[:named], centres(boxed.box)]),
            np.concatenate([areas.size[:named], rows.mean(axis=1) * columns.mean(axis=1)]),
            np.concatenate([np.zeros(named, np.bool_), boxed.is_person]),
        )
        rivalry = np.ones((len(targets.size), len(targets.size)))
        rivalry[:named, :named] -= areas.shared[:named, :named]
        own = np.zeros((len(maps), len(targets.size)), np.bool_)
        own[:, named:] = maps.track_id[:, None] == boxed.track_id
        heads = _heads(maps, points, _of(poses, row))
        width, height = frames.size_wh[row].tolist()
        mass = np.concatenate([in_areas[:, :named], in_boxes], axis=1)
        return Weighed(
            track_id=maps.track_id,
            names=[*areas.names[:named], *boxed.names],
            evidence=evidence(heads, targets, mass, width / height),
            own=own,
            rivalry=rivalry,
            grid=areas.names[named:],
            in_grid=in_areas[:, named:] * heads.in_frame_prob[:, None],
        )

    def stream_ended(self, stream_id: str) -> None:
        self._areas.pop(stream_id, None)

    def _chances(self, weighed: Weighed) -> tuple[list[str], Array]:
        """Return targets and the probability (N, M) that each head looks at each."""
        log_odds = np.where(weighed.own, -np.inf, weighed.evidence @ self._weights)  # nobody looks at their own head
        chance = probabilities(log_odds, weighed.rivalry)
        if not weighed.grid:
            return weighed.names, chance
        free = 1 - chance.sum(axis=1, keepdims=True)
        return [*weighed.names, *weighed.grid], np.concatenate([chance, weighed.in_grid * free], axis=1)

    def _worth_telling(self, track_id: Array, names: list[str], chance: Array) -> list[tuple[int, str, float]]:
        best = chance.max(axis=1, keepdims=True, initial=0.0)
        told = (chance >= self.config.min_score) & (chance >= self.config.rival_share * best) & (chance > 0)
        rows = []
        for head, person in enumerate(track_id.tolist()):
            hits = np.flatnonzero(told[head]).tolist()
            rows += [(person, names[target], float(chance[head, target])) for target in hits] or [(person, "", 0.0)]
        return rows

    def _boxed(self, tracks: Tracks, objects: Objects | None) -> _Boxed:
        """Return the people and things of one frame that can be looked at."""
        people = tracks.take(~np.isnan(tracks.head_box[:, 0]) & self.config.people)
        half = (people.head_box[:, 2:] - people.head_box[:, :2]).astype(np.float64) * self.config.head_scale / 2
        middle = centres(people.head_box.astype(np.float64))
        heads = np.concatenate([middle - half, middle + half], axis=1)
        things = Objects.empty() if objects is None else objects.take(~np.isnan(objects.box[:, 0]))
        named = zip(things.label, things.object_id.tolist(), strict=True)
        return _Boxed(
            names=[*(f"person:{one}" for one in people.track_id.tolist()), *(f"object:{a}:{b}" for a, b in named)],
            box=np.concatenate([heads, things.box.astype(np.float64)]),
            head=people.head_box.astype(np.float64),
            is_person=np.arange(len(people) + len(things)) < len(people),
            track_id=np.concatenate([people.track_id, np.zeros(len(things), np.int64)]),
        )

    def _areas_of(self, stream: Stream, maps: Any) -> Areas:
        """Return the areas of a stream for maps (N, h, w), with their cells where the maps are."""
        of = stream.config.aois, maps.shape[1:]
        held = self._areas.get(stream.id)
        if held is None or held[0] != of:
            grid_hw = self.config.grid_rows, self.config.grid_columns
            made = named_areas(*of) if stream.config.aois else grid_areas(grid_hw, of[1])
            held = self._areas[stream.id] = of, replace(made, cells=namespace(maps).asarray(made.cells))
        return held[1]

    def _tell_unnamed(self, frames: FrameBatch) -> None:
        for stream_id in dict.fromkeys(frames.stream_id):
            if stream_id not in self._told and not frames.streams[stream_id].config.aois:
                self._told.add(stream_id)
                grid = f" and cells of a {self.config.grid_rows}×{self.config.grid_columns} grid"
                logger.info(
                    "stream %s names no areas: reporting people%s; to name areas, write them under streams.%s.aois as "
                    "polygons in fractions of the frame, such as shelf: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]]",
                    stream_id,
                    grid if self.config.grid_rows else "",
                    stream_id,
                )


@dataclass(frozen=True)
class Weighed:
    """What speaks for M targets, for each of the N heads of one frame."""

    track_id: Array
    """(N,)."""
    names: list[str]
    """Of the targets."""
    evidence: Array
    """(N, M, 8) as `nodes.ops.belief.evidence` returns it."""
    own: Array
    """(N, M) whether the target is the head itself."""
    rivalry: Array
    """(M, M) as `nodes.ops.belief.probabilities` takes it."""
    grid: list[str]
    """Cells of the grid, if the stream has no areas."""
    in_grid: Array
    """(N, cells) share of the map in each, times the in-frame probability."""


@dataclass(frozen=True)
class _Boxed:
    """What is looked at in a box: M people and things of one frame."""

    names: list[str]
    box: Array
    """(M, 4)."""
    head: Array
    """(people, 4): what hides the areas behind."""
    is_person: Array
    track_id: Array
    """(M,) 0 for things."""


@dataclass(frozen=True)
class _Seen:
    """The maps of one frame, and what they are held against."""

    row: int
    """Of the frame."""
    maps: GazeMaps
    areas: Areas
    boxed: _Boxed

    def masses(self) -> tuple[Any, Any]:
        """Return the share of each map in each area (N, A) and in each box (N, M), where the maps are."""
        heads = len(self.boxed.head)
        boxes = namespace(self.maps.heatmap).asarray(np.concatenate([self.boxed.head, self.boxed.box]))
        share = cell_shares_of_maps(self.maps.heatmap)
        return in_areas(share, self.areas.cells, boxes[:heads]), in_boxes(share, boxes[heads:])


def _heads(maps: GazeMaps, points: GazePoints, poses: HeadPoses | None) -> Heads:
    """Return what is known of the heads of one frame besides their maps, in the order of the maps."""
    own_frame = points.frame_row == maps.frame_row[0]
    columns = points.track_id[own_frame].tolist(), points.in_frame_prob[own_frame].tolist()
    smoothed = dict(zip(*columns, strict=True))
    raw = zip(maps.track_id.tolist(), maps.in_frame_prob.tolist(), strict=True)
    posed = {} if poses is None else {track_id: row for row, track_id in enumerate(poses.track_id.tolist())}
    yaw_deg, agreement = np.full(len(maps), np.nan), np.zeros(len(maps))
    for head, track_id in enumerate(maps.track_id.tolist()):
        if poses is not None and track_id in posed:
            yaw_deg[head], agreement[head] = poses.yaw_pitch_roll_deg[posed[track_id], 0], poses.score[posed[track_id]]
    chance = np.array([smoothed.get(track_id, own) for track_id, own in raw])
    return Heads(centres(maps.head_box.astype(np.float64)), chance, yaw_deg, agreement)


def _of(value: Any, row: int) -> Any:
    """Return the rows of one frame of a value that may not be there."""
    return None if value is None else value.take(value.frame_row == row)
