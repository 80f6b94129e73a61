"""Estimate what people look like, so that they are known again after they were out of sight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from nodes.adapters.crop_models import answers
from nodes.ops.boxes import crops_around, share_inside, sizes
from nodes.types import Detections
from pipeline.cards import card_problems
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str = Field(default="person-reidentification-retail-0248", json_schema_extra={"card": True})
    """Card of a model of the family `appearance`, one crop of a person in, one vector out: a name in configs/models, or
    a path to a card or .onnx file."""
    min_body_score: float = Field(default=0.4, ge=0, le=1, json_schema_extra=LIVE)
    """Bodies with a lower score are not described. Raise when doubtful boxes blur what people look like."""
    min_height_px: float = Field(default=48.0, ge=0, json_schema_extra=LIVE)
    """Bodies that are lower, in pixels of the frame, are not described. Raise when people far away are mixed up."""
    max_overlap: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Share of a body's box that the box of one other body may cover for it to be described: two people in one crop
    mislead. Lower when people who pass each other swap numbers, raise when few are described in a crowd."""
    max_people: int = Field(default=16, ge=1, json_schema_extra=LIVE)
    """People described per frame, best scores first. Each costs one run of the model: lower to bound the time of a
    crowded frame."""
    every_s: float = Field(default=0.0, ge=0, json_schema_extra=LIVE)
    """Seconds from one described frame of a stream to the next; 0 describes people in every frame. Raise to save time,
    at the price of people who are known again that much later."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": card_problems(self.model, root, ("appearance",))}


class EstimateAppearance(Node[Config]):
    """Run a re-identification model on each person one sees well, and pass the detections on with unit vectors.

    Who is small, doubtful or half behind another has a vector of zeros, as has everybody in frames that are left out.
    Crops are cut out as the card says; those of a frame are one call of the model where it takes any number.

    Vectors tell clothes and build, no name: they are made to be compared within one stream, for as long as a tracker
    remembers somebody, and no sink writes them. A recording of this node's edge (`--record EDGE=DIR`, or a whole run
    whose tracks are made below the last node that reads pictures) does hold them, with the boxes and times of the
    people: keep it like the video itself. Tracks, and recordings of them, hold none.

    State: per stream, when people were last described.
    Empty: nobody to describe, no call of the model; no rows in, no rows out.
    Ref: person-reidentification-retail-0248 of the Open Model Zoo (Apache-2.0), for the contract.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        self._session: Session = self.context.open_session(self.config.model)
        card, contract = self._session.card, _contract(self._session)
        if card.family != "appearance" or card.input_size_wh is None or contract is None:
            raise ModelError(
                f"estimate_appearance.model: expected a card of the family 'appearance' with input_size_wh, one input "
                f"of pictures and one output [N, length], got {self.config.model!r} of {card.family!r} with "
                f"{self._session.inputs} and {self._session.outputs}; choose a re-identification model"
            )
        self._size_wh: tuple[int, int] = card.input_size_wh
        self._contract: _Contract = contract
        self._described: dict[str, tuple[int, int]] = {}

    def process(self, frames: FrameBatch, people: Detections) -> Detections:
        due, described = self._due(frames)
        rows = self._worth_describing(frames, people, due)
        appearance = np.zeros((len(people), self._contract.length), np.float32)
        if len(rows):
            appearance[rows] = _unit(self._vectors(frames, people.take(rows)))
        self._described = described  # not before: a tick on which the model fails is run again
        return replace(people, appearance=appearance)

    def stream_ended(self, stream_id: str) -> None:
        self._described.pop(stream_id, None)

    def close(self) -> None:
        self._session.close()

    def _worth_describing(self, frames: FrameBatch, people: Detections, due: Array) -> Array:
        """Return the rows (K,) of people to describe, rising, in frames that are due (B,) bool."""
        config = self.config
        size = sizes(people.body_box)
        large = (size > 0).all(axis=1) & (size[:, 1] * frames.size_wh[people.frame_row, 1] >= config.min_height_px)
        clear = large & (people.body_score >= config.min_body_score)
        chosen = [np.zeros(0, np.int64)]
        for row in np.flatnonzero(due):
            here = np.flatnonzero(people.frame_row == row)
            covered = share_inside(people.body_box[here], people.body_box[here])
            np.fill_diagonal(covered, 0)
            seen = here[clear[here] & (covered.max(axis=1, initial=0) <= config.max_overlap)]
            best = np.argsort(-people.body_score[seen], kind="stable")[: config.max_people]
            chosen.append(np.sort(seen[best]))
        return np.concatenate(chosen)

    def _due(self, frames: FrameBatch) -> tuple[Array, dict[str, tuple[int, int]]]:
        """Return in which frames people are described (B,) bool, the first of each `every_s`, and the state after."""
        period_ns = max(1, round(self.config.every_s * 1e9))
        due, described = np.zeros(len(frames), np.bool_), dict(self._described)
        for row, stream_id in enumerate(frames.stream_id):
            now = int(frames.generation[row]), int(frames.pts_ns[row]) // period_ns
            due[row] = described.get(stream_id) != now
            described[stream_id] = now
        return due, described

    def _vectors(self, frames: FrameBatch, people: Detections) -> Array:
        """Return what the model says of K people, (K, D)."""
        device, crop, size = self.context.device, self._session.card.crop, frames.size_wh[people.frame_row]
        model = self._contract
        boxes = crops_around(people.body_box, size[:, 0] / size[:, 1], crop.scale, crop.down, crop.square)
        pixels = device.crops(frames, people.frame_row, boxes, self._size_wh, crop.colour, model.layout)
        channels = (3, 1, 1) if model.layout == "nchw" else (3,)
        mean, std = (device.xp.asarray(np.array(each, np.float32).reshape(channels)) for each in (crop.mean, crop.std))
        images = (pixels - mean) / std
        return answers(self._session, device, {model.input: images}, people.frame_row)[model.output]


@dataclass(frozen=True)
class _Contract:
    """What a re-identification model takes and gives."""

    input: str
    layout: Literal["nchw", "nhwc"]
    output: str
    length: int
    """Of a vector."""


def _contract(session: Session) -> _Contract | None:
    """Return what a model takes and gives; None for one that is no re-identification model."""
    outputs = {name: session.outputs[name][0] for name in session.card.contract.outputs}
    if (len(session.inputs), len(outputs)) != (1, 1):
        return None
    ((input_name, (shape, _)),), ((output, vectors),) = session.inputs.items(), outputs.items()
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or len(vectors) != 2 or not isinstance(vectors[1], int):
        return None
    return _Contract(input_name, "nchw" if shape[1] == 3 else "nhwc", output, vectors[1])


def _unit(vectors: Array) -> Array:
    """Return vectors (K, D) of length 1; zeros for those that have no direction."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    told = np.isfinite(length[:, 0]) & (length[:, 0] > 0)
    unit = np.zeros_like(vectors)
    unit[told] = vectors[told] / length[told]
    return unit
