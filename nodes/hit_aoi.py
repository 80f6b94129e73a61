"""Decide what each head looks at in each frame: a named area, another person, or a cell of a grid."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.polygon import distance
from nodes.types import AoiHits, GazePoints, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.streams import Polygon

logger = logging.getLogger(__name__)

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_in_frame: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """A head whose in-frame probability is lower looks at nothing. Raise for fewer false looks, at the price of true
    ones. Tune first."""
    margin: float = Field(default=0.04, ge=0, le=1, json_schema_extra=LIVE)
    """How far outside an area, in frame heights, a gaze point may lie; the score falls evenly to 0 at this distance.
    Raise when gaze points scatter more than the areas are large; too high, and neighbours are taken for each other."""
    people: bool = Field(default=True, json_schema_extra=LIVE)
    """Report people who are looked at, as `person:<track_id>`."""
    head_scale: float = Field(default=1.3, ge=1, json_schema_extra=LIVE)
    """A person is looked at within the head box enlarged by this factor. Raise when small heads are missed."""
    upper_body: float = Field(default=0.0, ge=0, le=1, json_schema_extra=LIVE)
    """… and within this share of the body box, from the top; 0 for the head alone. Raise where people are small and few
    other things are looked at."""
    grid_rows: int = Field(default=3, ge=0, le=99, json_schema_extra=LIVE)
    """Rows of the grid of a stream that names no areas; 0 for no grid."""
    grid_columns: int = Field(default=3, ge=1, le=99, json_schema_extra=LIVE)
    """Columns of that grid."""


class HitAoi(Node[Config]):
    """Match gaze points with targets.

    The first of these that is hit counts, the others are left out:

    1. areas of the stream (`streams.<id>.aois`): all that hold the point, edges included; else the nearest one within
       `margin`, of equally near ones the first in the configuration;
    2. another person of the frame: of several the one whose head centre (or, of a body, its top) is nearest;
    3. in a stream without areas, a cell of the grid, `grid:<row>-<column>` from 1, top left first.

    Areas come before people because a head in front of an area is small, and gaze points scatter by more than a head.

    State: the streams for which the lack of areas was logged. Empty: no rows in, no rows out.
    """

    def open(self) -> None:
        self._told: set[str] = set()

    def process(self, frames: FrameBatch, points: GazePoints, tracks: Tracks) -> AoiHits:
        self._tell_unnamed(frames)
        aspect = (frames.size_wh[:, 0] / np.maximum(frames.size_wh[:, 1], 1))[points.frame_row]  # (N,)
        looking = np.flatnonzero(points.in_frame_prob >= self.config.min_in_frame)
        found: list[list[tuple[str, float]]] = [[] for _ in range(len(points))]
        of_stream: dict[str, list[int]] = {}
        for head in looking.tolist():
            of_stream.setdefault(frames.stream_id[points.frame_row[head]], []).append(head)
        for stream_id, heads in of_stream.items():
            areas = frames.streams[stream_id].config.aois
            hits = self._areas(points.point[heads], aspect[heads], areas) if areas else [[] for _ in heads]
            for head, hit in zip(heads, hits, strict=True):
                found[head] = hit
        people = self._people(points, tracks, aspect) if self.config.people else {}
        for head in looking.tolist():
            if not found[head] and head in people:
                found[head] = [(f"person:{people[head]}", 1.0)]
            elif not found[head] and not frames.stream(int(points.frame_row[head])).config.aois:
                found[head] = self._cell(points.point[head])
        return _table(points, found)

    def _areas(
        self, points: np.ndarray, aspect: np.ndarray, areas: dict[str, Polygon]
    ) -> list[list[tuple[str, float]]]:
        """Return, for each point, the areas hit with how well: 1 inside, less in the margin."""
        names = list(areas)
        # Vertices in the points' own precision: what is meant to lie on an edge then does.
        away = np.stack(
            [distance(points, np.array(areas[name], np.float32), aspect) for name in names], axis=1
        )  # (N, A)
        nearest = away.argmin(axis=1)  # the first of equals
        hits: list[list[tuple[str, float]]] = []
        for row, first in enumerate(nearest.tolist()):
            within = np.flatnonzero(away[row] == 0).tolist()
            if within:
                hits.append([(names[area], 1.0) for area in within])
            elif away[row, first] < self.config.margin:
                hits.append([(names[first], 1.0 - float(away[row, first]) / self.config.margin)])
            else:
                hits.append([])
        return hits

    def _people(self, points: GazePoints, tracks: Tracks, aspect: np.ndarray) -> dict[int, int]:
        """Return {head row: track id} of the people that gaze points fall on."""
        head, body = tracks.head_box, tracks.body_box
        centre = (head[:, :2] + head[:, 2:]) / 2
        reach = (head[:, 2:] - head[:, :2]) / 2 * self.config.head_scale
        x, y = points.point[:, None, 0], points.point[:, None, 1]
        on_head = (np.abs(points.point[:, None] - centre) <= reach).all(axis=-1)  # (N, M)
        bottom = body[:, 1] + (body[:, 3] - body[:, 1]) * self.config.upper_body
        on_body = (x >= body[:, 0]) & (x <= body[:, 2]) & (y >= body[:, 1]) & (y <= bottom)
        same_frame = points.frame_row[:, None] == tracks.frame_row
        other = points.track_id[:, None] != tracks.track_id
        on_person = same_frame & other & (on_head | on_body)
        top = np.stack([(body[:, 0] + body[:, 2]) / 2, body[:, 1]], axis=1)
        offset = points.point[:, None] - np.where(np.isnan(centre), top, centre)  # (N, M, 2)
        away = np.where(on_person, np.hypot(offset[..., 0] * aspect[:, None], offset[..., 1]), np.inf)
        rows = np.flatnonzero(on_person.any(axis=1))
        return {int(row): int(tracks.track_id[away[row].argmin()]) for row in rows}

    def _cell(self, point: np.ndarray) -> list[tuple[str, float]]:
        shape = np.array([self.config.grid_columns, self.config.grid_rows])
        if not self.config.grid_rows or np.isnan(point).any():
            return []
        column, row = np.clip((point * shape).astype(np.int64), 0, shape - 1).tolist()
        return [(f"grid:{row + 1}-{column + 1}", 1.0)]

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


def _table(points: GazePoints, found: list[list[tuple[str, float]]]) -> AoiHits:
    """Lay out one row per head, and one more per further target; a head that hit nothing gets target ""."""
    rows = [(head, name, share) for head, hits in enumerate(found) for name, share in (hits or [("", 0.0)])]
    heads = np.array([head for head, _, _ in rows], np.int64)
    share = np.array([share for _, _, share in rows], np.float32)
    return AoiHits(
        frame_row=points.frame_row[heads],
        track_id=points.track_id[heads],
        target=tuple(name for _, name, _ in rows),
        score=(points.in_frame_prob[heads] * share).astype(np.float32),
    )
