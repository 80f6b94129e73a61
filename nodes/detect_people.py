"""Detect people: heads, bodies and head directions in single frames, heads joined to their bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.assignment import assign
from nodes.ops.association import fit_in_body
from nodes.ops.boxes import best_without_doubles, centres, clip_to_frame, iou, sizes
from nodes.ops.polygon import inside
from nodes.types import Detections
from pipeline.cards import card_problems
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.session import Session
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

DIRECTIONS = ("front", "right-front", "right-side", "right-back", "back", "left-back", "left-side", "left-front")
"""Class names of the head directions; right is the right of the image."""
LABEL, BOX, SCORE = 0, slice(1, 5), 5
"""Columns of the model's rows."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str = Field(default="people-shop-480", json_schema_extra={"card": True})
    """Card of a detector of the family `wholebody34`: a name in configs/models, or a path to a card or .onnx file."""
    head_min_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Heads with a lower score are left out. Raise for fewer false heads, lower for far and dim ones. Tune first."""
    lone_head_min_score: float = Field(default=0.0, ge=0, le=1, json_schema_extra=LIVE)
    """Heads that found no body are left out below this score. Raise when round things on shelves are taken for heads:
    they have no body; too high, and people behind counters are lost."""
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
        return {"model": card_problems(self.model, root)}


class DetectPeople(Node[Config]):
    """Run the detector on whole frames, stretched to its size, and make people of its rows.

    Per frame: rows below the thresholds, outside the frame or too small go; doubled boxes of a class go; each
    direction joins the head it overlaps most; heads and bodies are paired one to one so that the total fit is best,
    and whoever finds no partner stays alone, heads only if they are sure enough; people under a mask of their stream
    go.

    State: none.
    Empty: no frames, no call of the model; no rows, no people.
    Ref: row format of DEIMv2-Wholebody34 (Apache-2.0); the pairing of heads and bodies is ours, see `ops.association`.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        self._session: Session = self.context.open_session(self.config.model)
        card = self._session.card
        names = {name.replace("_", "-"): label for label, name in card.classes.items()}
        if card.family != "wholebody34" or card.input_size_wh is None or not {"head", "body"} <= names.keys():
            raise ModelError(
                f"detect_people.model: expected a card of the family 'wholebody34' with input_size_wh and the classes "
                f"'head' and 'body', got {self.config.model!r} of {card.family!r} with {sorted(names)}; "
                f"choose a detector"
            )
        self._size_wh: tuple[int, int] = card.input_size_wh
        self._head, self._body = names["head"], names["body"]
        self._directions = np.array([names.get(name, -1) for name in DIRECTIONS])
        self._one_by_one = self._session.inputs["input_bgr"][0][0] == 1

    def process(self, frames: FrameBatch) -> Detections:
        if not len(frames):
            return Detections.empty()
        images = self.context.device.model_input(frames, self._size_wh)
        count = 1 if self._one_by_one else len(frames)
        people = []
        for first in range(0, len(frames), count):
            answer = self._session.run({"input_bgr": images[first : first + count]})["label_xyxy_score"]
            for row, found in enumerate(self.context.device.to_host(answer), first):
                people.append(self._people(frames, row, found))
        return concat(people)

    def close(self) -> None:
        self._session.close()

    def _people(self, frames: FrameBatch, frame_row: int, found: Array) -> Detections:
        """Make people of the model's rows (Q, 6) of one frame."""
        found = found[np.isfinite(found).all(axis=1) & (found[:, SCORE] > 0)]
        config = self.config
        head_box, head_score = _of_class(
            found, self._head, config.head_min_score, config.min_head_height, config.head_max_iou
        )
        body_box, body_score = _of_class(
            found, self._body, config.body_min_score, config.min_body_height, config.body_max_iou
        )
        directions = self._direction_scores(found, head_box)
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
        lone = np.isnan(people.body_box[:, 0]) & (people.head_score < config.lone_head_min_score)
        people = people.take(~lone & ~_masked(people, frames.stream(frame_row).config.masks))
        best_first = np.argsort(-np.maximum(people.head_score, people.body_score), kind="stable")
        return people.take(best_first[: config.max_people])

    def _direction_scores(self, found: Array, head_box: Array) -> Array:
        """Return the direction scores (N, 8) of heads (N, 4): of each direction the best row on the head."""
        scores = np.zeros((len(head_box), len(DIRECTIONS)), np.float32)
        label_is = found[:, LABEL : LABEL + 1] == self._directions  # (Q, 8)
        of_head = label_is.any(axis=1) & (found[:, SCORE] >= self.config.direction_min_score)
        rows, direction = found[of_head], label_is[of_head].argmax(axis=1)
        if len(head_box) and len(rows):
            overlap = iou(clip_to_frame(rows[:, BOX]), head_box)  # (R, N)
            head = overlap.argmax(axis=1)
            sure = overlap[np.arange(len(rows)), head] >= self.config.direction_min_iou
            np.maximum.at(scores, (head[sure], direction[sure]), rows[sure, SCORE])
        return scores


def _of_class(found: Array, label: int, min_score: float, min_height: float, max_iou: float) -> tuple[Array, Array]:
    """Return boxes (N, 4) and scores (N,) of one class, best first: inside the frame, large enough, not doubled."""
    rows = found[(found[:, LABEL] == label) & (found[:, SCORE] >= min_score)]
    boxes = clip_to_frame(rows[:, BOX])
    size = sizes(boxes)
    large = (size > 0).all(axis=1) & (size[:, 1] >= min_height)
    boxes, scores = boxes[large], rows[large, SCORE]
    kept = best_without_doubles(boxes, scores, max_iou)
    return boxes[kept].astype(np.float32), scores[kept].astype(np.float32)


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
