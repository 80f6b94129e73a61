"""Models that look at one thing at a time: opened, shown what their card has cut out of pictures, and asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.boxes import crops_around
from pipeline.card_fields import Crop
from pipeline.cards import ModelCard
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Context
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class CropModel:
    """An opened model that takes one crop of a picture, or any number at a time."""

    session: Session
    input: str
    size_wh: tuple[int, int]
    crop: Crop

    @property
    def card(self) -> ModelCard:
        """What the model is."""
        return self.session.card

    def close(self) -> None:
        """Let go of the model."""
        self.session.close()

    def cut_out(self, device: Device, frames: FrameBatch, frame_row: Array, boxes: Array) -> Any:
        """Return the crops of K boxes (K, 4) of frames (K,), as the card has them: (K, C, H, W) f32 on the device."""
        return cut_out(device, frames, frame_row, boxes, self.size_wh, self.crop)

    def answers(self, device: Device, crops: Any, frame_row: Array) -> dict[str, Array]:
        """Return what the model says of K crops of frames (K,), K > 0, by output, on the host."""
        return answers(self.session, device, {self.input: crops}, frame_row)


def open_crop_model(context: Context, card: str, where: str, family: str, block: str = "") -> CropModel:
    """Open a model with one input, a picture: see `crop_model`."""
    return crop_model(context.open_session(card), card, where, family, block)


def crop_model(session: Session, card: str, where: str, family: str, block: str = "") -> CropModel:
    """Take an opened model with one input, a picture.

    Args:
        session: the model.
        card: as it stands in the node's configuration.
        where: the node and its field, for messages.
        family: that the card must be of.
        block: what else the card must have, such as `head_pose`.

    Raises:
        ModelError: the card is of another family, or the model takes something else than crops.
    """
    found, shapes = session.card, [shape for shape, _ in session.inputs.values()]
    lacks = found.family != family or found.input_size_wh is None or (block and getattr(found, block) is None)
    if lacks or len(shapes) != 1:
        wanted = f"input_size_wh, {block} and one input" if block else "input_size_wh and one input"
        raise ModelError(
            f"{where}: expected a card of the family {family!r} with {wanted}, got {card!r} of {found.family!r} with "
            f"{sorted(session.inputs)}; choose a model of that family"
        )
    check_batch(session, card, where)
    channels = 1 if found.crop.colour == "grey" else 3
    if isinstance(shapes[0][1], int) and shapes[0][1] != channels:
        raise ModelError(
            f"{where}: expected an input of {channels} channels for crops in {found.crop.colour!r}, got {shapes[0][1]} "
            f"in {card!r}; correct crop.colour in the card"
        )
    assert found.input_size_wh is not None
    return CropModel(session, next(iter(session.inputs)), found.input_size_wh, found.crop)


def check_batch(session: Session, card: str, where: str) -> None:
    """Refuse models that take a fixed number of things, other than one, at a time.

    Raises:
        ModelError: it is such a model.
    """
    for shape, _ in session.inputs.values():
        if isinstance(shape[0], int) and shape[0] != 1:
            raise ModelError(
                f"{where}: expected a model that takes one crop at a time, or any number, got {shape[0]} at a time in "
                f"{card!r}; export it with a free first axis"
            )


def cut_out(
    device: Device, frames: FrameBatch, frame_row: Array, boxes: Array, size_wh: tuple[int, int], crop: Crop
) -> Any:
    """Return what a recipe cuts out around K boxes (K, 4), fractions of their frames: (K, C, H, W) f32 on the device.

    A margin on a larger scale, of which only the middle is kept, is one crop of the product: 1.2 of the box shrunk to
    256 pixels, of which the middle 224 are kept, is a scale of 1.2 · 224 / 256 = 1.05.
    """
    size = frames.size_wh[frame_row]
    around = crops_around(boxes, size[:, 0] / size[:, 1], crop.scale, crop.down, crop.square)
    pixels = device.crops(frames, frame_row, around, size_wh, crop.colour)
    return normalised(device, pixels, crop)


def normalised(device: Device, pixels: Any, crop: Crop) -> Any:
    """Return pixels (K, C, H, W), 0 to 255, with the values that the recipe gives them."""
    channels = 1 if crop.colour == "grey" else 3
    mean, std = (np.array(each[:channels], np.float32)[:, None, None] for each in (crop.mean, crop.std))
    return (pixels - device.xp.asarray(mean)) / device.xp.asarray(std)


def answers(session: Session, device: Device, inputs: Mapping[str, Any], frame_row: Array) -> dict[str, Array]:
    """Return what a model says of K things, K > 0, by output, on the host.

    In one call where it can; on a CPU in one for the things of each frame, which costs the same, and sums of a thing
    are rounded in one way, whatever frames come with its own.

    Args:
        session: the model.
        device: where it runs.
        inputs: by name, (K, ...) on the device.
        frame_row: (K,) the frame of each, those of one frame next to each other.
    """
    count = len(frame_row)
    if any(shape[0] == 1 for shape, _ in session.inputs.values()):
        firsts = list(range(count))
    else:
        firsts = [0, *(np.flatnonzero(np.diff(frame_row)) + 1).tolist()] if device.kind == "cpu" else [0]
    parts = [
        session.run({name: array[first:end] for name, array in inputs.items()})
        for first, end in zip(firsts, [*firsts[1:], count], strict=True)
    ]
    return {name: np.concatenate([device.to_host(part[name]) for part in parts]) for name in parts[0]}
