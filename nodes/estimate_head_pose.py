"""Estimate where heads point: by pose models, or by the scores of eight directions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field

from nodes.ops import rotations as rot
from nodes.ops.angles import wrap_deg, yaw_of_directions
from nodes.ops.boxes import crops_around
from nodes.types import HeadPoses, Tracks
from pipeline.card_fields import Crop, HeadPoseOutputs
from pipeline.cards import card_problems
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Context, Node, NodeConfig
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


def _listed(given: Any) -> Any:
    """Take one card for a list of one, and null for none."""
    return () if given is None else (given,) if isinstance(given, str) else given


class Config(NodeConfig):
    model: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(default=(), json_schema_extra={"card": True})
    """Card of a pose model of the family `head_pose`: a name in configs/models, or a path to a card or .onnx file. Of
    several, in a list, the answers are averaged as rotations. None: only the yaw is told, from the directions."""
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
        return {"model": [problem for card in self.model for problem in card_problems(card, root)]}


class EstimateHeadPose(Node[Config]):
    """Tell yaw, pitch and roll where a model sees a face, the yaw alone elsewhere.

    The directions give each head a yaw: the eight direction vectors, each as long as its score, are summed. Models of
    poses learned from faces and say something of the back of a head, too, so they are believed only where the
    directions, too, see the head turned toward the camera as far as the card calls valid; where they say nothing, only
    models that are valid all the way round are. All heads of a tick are cut out at once, and are one call of the
    model where it takes more than one at a time. Without a model pitch and roll are NaN, and no pictures are needed.

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
        self._models = [_Model.opened(self.context, card) for card in self.config.model]
        self._valid_deg = min((model.outputs.valid_yaw_deg for model in self._models), default=180.0)

    def process(self, tracks: Tracks, frames: FrameBatch | None = None) -> HeadPoses:
        heads = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        yaw, agreement = self._by_directions(heads)
        angles = np.full((len(heads), 3), np.nan)
        angles[:, 0] = yaw
        score = agreement.copy()
        if self._models and frames is not None:
            rows = self._worth_asking(heads, yaw)
            seen = self._seen(frames, heads.take(rows))  # (models, K, 3, 3)
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
        for model in self._models:
            model.session.close()

    def _by_directions(self, heads: Tracks) -> tuple[Array, Array]:
        """Return the yaw (N,), NaN where the directions say nothing, and how much they agree (N,), 0 there."""
        yaw, agreement = yaw_of_directions(heads.direction_scores)
        told = heads.direction_scores.sum(axis=1) >= max(self.config.min_evidence, 1e-6)
        told &= agreement >= self.config.min_agreement
        return np.where(told, yaw, np.nan), np.where(told, agreement, 0.0)

    @property
    def _limit_deg(self) -> float:
        return min(self._valid_deg, self.config.max_yaw_deg)

    def _worth_asking(self, heads: Tracks, yaw: Array) -> Array:
        """Return the rows (K,) of heads that are to be shown to the models, rising."""
        limit = self._limit_deg
        turned = np.where(np.isnan(yaw), 180.0, np.abs(yaw))
        asked = np.flatnonzero((turned <= limit) & (heads.head_score >= self.config.min_head_score))
        best = asked[np.argsort(-heads.head_score[asked], kind="stable")]
        frame = heads.frame_row[best]
        kept = [best[frame == row][: self.config.max_heads] for row in np.unique(frame)]
        return np.sort(np.concatenate(kept)) if kept else asked

    def _seen(self, frames: FrameBatch, heads: Tracks) -> Array:
        """Return what each model says of each head: rotations (models, K, 3, 3), NaN where it is no rotation."""
        inputs: dict[tuple[tuple[int, int], Crop], Any] = {}
        seen = []
        for model in self._models:
            recipe = model.size_wh, model.crop
            if recipe not in inputs:
                inputs[recipe] = self._cut_out(frames, heads, *recipe)
            seen.append(model.rotations(self.context.device, inputs[recipe]))
        return np.stack(seen)

    def _cut_out(self, frames: FrameBatch, heads: Tracks, size_wh: tuple[int, int], crop: Crop) -> Any:
        """Return the input of a model for K heads, (K, 3, H, W) f32 on the device."""
        device, size = self.context.device, frames.size_wh[heads.frame_row]
        boxes = crops_around(heads.head_box, size[:, 0] / size[:, 1], crop.scale, crop.down, crop.square)
        pixels = device.crops(frames, heads.frame_row, boxes, size_wh, crop.colour)
        mean, std = (device.xp.asarray(np.array(each, np.float32)[:, None, None]) for each in (crop.mean, crop.std))
        return (pixels - mean) / std

    def _near(self, told: Array, yaw: Array) -> Array:
        """Tell which yaws of the models (K,) are such as they know, and near those of the directions (K,) if any."""
        apart = np.where(np.isnan(yaw), 0.0, np.abs(wrap_deg(told - yaw)))
        return np.asarray((np.abs(told) <= self._limit_deg) & (apart <= self.config.max_disagreement_deg))


@dataclass(frozen=True)
class _Model:
    """An opened pose model."""

    session: Session
    input: str
    size_wh: tuple[int, int]
    crop: Crop
    outputs: HeadPoseOutputs
    one_by_one: bool
    """It takes one crop at a time."""

    @classmethod
    def opened(cls, context: Context, name: str) -> Self:
        session = context.open_session(name)
        card = session.card
        if (
            card.family != "head_pose"
            or card.input_size_wh is None
            or card.head_pose is None
            or len(session.inputs) != 1
        ):
            raise ModelError(
                f"estimate_head_pose.model: expected a card of the family 'head_pose' with input_size_wh, head_pose "
                f"and one input, got {name!r} of {card.family!r} with {sorted(session.inputs)}; choose a pose model"
            )
        ((input_name, (shape, _)),) = session.inputs.items()
        if isinstance(shape[0], int) and shape[0] != 1:
            raise ModelError(
                f"estimate_head_pose.model: expected a model that takes one crop at a time, or any number, got "
                f"{shape[0]} at a time in {name!r}; export it with a free first axis"
            )
        return cls(session, input_name, card.input_size_wh, card.crop, card.head_pose, shape[0] == 1)

    def rotations(self, device: Device, crops: Any) -> Array:
        """Return what the model says of K crops: rotations (K, 3, 3) in our convention, NaN where it says nothing."""
        made = [np.empty((0, 3, 3))]
        for first in range(0, len(crops), 1 if self.one_by_one else max(len(crops), 1)):
            part = crops[first : first + 1] if self.one_by_one else crops
            answer = self.session.run({self.input: part})
            made.append(_rotations({name: device.to_host(array) for name, array in answer.items()}, self.outputs))
        return np.concatenate(made)


def _rotations(answer: dict[str, Array], outputs: HeadPoseOutputs) -> Array:
    """Return rotations (K, 3, 3) of the outputs of a model."""
    with np.errstate(invalid="ignore"):  # no angle is no rotation
        if outputs.rotation:
            given = answer[outputs.rotation].astype(np.float64)
            turned = rot.from_six(given) if given.ndim == 2 else given
            return np.asarray(turned * np.outer(outputs.axes, outputs.axes))
        angles = [angle.sign * answer[angle.output][:, angle.column] for angle in outputs.angles]
        return rot.matrices(np.stack(angles, axis=1), outputs.order)


def _agreement(yaw: Array, agreement: Array, seen: Array) -> Array:
    """Return the length (K,) of the mean of the yaws of directions, as long as they agree, and of models."""
    unit = seen[:, :, [0, 2], 2]  # (models, K, 2): where noses point on the floor
    unit = unit / np.maximum(np.linalg.norm(unit, axis=2, keepdims=True), rot.SHORTEST)
    known = np.radians(np.nan_to_num(yaw))
    directions = np.where(np.isnan(yaw), 0.0, agreement) * np.array([-np.sin(known), np.cos(known)])
    whole = np.linalg.norm(unit.sum(axis=0) + directions.T, axis=1)
    return np.asarray(np.minimum(whole / (len(seen) + ~np.isnan(yaw)), 1.0))
