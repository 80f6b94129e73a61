"""Detectors of any family behind one form: rows of whole-body labels, boxes in fractions of the frame."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from nodes.adapters.crowds import Crowds
from nodes.adapters.detector_family import Family, Unfit
from nodes.adapters.face_detectors import Scrfd, Yunet
from nodes.adapters.mirrored import Turns, mirrored_pictures, mirrored_rows
from nodes.adapters.person_detectors import Boxes, Yolox
from nodes.adapters.whole_body_detectors import Wholebody25, Wholebody34
from nodes.ops.attribute_rows import IS_ATTRIBUTE, joined
from nodes.ops.boxes import clip_to_frame
from nodes.ops.detected import NO_ROWS, Limits, Rows, kept, together
from nodes.ops.face_heads import HEAD_OF_FACE, heads_of_faces
from nodes.ops.wholebody import BODY, FACE, HEAD
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.letterbox import content_size
from pipeline.node import Context
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

logger = logging.getLogger(__name__)

_Side = Annotated[int, Field(ge=32, le=4096)]
SizeWh = tuple[_Side, _Side]
"""Width and height of what a detector is shown, pixels."""

FAMILIES: dict[str, type[Family]] = {
    "wholebody34": Wholebody34,
    "wholebody25": Wholebody25,
    "yolox": Yolox,
    "boxes": Boxes,
    "yunet": Yunet,
    "scrfd": Scrfd,
}
"""By the `family` of the card."""


@dataclass(frozen=True)
class Found:
    """What a detector found in one frame, ordered by label, then best score first."""

    label: Array
    """(N,) int64, numbered as in `ops.wholebody.NAMES`; never one of an attribute."""
    box: Array
    """(N, 4) float32, inside the frame."""
    score: Array
    """(N,) float32."""
    attribute_scores: Array
    """(N, 14) float32 in the order of `ops.wholebody.ATTRIBUTES`, 0 unseen."""


@dataclass(frozen=True)
class _Input:
    """What a model takes."""

    name: str
    layout: Literal["nchw", "nhwc"]
    dtype: Literal["float32", "uint8"]
    one_by_one: bool
    """It takes one picture at a time."""


class Detector:
    """An opened detector.

    Attributes:
        labels: what it finds, numbered as in `ops.wholebody.NAMES`, rising. Who finds faces finds heads, too.
    """

    def __init__(self, context: Context, session: Session, family: Family, taken: _Input, turns: Turns) -> None:
        self._device, self._session, self._family, self._taken = context.device, session, family, taken
        self._crowds, self._turns = Crowds(), turns
        card = session.card
        self._picture, self._size_wh = card.picture, card.input_size_wh or (1, 1)
        by_faces = FACE in family.labels and HEAD not in family.labels
        self.labels = tuple(sorted({*family.labels, HEAD})) if by_faces else family.labels
        ratio = card.face_to_head
        self._scale = card.picture.mean, card.picture.std
        self._head_of_face = (ratio.width, ratio.height, ratio.up) if ratio else HEAD_OF_FACE
        self._by_faces = by_faces
        self._things = [label for label in family.labels if not IS_ATTRIBUTE[label]]

    def find(self, frames: FrameBatch, limits: Limits) -> list[Found]:
        """Run the model on the frames of a tick: on a GPU in one call where it can, on a CPU one by one.

        On a CPU it costs the same, and sums of a frame are rounded in one way, whatever frames come with it.

        Args:
            frames: with pictures. None is no call.
            limits: which rows count, by label; those of attributes have a `min_score` of their own.

        Returns:
            What was found, one for each frame.
        """
        if not len(frames):
            return []
        taken, how = self._taken, self._picture
        images = self._device.model_input(
            frames, self._size_wh, how.colour, taken.layout, taken.dtype, how.fit, how.shrink, how.fill, *self._scale
        )
        mirrored = self._turns.take(frames)
        images = mirrored_pictures(images, mirrored, taken.layout)
        count = 1 if taken.one_by_one or self._device.kind == "cpu" else len(frames)
        found = []
        for first in range(0, len(frames), count):
            answer = self._session.run({taken.name: images[first : first + count]})
            outputs = {name: self._device.to_host(answer[name]) for name in self._family.outputs}
            for picture in range(min(count, len(frames) - first)):
                row = first + picture
                found.append(self._found(frames, row, outputs, picture, limits, mirrored=bool(mirrored[row])))
        return found

    def forget(self, stream_id: str) -> None:
        """Forget a stream that ended."""
        self._crowds.forget(stream_id)
        self._turns.forget(stream_id)

    def close(self) -> None:
        """Let go of the model."""
        self._session.close()

    def _found(
        self,
        frames: FrameBatch,
        frame_row: int,
        outputs: dict[str, Array],
        picture: int,
        limits: Limits,
        *,
        mirrored: bool,
    ) -> Found:
        """Return what the outputs of a call say of one of its pictures."""
        self._note_crowd(frames, frame_row, outputs, picture, limits)
        rows = self._family.rows(outputs, picture, self._least(limits.min_score))
        if mirrored:
            rows = mirrored_rows(rows)
        if self._picture.fit == "letterbox":
            rows = rows._replace(box=rows.box / self._filled(frames, frame_row))
        if self._by_faces:
            heads = Rows(np.full(len(rows.label), HEAD), heads_of_faces(rows.box, *self._head_of_face), rows.score)
            rows = together([rows, heads])
        rows = rows._replace(box=clip_to_frame(rows.box))
        says = IS_ATTRIBUTE[rows.label]
        things, attributes = (rows.take(~says), rows.take(says)) if says.any() else (rows, NO_ROWS)
        things = things.take(kept(things, limits))
        return Found(things.label, things.box, things.score, joined(things, attributes, limits.attribute_min_iou))

    def _least(self, min_score: Array) -> Array:
        """Return the limits of what the model itself finds: a face counts where it is wanted as a head."""
        if not self._by_faces:
            return min_score
        least = min_score.copy()
        least[FACE] = min(min_score[FACE], min_score[HEAD])
        return least

    def _filled(self, frames: FrameBatch, frame_row: int) -> Array:
        """Return which share of the input a frame fills, as a divisor of boxes (4,) float32."""
        width, height = frames.size_wh[frame_row].tolist()
        wide, high = content_size((width, height), self._size_wh)
        wide_share, high_share = wide / self._size_wh[0], high / self._size_wh[1]
        return np.array([wide_share, high_share, wide_share, high_share], np.float32)

    def _note_crowd(
        self, frames: FrameBatch, frame_row: int, outputs: dict[str, Array], picture: int, limits: Limits
    ) -> None:
        """Warn where the model has no row left for a thing that would count."""
        lowest = self._family.full_at(outputs, picture)
        if lowest > 0 and lowest >= limits.min_score[self._things].min():
            self._crowds.note(frames, frame_row, outputs[self._family.outputs[0]].shape[1], lowest)


def open_detector(
    context: Context,
    name: str,
    where: str,
    size_wh: tuple[int, int] | None = None,
    *,
    mirror_every_other: bool = False,
) -> Detector:
    """Open the detector of a card and hold it to the contract of its family.

    Args:
        context: of the node that runs it.
        name: of the card, as the node is given it.
        where: how messages call what names the card: `detect_people.model`.
        size_wh: width and height that pictures are brought to, pixels; None: as the card says.
        mirror_every_other: whether every other frame of a stream is shown in the mirror.

    Raises:
        ConfigError: there is no such card.
        ModelError: the file is missing, is no detector of its family, or takes pictures of another size only; says what
            was expected and what it has.
    """
    session = context.open_session(name, size_wh=size_wh)
    card = session.card
    if card.family not in FAMILIES or card.input_size_wh is None:
        raise ModelError(
            f"{where}: expected a card of a detector ({', '.join(FAMILIES)}) with input_size_wh, got {name!r} of "
            f"{card.family!r} with {card.input_size_wh}; choose a detector"
        )
    try:
        taken, family = _input_of(session), FAMILIES[card.family].of(session)
    except Unfit as unfit:
        cure = f"give a file of the family {card.family!r}, or correct the card"
        raise ModelError(f"{where}: {name!r}: {unfit}; {cure}") from unfit
    if not {BODY, HEAD, FACE} & set(family.labels):
        raise ModelError(
            f"{where}: expected a detector of bodies, heads or faces, got {name!r} with the classes "
            f"{list(card.classes.values())}; correct the classes of its card"
        )
    if family.unknown:
        logger.warning("model %s: classes that nothing here knows are left out: %s", name, ", ".join(family.unknown))
    return Detector(context, session, family, taken, Turns(every_other=mirror_every_other))


def _input_of(session: Session) -> _Input:
    """Return what a model takes.

    Raises:
        Unfit: not one input of pictures, one or any number at a time.
    """
    if len(session.inputs) != 1:
        raise Unfit(f"expected one input, got {list(session.inputs)}")
    ((name, (shape, dtype)),) = session.inputs.items()
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or dtype not in ("float32", "uint8"):
        raise Unfit(f"expected pictures of 3 channels, float32 or uint8, got the input {name!r} {list(shape)} {dtype}")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise Unfit(f"expected a model that takes one picture at a time, or any number, got {shape[0]} at a time")
    how = session.card.picture
    if dtype == "uint8" and (any(how.mean) or set(how.std) != {1.0}):
        raise Unfit(f"expected no mean and std beside an input of uint8, got {how.mean} and {how.std}")
    layout: Literal["nchw", "nhwc"] = "nchw" if shape[1] == 3 else "nhwc"
    return _Input(name, layout, "uint8" if dtype == "uint8" else "float32", shape[0] == 1)
