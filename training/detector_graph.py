"""The shipped detector: networks, peak picking and row sorting in one graph with the DEIMv2-Wholebody34 contract.

Rows are `[label, x1, y1, x2, y2, score]`, fractions of the frame, sorted by score. Labels: 0 body, 7 head, 16 face, and
8-15 the head directions in steps of 45 degrees: 8 front, 9 right-front, 10 right-side, ... 12 back, ... 15 left-front,
where right is the right of the image. A direction row repeats its head's box. Each head has two: the score of the head
is split between the two directions beside the estimated yaw so that the sum of score times direction vector points
along that yaw. The box of a face lies in that of its head, and its score is at most about that of the head.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.detector_net import CLASSES, MULTIPLE_PX, STRIDE_PX, DetectorNet, boxes_px, maps_of
from training.face_in_head import in_pictures
from training.layers import normalise

BODY_LABEL, HEAD_LABEL, FRONT_LABEL, FACE_LABEL = 0.0, 7.0, 8.0, 16.0
LABELS = {"body": BODY_LABEL, "head": HEAD_LABEL, "face": FACE_LABEL}
DIRECTIONS = 8
PER_CLASS = 40
ROWS_PER_CLASS = len(LABELS) + 2
_OVERLAPS = {"body": 0.6, "head": 0.4}
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
        logits = (raw.clamp(_LEAST_RAW, 1 - _LEAST_RAW) / (1 - raw).clamp(min=_LEAST_RAW)).log()
        return (logits * self.slope[row] + self.offset[row]).sigmoid() * (raw > 0).to(raw.dtype)


class DetectorGraph(nn.Module):
    """Pictures of any size to sorted rows; directions and faces are worked out only for heads above the gate."""

    def __init__(self, detector: DetectorNet, direction_gate: float = 0.15) -> None:
        super().__init__()
        self.detector, self.direction_gate = detector, direction_gate
        self.calibration = Calibration(dict.fromkeys(LABELS, (1.0, 0.0)))

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (N, 5 * 40, 6) f32 sorted by score; unused rows have score 0.

        Args:
            input_bgr: (N, 3, H, W) f32 0-255, any H and W; read at the nearest multiples of 32.
        """
        size_hw = [(input_bgr.shape[k] + MULTIPLE_PX // 2) // MULTIPLE_PX * MULTIPLE_PX for k in (2, 3)]
        pictures = normalise(F.interpolate(input_bgr, size=size_hw, mode="bilinear", align_corners=False))
        maps, features = self.detector(pictures)
        found = {name: self._peaks(maps_of(maps, k), name) for k, name in enumerate(CLASSES)}
        head_boxes, head_raw = found["head"]
        scores = {name: self.calibration(raw, name) for name, (_, raw) in found.items()}
        gate = (scores["head"] > self.direction_gate).to(head_raw.dtype)
        first_bin, first_share, face_boxes, face_seen = self._of_heads(pictures, features, head_boxes, gate)
        found["face"] = face_boxes, head_raw * face_seen * gate
        scores["face"] = self.calibration(found["face"][1], "face")
        gated = scores["head"] * gate
        second_bin = torch.where(first_bin > DIRECTIONS - 1.5, torch.zeros_like(first_bin), first_bin + 1.0)
        rows = [_rows(torch.full_like(score, LABELS[name]), found[name][0], score) for name, score in scores.items()]
        rows.append(_rows(FRONT_LABEL + first_bin, head_boxes, gated * first_share))
        rows.append(_rows(FRONT_LABEL + second_bin, head_boxes, gated * (1.0 - first_share)))
        together = torch.cat(rows, 1)
        order = together[..., 5].topk(ROWS_PER_CLASS * PER_CLASS).indices
        return together.gather(1, order.unsqueeze(-1).expand(-1, -1, 6))

    def _peaks(self, maps: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """Return boxes (N, K, 4) as fractions and raw scores (N, K); those of doubled boxes are 0.

        Args:
            maps: (N, 5, h, w) of one class.
            name: of the class.
        """
        rows, columns = maps.shape[2], maps.shape[3]
        scores = maps[:, 0].sigmoid()
        heat = scores * (F.max_pool2d(scores.unsqueeze(1), 3, 1, 1).squeeze(1) == scores).to(scores.dtype)
        best, cell = heat.flatten(1).topk(PER_CLASS)
        cell_y = torch.div(cell, columns, rounding_mode="floor")
        cell_x = cell - cell_y * columns
        sides = maps[:, 1:].flatten(2).transpose(1, 2).gather(1, cell.unsqueeze(-1).expand(-1, -1, 4))
        x1, y1, x2, y2 = (boxes_px(sides, cell_x.to(sides.dtype), cell_y.to(sides.dtype)) / STRIDE_PX).unbind(-1)
        boxes = torch.stack([x1 / columns, y1 / rows, x2 / columns, y2 / rows], -1).clamp(0.0, 1.0)
        return boxes, best * _first_of_its_place(boxes, _OVERLAPS[name])

    def _of_heads(
        self, pictures: Tensor, features: Tensor, head_boxes: Tensor, gate: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what is known of each head.

        The lower direction beside its yaw (N, K) f32, that direction's share (N, K), the box of its face (N, K, 4) and
        how surely that is seen (N, K), 0..1.

        Args:
            pictures: (N, 3, H, W) f32 normalised BGR.
            features: (N, C, h, w) of the same pictures.
            head_boxes: (N, K, 4) fractions.
            gate: (N, K) 1 for heads of which this is to be known.
        """
        # The best head of a picture is always in, because runtimes differ on what a batch of no crops does.
        wanted = torch.cat([torch.ones_like(gate[:, :1]), gate[:, 1:]], 1)
        row, rank = wanted.nonzero(as_tuple=True)
        known, vectors = self.detector.heads(pictures, features, head_boxes[row, rank], row)
        logits, faces = self.detector.faces(known)
        # Heads below the gate keep (0, 0, -1): front, with a share of 1 of no score; and no face.
        head_xz = torch.cat([torch.zeros_like(head_boxes[..., :1]), -torch.ones_like(head_boxes[..., :1])], -1)
        head_xz = head_xz.index_put((row, rank), torch.stack([vectors[:, 0], vectors[:, 2]], -1))
        face_boxes = torch.zeros_like(head_boxes).index_put((row, rank), faces)
        face_seen = torch.zeros_like(gate).index_put((row, rank), logits.sigmoid())
        return *split_yaw(head_xz[..., 0], head_xz[..., 1]), in_pictures(face_boxes, head_boxes), face_seen


def _first_of_its_place(boxes: Tensor, overlap: float) -> Tensor:
    """Return 1 for each box (N, K, 4), best first, whose IoU with every better one is at most `overlap`, else 0."""
    corner_low = torch.maximum(boxes.unsqueeze(2)[..., :2], boxes.unsqueeze(1)[..., :2])
    corner_high = torch.minimum(boxes.unsqueeze(2)[..., 2:], boxes.unsqueeze(1)[..., 2:])
    shared = (corner_high - corner_low).clamp(min=0.0).prod(-1)
    area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    iou = shared / (area.unsqueeze(2) + area.unsqueeze(1) - shared + 1e-9)  # (N, K, K)
    better = torch.ones(PER_CLASS, PER_CLASS).tril(-1)
    return 1.0 - ((iou > overlap).to(boxes.dtype) * better).amax(2)


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
