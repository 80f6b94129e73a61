"""Read what the maps take for heads: all that is worth it once, and what is found so once more in the mirror.

The second reading is of the box that the first has moved, as in Cascade R-CNN (Cai and Vasconcelos, 2018), and what is
told is the mean of both: two views of a head of twenty pixels are wrong in different ways.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from training.detector_net import DetectorNet
from training.face_in_head import in_pictures
from training.mirror import boxes_mirrored, vectors_mirrored
from training.peaks import first_of_its_place
from training.second_look_loss import OVERLAP

AGAIN_FROM = 0.1
"""What a head must have after the first reading to be read again; less is below the thresholds of all graphs."""
_LEAST_RAW = 1e-6
_TOLD = 16
"""Numbers that one reading tells of a head."""


class Heads(NamedTuple):
    """What is known of the K boxes of each picture that may be heads."""

    boxes: Tensor
    """(N, K, 4) fractions."""
    raw: Tensor
    """(N, K) how sure they are heads, 0..1; 0 for what was not read."""
    vectors: Tensor
    """(N, K, 6) where heads and eyes point, of any length; to the camera for what was not read."""
    face_boxes: Tensor
    """(N, K, 4) fractions, within the box of the head."""
    face_raw: Tensor
    """(N, K) how sure their faces are seen, 0..1."""


class _Reading(NamedTuple):
    """What is read of the K boxes of each picture; 0 for what was not read."""

    seen: Tensor
    """(N, K) 1 for what was, else 0."""
    logits: Tensor
    """(N, K) of being a head."""
    face_logits: Tensor
    """(N, K) of showing a face."""
    boxes: Tensor
    """(N, K, 4) where they were moved to."""
    face_boxes: Tensor
    """(N, K, 4) fractions."""
    vectors: Tensor
    """(N, K, 6)."""


def read_twice(
    detector: DetectorNet, pictures: Tensor, features: Tensor, boxes: Tensor, raw: Tensor, worth: Tensor
) -> Heads:
    """Return what is known of heads after two readings.

    Args:
        detector: the network.
        pictures: (N, 3, H, W) f32 normalised BGR.
        features: (N, C, h, w) of the same pictures.
        boxes: (N, K, 4) fractions, where the maps see heads, the surest first.
        raw: (N, K) how sure the maps are, 0..1.
        worth: (N, K) 1 for each that is worth reading, else 0.
    """
    flat_raw, places = raw.reshape(-1), int(raw.shape[1])  # in a graph it is fixed
    # The best head of a picture is always in, because runtimes differ on what a batch of no crops does.
    always = torch.arange(places, device=raw.device).eq(0).to(raw.dtype)

    def read(at: Tensor, wanted: Tensor, mirror: Tensor | None = None) -> _Reading:
        some = wanted.maximum(always)
        index = some.reshape(-1).nonzero().squeeze(1)
        from_boxes = at.reshape(-1, 4)[index]
        row = torch.div(index, places, rounding_mode="trunc")
        known, vectors = detector.heads(pictures, features, from_boxes, row, None, mirror)
        face_logits, faces = detector.faces(known)
        logits, moved = detector.again(known, logit(flat_raw[index]), from_boxes, mirror)
        if mirror is not None:
            vectors, faces = vectors_mirrored(vectors, mirror), boxes_mirrored(faces, mirror)
        faces = in_pictures(faces, from_boxes)
        told = torch.cat([logits.unsqueeze(1), face_logits.unsqueeze(1), moved, faces, vectors], 1)
        spread = told.new_zeros(*flat_raw.shape, _TOLD).index_put((index,), told).reshape(-1, places, _TOLD)
        return _Reading(some, spread[..., 0], spread[..., 1], spread[..., 2:6], spread[..., 6:10], spread[..., 10:])

    first = read(boxes, worth)
    sure = first.logits.sigmoid() * worth
    second = read(first.boxes, (sure > AGAIN_FROM).to(raw.dtype), -raw.new_ones(1))
    twice, times = second.seen.unsqueeze(-1), 1.0 + second.seen
    raw = ((first.logits + second.logits) / times).sigmoid() * worth
    boxes = torch.where(twice > 0, second.boxes, first.boxes)
    raw = raw * first_of_its_place(boxes, raw, OVERLAP)
    faces = within((first.face_boxes + second.face_boxes) / times.unsqueeze(-1), boxes)
    seen = ((first.face_logits + second.face_logits) / times).sigmoid()
    # What was not read faces the camera: of a vector of no length runtimes make an angle that is not a number.
    front = raw.new_tensor([0.0, 0.0, -1.0, 0.0, 0.0, -1.0])
    vectors = first.vectors + second.vectors + (1.0 - first.seen).unsqueeze(-1) * front
    return Heads(boxes, raw, vectors, faces, raw * seen)


def logit(raw: Tensor) -> Tensor:
    """Return the logits of what is 0..1, any shape."""
    return (raw.clamp(_LEAST_RAW, 1 - _LEAST_RAW) / (1 - raw).clamp(min=_LEAST_RAW)).log()


def within(boxes: Tensor, bounds: Tensor) -> Tensor:
    """Return boxes (..., 4) cut at the edges of others (..., 4)."""
    low, high = (torch.cat([corner, corner], -1) for corner in (bounds[..., :2], bounds[..., 2:]))
    return torch.minimum(torch.maximum(boxes, low), high)
