"""Detect people in single frames: heads and head directions, joined to their bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.adapters.detectors import FAMILIES, Detector, Found, SizeWh, open_detector
from nodes.ops.assignment import assign
from nodes.ops.association import fit_in_body
from nodes.ops.boxes import centres
from nodes.ops.detected import Limits, Rows, kept
from nodes.ops.polygon import inside
from nodes.ops.wholebody import ATTRIBUTES, BODY, HEAD, NAMES
from nodes.types import Detections, Parts
from pipeline.cards import card_problems
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

FRONT = ATTRIBUTES.index("front")
DIRECTIONS = slice(FRONT, FRONT + 8)
"""Columns of the head directions among the attributes."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str | None = Field(default="people-shop-480", json_schema_extra={"card": True})
    """Card of a detector of any family: a name in configs/models, or a path to a card or .onnx file. null: people are
    made of what `detect_parts` found, whose edge is then connected to `parts`."""
    input_size_wh: SizeWh | None = None
    """Width and height that pictures are brought to, pixels. null: as the card says. For files that take any size: the
    one that ships is made for 320 × 192 to 640 × 384, and reads the nearest multiples of 32. Raise for far and small
    people; lower to save time, which goes with the area."""
    mirror_every_other: bool = False
    """Show the model every other frame of a stream in the mirror: errors that lean to one side then lean to both in
    turn, and smoothing takes them away, at next to no cost. Leave off where frames are not followed over time, or where
    things look otherwise in the mirror, as signs do."""
    head_min_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Heads with a lower score are left out. Raise for fewer false heads, lower for far and dim ones. Tune first."""
    lone_head_min_score: float = Field(default=0.0, ge=0, le=1, json_schema_extra=LIVE)
    """Heads that found no body are left out below this score, unless the model knows no bodies, as detectors of faces.
    Raise when round things on shelves are taken for heads: they have no body; too high, and people behind counters are
    lost."""
    body_min_score: float = Field(default=0.35, ge=0, le=1, json_schema_extra=LIVE)
    """Bodies with a lower score are left out. Raise for fewer false bodies, lower for half-hidden ones."""
    direction_min_score: float = Field(default=0.02, ge=0, le=1, json_schema_extra=LIVE)
    """Head directions with a lower score are left out. Raise it for models that give every direction some score."""
    direction_min_iou: float = Field(default=0.7, gt=0, le=1, json_schema_extra=LIVE)
    """Overlap from which a direction belongs to a head. Raise when directions of touching heads are mixed up."""
    head_max_iou: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """Two heads that overlap more are one. Raise when heads behind each other are lost, lower when one is doubled."""
    body_max_iou: float = Field(default=0.7, ge=0, le=1, json_schema_extra=LIVE)
    """Two bodies that overlap more are one. Raise when people in a queue are lost, lower when one is doubled."""
    min_fit: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """How well a head must fit a body to be its head (0 to 1). Raise when heads are given to other people's bodies,
    lower when people who bend or stretch fall apart into head and body."""
    min_head_height: float = Field(default=0.012, ge=0, le=1, json_schema_extra=LIVE)
    """Lower heads are left out: fraction of the frame's height. Raise to ignore people far away."""
    min_body_height: float = Field(default=0.03, ge=0, le=1, json_schema_extra=LIVE)
    """Lower bodies are left out: fraction of the frame's height. Raise to ignore people far away."""
    max_people: int = Field(default=100, ge=1, json_schema_extra=LIVE)
    """People kept per frame, best scores first. Lower to bound the cost of everything below in a crowd."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        if self.model:
            return {"model": card_problems(self.model, root, tuple(FAMILIES))}
        if self.input_size_wh is None:
            return {"model": []}
        cure = "set that of the detector that finds the parts"
        return {"input_size_wh": [f"expected null without a model, got {list(self.input_size_wh)}; {cure}"]}


class DetectPeople(Node[Config]):
    """Run the detector on whole frames, and make people of the heads and bodies it finds.

    Per frame: rows below the thresholds, outside the frame or too small go; doubled boxes of a class go; each
    direction joins the head it overlaps most; heads and bodies are paired one to one so that the total fit is best,
    and whoever finds no partner stays alone, heads only if they are sure enough; people under a mask of their stream
    go. Detectors of faces tell a head about each face, and give heads without bodies; detectors of persons give bodies
    without heads.

    Without a model, heads and bodies are those among the `parts`, and held to the same thresholds.

    State: which crowds were warned of, and whose next frame is mirrored.
    Empty: no frames, no call of the model; no rows, no people.
    Ref: row format of DEIMv2-Wholebody34 (Apache-2.0); the pairing of heads and bodies is ours, see `ops.association`.
    """

    begins_stage = True
    reads_pictures = True
    in_place_of_model = "parts"

    @classmethod
    def without_model(cls, config: Config) -> bool:
        return config.model is None

    def open(self) -> None:
        self._detector: Detector | None = None
        if self.config.model is not None:
            self._detector = open_detector(
                self.context,
                self.config.model,
                "detect_people.model",
                self.config.input_size_wh,
                mirror_every_other=self.config.mirror_every_other,
            )
        self._alone_is_usual = self._detector is not None and BODY not in self._detector.labels
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        limits = Limits.closed(config.direction_min_iou)
        limits.min_score[NAMES.index("front") :][:8] = config.direction_min_score
        for label, min_score, max_iou, min_height in (
            (HEAD, config.head_min_score, config.head_max_iou, config.min_head_height),
            (BODY, config.body_min_score, config.body_max_iou, config.min_body_height),
        ):
            limits.min_score[label], limits.max_iou[label], limits.min_height[label] = min_score, max_iou, min_height
        self._limits = limits

    def process(self, frames: FrameBatch, parts: Parts | None = None) -> Detections:
        if self._detector:
            found = self._detector.find(frames, self._limits)
        else:
            found = [self._among(parts, row) for row in range(len(frames))] if parts is not None else []
        return concat([self._people(frames, row, one) for row, one in enumerate(found)] or [Detections.empty()])

    def stream_ended(self, stream_id: str) -> None:
        if self._detector:
            self._detector.forget(stream_id)

    def close(self) -> None:
        if self._detector:
            self._detector.close()

    def _among(self, parts: Parts, frame_row: int) -> Found:
        """Return the heads and bodies among the parts of one frame."""
        here = parts.take(parts.frame_row == frame_row)
        here = here.take(kept(Rows(here.label, here.box, here.score), self._limits))
        said = np.where(here.attribute_scores >= self.config.direction_min_score, here.attribute_scores, 0)
        return Found(here.label, here.box, here.score, said)

    def _people(self, frames: FrameBatch, frame_row: int, found: Found) -> Detections:
        """Make people of what was found in one frame."""
        config = self.config
        head, body = found.label == HEAD, found.label == BODY
        head_box, head_score, directions = found.box[head], found.score[head], found.attribute_scores[head, DIRECTIONS]
        body_box, body_score = found.box[body], found.score[body]
        heads, bodies = assign(fit_in_body(head_box, body_box) - config.min_fit)
        alone = np.setdiff1d(np.arange(len(body_box)), bodies)
        count = len(head_box) + len(alone)
        people = Detections(
            frame_row=np.full(count, frame_row, np.int64),
            head_box=_with_gaps(head_box, len(alone), np.nan),
            head_score=_with_gaps(head_score, len(alone), 0),
            body_box=np.concatenate([_placed(body_box, bodies, heads, len(head_box), np.nan), body_box[alone]]),
            body_score=np.concatenate([_placed(body_score, bodies, heads, len(head_box), 0), body_score[alone]]),
            direction_scores=_with_gaps(directions, len(alone), 0),
            appearance=np.empty((count, 0), np.float32),
        )
        least = 0.0 if self._alone_is_usual else config.lone_head_min_score
        lone = np.isnan(people.body_box[:, 0]) & (people.head_score < least)
        people = people.take(~lone & ~_masked(people, frames.stream(frame_row).config.masks))
        best_first = np.argsort(-np.maximum(people.head_score, people.body_score), kind="stable")
        return people.take(best_first[: config.max_people])


def _with_gaps(column: Array, count: int, gap: float) -> Array:
    """Return a column with `count` rows of `gap` behind."""
    return np.concatenate([column, np.full((count, *column.shape[1:]), gap, np.float32)])


def _placed(column: Array, picked: Array, places: Array, count: int, gap: float) -> Array:
    """Return a column of `count` rows of `gap`, with the rows `picked` at `places`."""
    placed = np.full((count, *column.shape[1:]), gap, np.float32)
    placed[places] = column[picked]
    return placed


def _masked(people: Detections, masks: tuple[Any, ...]) -> Array:
    """Tell whose head centre, or body centre where no head was seen, lies in one of the masks: (N,) bool."""
    box = np.where(np.isnan(people.head_box), people.body_box, people.head_box)
    masked = np.zeros(len(people), np.bool_)
    for mask in masks:
        masked |= inside(centres(box), np.asarray(mask, np.float64))
    return masked
