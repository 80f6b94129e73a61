"""Estimate where heads point: by pose models, or by the scores of eight directions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from nodes.adapters.pose_models import open_pose_models, pose_problems
from nodes.ops import rotations as rot
from nodes.ops.angles import wrap_deg, yaw_of_directions
from nodes.ops.asked import best_of_frames
from nodes.types import HeadPoses, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


def _listed(given: Any) -> Any:
    """Take one card for a list of one, and null for none."""
    return () if given is None else (given,) if isinstance(given, str) else given


class Config(NodeConfig):
    model: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(default=(), json_schema_extra={"card": True})
    """Card of a pose model: a name in configs/models, or a path to a card or .onnx file. The family is `head_pose`, or
    `gazelle` where the gaze model tells where heads point, too, as the one that ships; of it only that part is run. Of
    several, in a list, the answers are averaged as rotations. None: only the yaw is told, from the directions."""
    faces_only: bool = Field(default=False, json_schema_extra=LIVE)
    """The heads are those of a detector of faces, which finds none from behind: where the directions say nothing, all
    models are believed. Without it only those are that are valid all the way round."""
    max_yaw_deg: float = Field(default=180.0, gt=0, le=180, json_schema_extra=LIVE)
    """Heads that the directions say are turned farther from the camera are not shown to the model, nor are those beyond
    what its card calls valid. Lower where it is led astray by profiles."""
    max_disagreement_deg: float = Field(default=90.0, ge=0, le=180, json_schema_extra=LIVE)
    """Where the yaw of the model is farther than this from that of the directions, these are believed. They are 45°
    apart. Raise to 180 where they are often wrong and nobody turns away from the camera."""
    min_head_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Heads with a lower score are not shown to the model. Raise to save time on doubtful heads."""
    max_heads: int = Field(default=32, ge=1, json_schema_extra=LIVE)
    """Heads shown to the model per frame, best scores first. Lower to bound the time of a crowded frame."""
    min_evidence: float = Field(default=0.05, ge=0, json_schema_extra=LIVE)
    """Sum of a head's direction scores below which they say nothing. Raise to be told less of dim heads."""
    min_agreement: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Agreement of the directions (the score of a pose from them alone) below which they say nothing: two opposite ones
    agree 0, two neighbours 0.92. Raise to be told less of heads the detector is torn about."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": [problem for card in self.model for problem in pose_problems(card, root)]}


class EstimateHeadPose(Node[Config]):
    """Tell yaw, pitch and roll where a model sees a face, the yaw alone elsewhere.

    The directions give each head a yaw: the eight direction vectors, each as long as its score, are summed. Models of
    poses learned from faces and say something of the back of a head, too, so they are believed only where the
    directions, too, see the head turned toward the camera as far as the card calls valid. Where they say nothing, only
    models that are valid all the way round are, unless the heads come from a detector of faces. All heads of a tick are
    cut out at once, and are one call of the model where it takes more than one at a time. Of gaze models that tell a
    direction of the head, that alone is computed, from whole pictures; its roll is 0. Without a model pitch and roll
    are NaN, and no pictures are needed.

    The score is the length of the mean of what speaks for the yaw: the directions, as long as they agree, and a unit
    vector for each model believed.

    State: none.
    Empty: no rows in, no rows out, no call of the model. A head without a box or of which nothing is known has no row.
    Ref: mean direction of circular statistics, see `ops.angles`; conventions of rotations in `ops.rotations`.
    """

    begins_stage = True
    reads_pictures = True

    @classmethod
    def without_model(cls, config: Config) -> bool:
        return not config.model

    def open(self) -> None:
        self._models = open_pose_models(self.context, self.config.model, "estimate_head_pose.model")

    def process(self, tracks: Tracks, frames: FrameBatch | None = None) -> HeadPoses:
        heads = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        yaw, agreement = self._by_directions(heads)
        angles = np.full((len(heads), 3), np.nan)
        angles[:, 0] = yaw
        score = agreement.copy()
        rows = self._worth_asking(heads, yaw)
        if len(self._models) and frames is not None and len(rows):
            seen = self._models.rotations(frames, heads.frame_row[rows], heads.head_box[rows])  # (models, K, 3, 3)
            rotations = np.isfinite(seen).all(axis=(0, 2, 3))
            rows, seen = rows[rotations], seen[:, rotations]
            told = rot.yaw_pitch_roll(rot.mean(seen))
            believed = self._near(told[:, 0], yaw[rows])
            angles[rows[believed]] = told[believed]
            score[rows[believed]] = _agreement(yaw[rows], agreement[rows], seen)[believed]
        known = np.flatnonzero(~np.isnan(angles[:, 0]))
        return HeadPoses(
            frame_row=heads.frame_row[known],
            track_id=heads.track_id[known],
            yaw_pitch_roll_deg=angles[known].astype(np.float32),
            score=score[known].astype(np.float32),
        )

    def close(self) -> None:
        self._models.close()

    def _by_directions(self, heads: Tracks) -> tuple[Array, Array]:
        """Return the yaw (N,), NaN where the directions say nothing, and how much they agree (N,), 0 there."""
        yaw, agreement = yaw_of_directions(heads.direction_scores)
        told = heads.direction_scores.sum(axis=1) >= max(self.config.min_evidence, 1e-6)
        told &= agreement >= self.config.min_agreement
        return np.where(told, yaw, np.nan), np.where(told, agreement, 0.0)

    @property
    def _limit_deg(self) -> float:
        return min(self._models.valid_yaw_deg, self.config.max_yaw_deg)

    def _worth_asking(self, heads: Tracks, yaw: Array) -> Array:
        """Return the rows (K,) of heads that are to be shown to the models, rising."""
        turned = np.where(np.isnan(yaw), 0.0 if self.config.faces_only else 180.0, np.abs(yaw))
        worth = (turned <= self._limit_deg) & (heads.head_score >= self.config.min_head_score)
        return best_of_frames(heads.frame_row, heads.head_score, worth, self.config.max_heads)

    def _near(self, told: Array, yaw: Array) -> Array:
        """Tell which yaws of the models (K,) are such as they know, and near those of the directions (K,) if any."""
        apart = np.where(np.isnan(yaw), 0.0, np.abs(wrap_deg(told - yaw)))
        return np.asarray((np.abs(told) <= self._limit_deg) & (apart <= self.config.max_disagreement_deg))


def _agreement(yaw: Array, agreement: Array, seen: Array) -> Array:
    """Return the length (K,) of the mean of the yaws of directions, as long as they agree, and of models."""
    unit = seen[:, :, [0, 2], 2]  # (models, K, 2): where noses point on the floor
    unit = unit / np.maximum(np.linalg.norm(unit, axis=2, keepdims=True), rot.SHORTEST)
    known = np.radians(np.nan_to_num(yaw))
    directions = np.where(np.isnan(yaw), 0.0, agreement) * np.array([-np.sin(known), np.cos(known)])
    whole = np.linalg.norm(unit.sum(axis=0) + directions.T, axis=1)
    return np.asarray(np.minimum(whole / (len(seen) + ~np.isnan(yaw)), 1.0))
