"""Estimate where heads point: the yaw that the scores of the eight head directions speak for."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.angles import yaw_of_directions
from nodes.types import HeadPoses, Tracks
from pipeline.node import Node, NodeConfig

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_evidence: float = Field(default=0.05, ge=0, json_schema_extra=LIVE)
    """Sum of a head's direction scores below which it gets no pose. Raise to be told less of dim heads."""
    min_agreement: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Agreement of the directions (the score of the pose) below which a head gets no pose: two opposite directions
    agree 0, two neighbours 0.92. Raise to be told less of heads the detector is torn about."""


class EstimateHeadPose(Node[Config]):
    """Sum the eight direction vectors, each as long as its score: the sum points along the yaw.

    Pitch and roll are unknown (NaN) to a detector of directions. The score is the length of the sum over the sum of the
    lengths.

    State: none.
    Empty: no rows in, no rows out. A head without a box or without evidence has no row.
    Ref: mean direction of circular statistics, see `ops.angles`.
    """

    def process(self, tracks: Tracks) -> HeadPoses:
        yaw, agreement = yaw_of_directions(tracks.direction_scores)
        enough = tracks.direction_scores.sum(axis=1) >= max(self.config.min_evidence, 1e-6)
        rows = np.flatnonzero(~np.isnan(tracks.head_box[:, 0]) & enough & (agreement >= self.config.min_agreement))
        unknown = np.full(len(rows), np.nan)
        return HeadPoses(
            frame_row=tracks.frame_row[rows],
            track_id=tracks.track_id[rows],
            yaw_pitch_roll_deg=np.stack([yaw[rows], unknown, unknown], axis=1).astype(np.float32),
            score=agreement[rows].astype(np.float32),
        )
