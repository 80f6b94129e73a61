"""Detect the parts of people: bodies, heads, faces, hands, joints, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.adapters.detectors import FAMILIES, Detector, Found, SizeWh, open_detector
from nodes.ops.attribute_rows import IS_ATTRIBUTE
from nodes.ops.boxes import centres
from nodes.ops.detected import Limits
from nodes.ops.polygon import inside
from nodes.ops.wholebody import BODY, CRUTCHES, JOINTS, SIDES, WHEELCHAIR
from nodes.types import Parts
from pipeline.cards import card_problems
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}
_HEAD_AT = 0.1
"""How far below the top of a body its head is, in heights of the body."""


class Config(NodeConfig):
    model: str = Field(default="people-shop-480", json_schema_extra={"card": True})
    """Card of a detector of any family: a name in configs/models, or a path to a card or .onnx file."""
    input_size_wh: SizeWh | None = None
    """Width and height that pictures are brought to, pixels. null: as the card says. For files that take any size: the
    one that ships is made for 320 × 192 to 640 × 384, and reads the nearest multiples of 32. Raise for far and small
    people; lower to save time, which goes with the area."""
    mirror_every_other: bool = False
    """Show the model every other frame of a stream in the mirror: errors that lean to one side then lean to both in
    turn, and smoothing takes them away, at next to no cost. Leave off where frames are not followed over time, or where
    things look otherwise in the mirror, as signs do."""
    object_min_score: float = Field(default=0.35, ge=0, le=1, json_schema_extra=LIVE)
    """Bodies, heads, faces, hands and other things with a lower score are left out, and sides of hands. Raise for fewer
    false ones, lower for far and dim ones. Tune first."""
    attribute_min_score: float = Field(default=0.7, ge=0, le=1, json_schema_extra=LIVE)
    """Ages, sexes and directions of heads with a lower score are left out. Lower for models that are never that sure,
    such as those that ship."""
    joint_min_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Joints with a lower score are left out. Raise for fewer false ones, lower for fuller skeletons."""
    object_max_iou: float = Field(default=0.7, ge=0, le=1, json_schema_extra=LIVE)
    """Two things of a class that overlap more are one. Raise when things behind each other are lost, lower when one is
    doubled."""
    joint_max_iou: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Two joints of a class whose small boxes overlap more are one. Raise when joints close to each other are lost."""
    attribute_min_iou: float = Field(default=0.7, gt=0, le=1, json_schema_extra=LIVE)
    """Overlap from which an attribute belongs to a body, a head or a hand. Raise when those of people who touch are
    mixed up."""
    max_parts: int = Field(default=1000, ge=1, json_schema_extra=LIVE)
    """Parts kept per frame, best scores first. Lower to bound the cost of everything below in a crowd."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": card_problems(self.model, root, tuple(FAMILIES))}


class DetectParts(Node[Config]):
    """Run a detector on whole frames and tell each thing it finds by itself, with what it says of it.

    Rows of attributes (adult, male, a direction of the head, the side of a hand, …) join the thing whose box they
    repeat. Of several boxes of a thing the best is kept. What lies under a mask of its stream goes: a body when its
    head would lie there, everything else when its centre does. Detectors of faces tell a head about each face.

    Joints differ in both limits because they are told by small boxes about points. Defaults are those of the demo of
    DEIMv2-Wholebody34.

    State: which crowds were warned of, and whose next frame is mirrored.
    Empty: no frames, no call of the model; no rows, no parts.
    Ref: DEIMv2-Wholebody34 (Apache-2.0) for classes and limits; how rows are joined: `ops.attribute_rows`.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        config = self.config
        self._detector: Detector = open_detector(
            self.context,
            config.model,
            "detect_parts.model",
            config.input_size_wh,
            mirror_every_other=config.mirror_every_other,
        )
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        limits = Limits.closed(config.attribute_min_iou)
        limits.min_score[:] = np.where(IS_ATTRIBUTE, config.attribute_min_score, config.object_min_score)
        limits.min_score[list(SIDES)] = config.object_min_score
        limits.max_iou[:] = config.object_max_iou
        limits.min_score[list(JOINTS)], limits.max_iou[list(JOINTS)] = config.joint_min_score, config.joint_max_iou
        self._limits = limits

    def process(self, frames: FrameBatch) -> Parts:
        found = self._detector.find(frames, self._limits)
        return concat([self._parts(frames, row, one) for row, one in enumerate(found)] or [Parts.empty()])

    def stream_ended(self, stream_id: str) -> None:
        self._detector.forget(stream_id)

    def close(self) -> None:
        self._detector.close()

    def _parts(self, frames: FrameBatch, frame_row: int, found: Found) -> Parts:
        """Return what was found in one frame, without what is masked or too much."""
        masks, most = frames.stream(frame_row).config.masks, self.config.max_parts
        rows = np.flatnonzero(~_masked(found, masks)) if masks else np.arange(len(found.label))
        if len(rows) > most:
            rows = rows[np.sort(np.argsort(-found.score[rows], kind="stable")[:most])]
        return Parts(
            frame_row=np.full(len(rows), frame_row, np.int64),
            label=found.label[rows],
            box=found.box[rows],
            score=found.score[rows],
            attribute_scores=found.attribute_scores[rows],
        )


def _masked(found: Found, masks: tuple[Any, ...]) -> Array:
    """Tell what lies under one of the masks: (N,) bool."""
    point = centres(found.box)
    body = np.isin(found.label, (BODY, WHEELCHAIR, CRUTCHES))
    point[body, 1] = (1 - _HEAD_AT) * found.box[body, 1] + _HEAD_AT * found.box[body, 3]
    masked = np.zeros(len(found.label), np.bool_)
    for mask in masks:
        masked |= inside(point, np.asarray(mask, np.float64))
    return masked
