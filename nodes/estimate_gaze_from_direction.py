"""Estimate what heads look at by where they and eyes point: a cone, not a gaze model."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nodes.adapters.lenses import lens_of_stream
from nodes.ops import directions as ways
from nodes.ops.cone import Looks, Prior, cone_maps
from nodes.ops.distance import lens_of
from nodes.ops.joined import places
from nodes.types import GazeDirections, GazeMaps, HeadPoses, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SCORE = 0.05
"""Poses and directions of a lower score count as of this."""
LIVE: dict[str, Any] = {"live": True}
Cells = Annotated[int, Field(ge=4, le=256)]


class Config(NodeConfig):
    map_wh: tuple[Cells, Cells] = (32, 32)
    """Columns and rows of the maps. Raise for finer maps; time rises with the number of cells."""
    head_spread_deg: float = Field(default=13.0, gt=0, le=90, json_schema_extra=LIVE)
    """How far gaze is off the direction of a head whose pose is known, a standard deviation along each axis, errors of
    the pose included. Raise for wider cones: less is claimed of more. Tune first."""
    yaw_spread_deg: float = Field(default=25.0, gt=0, le=90, json_schema_extra=LIVE)
    """The same for heads of which only the yaw is known; they are taken to point to the horizon of the picture."""
    eyes_spread_deg: float = Field(default=10.0, gt=0, le=90, json_schema_extra=LIVE)
    """The same for directions of eyes. Raise to trust heads more than eyes where both are known."""
    distance_m: float = Field(default=2.1, gt=0, json_schema_extra=LIVE)
    """Median distance from a head to what it looks at, metres. Lower where people stand before shelves, raise for
    halls: what is looked at then lies farther from heads."""
    distance_spread: float = Field(default=0.63, gt=0, le=2, json_schema_extra=LIVE)
    """Standard deviation of the logarithm of that distance. Raise for hills that are longer along the way."""
    head_height_m: float = Field(default=0.25, gt=0, json_schema_extra=LIVE)
    """Height of a head with hair, metres. Raise where head boxes are generous: heads are then farther off."""
    clear_share: float = Field(default=0.7, gt=0, le=5, json_schema_extra=LIVE)
    """Share of the way from the camera to a head within which there is mostly nothing to look at. Raise to claim less
    of looks toward the camera, lower where things stand close before the camera."""
    hfov_deg: float = Field(default=60.0, gt=0, lt=180, json_schema_extra=LIVE)
    """Horizontal field of view, degrees, of streams that tell neither `hfov_deg` nor `camera_matrix`."""


class EstimateGazeFromDirection(Node[Config]):
    """Make a gaze map of where a head, its eyes, or both point.

    The target is in a cone about the direction, at a distance that is not known: `ops.cone` sums over all of them, in
    the space before a pinhole camera in which the height of the head's box tells how far it is. The map is highest
    where most of that probability is, there it is 1; `in_frame_prob` is what the picture holds of all of it: little
    for a look into the camera or past the edge. Nothing is known of walls, shelves or other people.

    Where both a pose and a direction are known, both count: as vectors, each as long as one over the square of its
    spread, times its score, they are added up. The sum is where the cone points, and its length how narrow it is: two
    that agree make it narrower, two that do not make it wider, as scores below 1 do.

    State: none.
    Empty: no rows in, no rows out. A head of which neither is known has no row.
    Ref: see `ops.cone`; the constants were chosen on rendered clips by `python -m training.cone`.
    """

    def process(
        self,
        frames: FrameBatch,
        tracks: Tracks,
        poses: HeadPoses | None = None,
        directions: GazeDirections | None = None,
    ) -> GazeMaps:
        if poses is None and directions is None:
            raise ValueError(
                "estimate_gaze_from_direction: expected poses of heads, directions of eyes or both, got neither; wire "
                "`poses` or `directions`"
            )
        heads = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        pull = np.zeros((len(heads), 3))
        for vector, told in (self._by_head(heads, poses), self._by_eyes(heads, directions)):
            pull += vector * told[:, None]
        length = np.linalg.norm(pull, axis=1)
        known = np.flatnonzero(length > ways.SHORTEST)
        if not len(known):
            return GazeMaps.empty()
        heads = heads.take(known)
        looks = Looks(
            head_box=heads.head_box.astype(np.float64),
            direction=pull[known] / length[known, None],
            spread_deg=1 / np.sqrt(length[known]),
            inverse=np.linalg.inv(self._lenses(frames))[heads.frame_row],
        )
        c = self.config
        maps = cone_maps(looks, c.map_wh, Prior(c.head_height_m, c.distance_m, c.distance_spread, c.clear_share))
        highest = maps.max(axis=(1, 2), keepdims=True)
        return GazeMaps(
            frame_row=heads.frame_row,
            track_id=heads.track_id,
            head_box=heads.head_box,
            heatmap=np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0),
            in_frame_prob=np.minimum(maps.sum(axis=(1, 2)), 1),
            asked_ns=frames.pts_ns[heads.frame_row],
        )

    def _by_head(self, heads: Tracks, poses: HeadPoses | None) -> tuple[Array, Array]:
        """Return where heads point (N, 3) and what that weighs (N,), 0 where it is not known."""
        if poses is None:
            return np.zeros((len(heads), 3)), np.zeros(len(heads))
        angles = poses.yaw_pitch_roll_deg[:, :2].astype(np.float64)
        whole = np.isfinite(angles[:, 1])
        angles[:, 1] = np.where(whole, angles[:, 1], 0)
        spread = np.where(whole, self.config.head_spread_deg, self.config.yaw_spread_deg)
        return _weighed(heads, poses, angles, spread)

    def _by_eyes(self, heads: Tracks, directions: GazeDirections | None) -> tuple[Array, Array]:
        """Return where eyes look (N, 3) and what that weighs (N,), 0 where it is not known."""
        if directions is None:
            return np.zeros((len(heads), 3)), np.zeros(len(heads))
        spread = np.full(len(directions), self.config.eyes_spread_deg)
        return _weighed(heads, directions, directions.yaw_pitch_deg, spread)

    def _lenses(self, frames: FrameBatch) -> Array:
        """Return the lens (B, 3, 3) of the camera of each frame, the configured one where a stream tells none."""
        made = []
        for row, size_wh in enumerate(frames.size_wh):
            told = lens_of_stream(frames.stream(row).config, size_wh)
            made.append(lens_of(self.config.hfov_deg, float(size_wh[0] / size_wh[1])) if told is None else told)
        return np.array(made)


def _weighed(
    heads: Tracks, told: HeadPoses | GazeDirections, yaw_pitch_deg: Array, spread_deg: Array
) -> tuple[Array, Array]:
    """Return unit vectors (N, 3) of heads and their weights (N,): score over squared spread; zeros where none is."""
    vector, weight = np.zeros((len(heads), 3)), np.zeros(len(heads))
    place = places(heads.frame_row, heads.track_id, told.frame_row, told.track_id)
    row = np.flatnonzero(place >= 0)
    way = ways.vectors(yaw_pitch_deg)[place[row]]
    score = np.maximum(told.score[place[row]].astype(np.float64), LEAST_SCORE)
    sure = np.isfinite(way).all(axis=1)
    vector[row[sure]] = way[sure]
    weight[row[sure]] = (score / spread_deg[place[row]] ** 2)[sure]
    return vector, weight
