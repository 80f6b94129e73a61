"""The shipped detector: networks, peak picking and row sorting in one graph with the DEIMv2-Wholebody34 contract.

Rows are `[label, x1, y1, x2, y2, score]`, fractions of the frame, sorted by score. Labels: 0 body, 7 head, 16 face, and
8-15 the head directions in steps of 45 degrees: 8 front, 9 right-front, 10 right-side, ... 12 back, ... 15 left-front,
where right is the right of the image. A direction row repeats its head's box. Each head has two: the score of the head
is split between the two directions beside the estimated yaw so that the sum of score times direction vector points
along that yaw. The box of a face lies in that of its head, and its score is at most about that of the head.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.detector_net import CLASSES, MULTIPLE_PX, DetectorNet, maps_of
from training.face_in_head import in_pictures
from training.layers import normalise
from training.peaks import first_of_its_place, peaks
from training.second_look_loss import OVERLAP
from training.worth_a_look import ALONE_FROM, worth_a_look

BODY_LABEL, HEAD_LABEL, FRONT_LABEL, FACE_LABEL = 0.0, 7.0, 8.0, 16.0
LABELS = {"body": BODY_LABEL, "head": HEAD_LABEL, "face": FACE_LABEL}
DIRECTIONS = 8
PER_CLASS = 40
ROWS_PER_CLASS = len(LABELS) + 2
_OVERLAPS = {"body": 0.6, "head": OVERLAP}
"""Two boxes of a class that overlap more are one."""
_BIN_RAD = 2 * math.pi / DIRECTIONS
_LEAST_RAW = 1e-6


class Calibration(nn.Module):
    """Turn what a network is sure of into the share of boxes that are right, class by class (Platt, 1999)."""

    def __init__(self, lines: dict[str, tuple[float, float]]) -> None:
        """Take slope and offset of each class."""
        super().__init__()
        slope, offset = zip(*(lines[name] for name in LABELS), strict=True)
        self.register_buffer("slope", torch.tensor(slope))
        self.register_buffer("offset", torch.tensor(offset))

    def forward(self, raw: Tensor, name: str) -> Tensor:
        """Return scores 0..1 of raw ones 0..1, any shape, of a class; 0 stays 0."""
        row = list(LABELS).index(name)
        return (logit(raw) * self.slope[row] + self.offset[row]).sigmoid() * (raw > 0).to(raw.dtype)


class Heads(NamedTuple):
    """What is known of the K boxes of each picture that may be heads."""

    boxes: Tensor
    """(N, K, 4) fractions."""
    raw: Tensor
    """(N, K) how sure they are heads, 0..1."""
    first_bin: Tensor
    """(N, K) f32 the lower direction beside the yaw."""
    first_share: Tensor
    """(N, K) that direction's share."""
    face_boxes: Tensor
    """(N, K, 4) fractions, within the box of the head."""
    face_raw: Tensor
    """(N, K) how sure their faces are seen, 0..1."""


class DetectorGraph(nn.Module):
    """Pictures of any size to sorted rows; heads are those that a second look tells of."""

    def __init__(self, detector: DetectorNet, alone_from: float = ALONE_FROM) -> None:
        super().__init__()
        self.detector, self.alone_from = detector, alone_from
        self.calibration = Calibration(dict.fromkeys(LABELS, (1.0, 0.0)))

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (N, 5 * 40, 6) f32 sorted by score; unused rows have score 0.

        Args:
            input_bgr: (N, 3, H, W) f32 0-255, any H and W; read at the nearest multiples of 32.
        """
        size_hw = [(input_bgr.shape[k] + MULTIPLE_PX // 2) // MULTIPLE_PX * MULTIPLE_PX for k in (2, 3)]
        pictures = normalise(F.interpolate(input_bgr, size=size_hw, mode="bilinear", align_corners=False))
        maps, features = self.detector(pictures)
        body, head = (peaks(maps_of(maps, k), PER_CLASS, _OVERLAPS[name]) for k, name in enumerate(CLASSES))
        heads = self._of_heads(pictures, features, *head, worth_a_look(*head, *body, self.alone_from))
        found = {"body": body, "head": (heads.boxes, heads.raw), "face": (heads.face_boxes, heads.face_raw)}
        scores = {name: self.calibration(raw, name) for name, (_, raw) in found.items()}
        last = heads.first_bin > DIRECTIONS - 1.5
        second_bin = torch.where(last, torch.zeros_like(heads.first_bin), heads.first_bin + 1.0)
        rows = [_rows(torch.full_like(score, LABELS[name]), found[name][0], score) for name, score in scores.items()]
        rows.append(_rows(FRONT_LABEL + heads.first_bin, heads.boxes, scores["head"] * heads.first_share))
        rows.append(_rows(FRONT_LABEL + second_bin, heads.boxes, scores["head"] * (1.0 - heads.first_share)))
        together = torch.cat(rows, 1)
        order = together[..., 5].topk(ROWS_PER_CLASS * PER_CLASS).indices
        return together.gather(1, order.unsqueeze(-1).expand(-1, -1, 6))

    def _of_heads(self, pictures: Tensor, features: Tensor, boxes: Tensor, raw: Tensor, worth: Tensor) -> Heads:
        """Return what is known of each head after a second look; what is not worth one has no score.

        Args:
            pictures: (N, 3, H, W) f32 normalised BGR.
            features: (N, C, h, w) of the same pictures.
            boxes: (N, K, 4) fractions, where the maps see heads, the surest first.
            raw: (N, K) how sure the maps are, 0..1.
            worth: (N, K) 1 for each that is worth a second look, else 0.
        """
        # The best head of a picture is always in, because runtimes differ on what a batch of no crops does.
        wanted = torch.cat([torch.ones_like(worth[:, :1]), worth[:, 1:]], 1)
        row, rank = wanted.nonzero(as_tuple=True)
        first_boxes = boxes[row, rank]
        known, vectors = self.detector.heads(pictures, features, first_boxes, row)
        logits, faces = self.detector.faces(known)
        again, moved = self.detector.again(known, logit(raw[row, rank]), first_boxes)
        boxes = boxes.index_put((row, rank), moved)
        raw = torch.zeros_like(raw).index_put((row, rank), again.sigmoid()) * worth
        raw = raw * first_of_its_place(boxes, raw, _OVERLAPS["head"])
        # The others keep (0, 0, -1): front, with a share of 1 of no score; and no face.
        head_xz = torch.cat([torch.zeros_like(boxes[..., :1]), -torch.ones_like(boxes[..., :1])], -1)
        head_xz = head_xz.index_put((row, rank), torch.stack([vectors[:, 0], vectors[:, 2]], -1))
        face_boxes = torch.zeros_like(boxes).index_put((row, rank), in_pictures(faces, first_boxes))
        face_seen = torch.zeros_like(raw).index_put((row, rank), logits.sigmoid())
        first_bin, first_share = split_yaw(head_xz[..., 0], head_xz[..., 1])
        return Heads(boxes, raw, first_bin, first_share, within(face_boxes, boxes), raw * face_seen)


def logit(raw: Tensor) -> Tensor:
    """Return the logits of what is 0..1, any shape."""
    return (raw.clamp(_LEAST_RAW, 1 - _LEAST_RAW) / (1 - raw).clamp(min=_LEAST_RAW)).log()


def within(boxes: Tensor, bounds: Tensor) -> Tensor:
    """Return boxes (..., 4) cut at the edges of others (..., 4)."""
    low, high = (torch.cat([corner, corner], -1) for corner in (bounds[..., :2], bounds[..., 2:]))
    return torch.minimum(torch.maximum(boxes, low), high)


def split_yaw(x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Split a heading between the two neighbouring directions.

    Args:
        x: (...) component to image right.
        z: (...) component away from the camera; facing the camera is negative.

    Returns:
        The direction 0..7 at or below the yaw as f32, and its share of the score in 0..1; the next has the rest.
        The sum of share times unit vector of the two directions points exactly along the yaw.
    """
    yaw = torch.atan2(x, -z)
    yaw = torch.where(yaw < 0, yaw + 2 * math.pi, yaw)
    lower = (yaw / _BIN_RAD).floor().clamp(max=DIRECTIONS - 1.0)
    beyond = (yaw - lower * _BIN_RAD).clamp(0.0, _BIN_RAD)
    lower_weight, upper_weight = torch.sin(_BIN_RAD - beyond), torch.sin(beyond)
    return lower, lower_weight / (lower_weight + upper_weight)


def _rows(labels: Tensor, boxes: Tensor, scores: Tensor) -> Tensor:
    return torch.cat([labels.unsqueeze(-1), boxes, scores.unsqueeze(-1)], -1)
