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

from training.detector_net import CLASSES, MULTIPLE_PX, DetectorNet, maps_of
from training.layers import normalise
from training.peaks import peaks
from training.readings import logit, read_twice
from training.second_look_loss import OVERLAP
from training.worth_a_look import ALONE_FROM, worth_a_look

BODY_LABEL, HEAD_LABEL, FRONT_LABEL, FACE_LABEL = 0.0, 7.0, 8.0, 16.0
LABELS = {"body": BODY_LABEL, "head": HEAD_LABEL, "face": FACE_LABEL}
DIRECTIONS = 8
PER_CLASS = 40
ROWS_PER_CLASS = len(LABELS) + 2
_OVERLAPS = (0.6, OVERLAP)
"""Two boxes of a class of CLASSES that overlap more are one."""
_BIN_RAD = 2 * math.pi / DIRECTIONS


class Calibration(nn.Module):
    """Turn what a network is sure of into the share of boxes that are right, class by class (Platt, 1999)."""

    def __init__(self, lines: dict[str, tuple[float, float]]) -> None:
        """Take slope and offset of each class."""
        super().__init__()
        slope, offset = zip(*(lines[name] for name in LABELS), strict=True)
        self.register_buffer("slope", torch.tensor(slope).unsqueeze(1))
        self.register_buffer("offset", torch.tensor(offset).unsqueeze(1))

    def forward(self, raw: Tensor) -> Tensor:
        """Return scores 0..1 of raw ones 0..1, (..., 3, K), of the classes of LABELS; 0 stays 0."""
        return (logit(raw) * self.slope + self.offset).sigmoid() * (raw > 0).to(raw.dtype)


class DetectorGraph(nn.Module):
    """Pictures of any size to sorted rows; heads are what two readings tell of."""

    def __init__(self, detector: DetectorNet, alone_from: float = ALONE_FROM) -> None:
        super().__init__()
        self.detector, self.alone_from = detector, alone_from
        self.calibration = Calibration(dict.fromkeys(LABELS, (1.0, 0.0)))
        self.register_buffer("overlaps", torch.tensor(_OVERLAPS).reshape(-1, 1, 1), persistent=False)
        self.register_buffer("labels", torch.tensor(list(LABELS.values())).unsqueeze(1), persistent=False)

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (N, 5 * 40, 6) f32 sorted by score; unused rows have score 0.

        Args:
            input_bgr: (N, 3, H, W) f32 0-255, any H and W; read at the nearest multiples of 32.
        """
        size_hw = [(input_bgr.shape[k] + MULTIPLE_PX // 2) // MULTIPLE_PX * MULTIPLE_PX for k in (2, 3)]
        pictures = normalise(F.interpolate(input_bgr, size=size_hw, mode="bilinear", align_corners=False))
        maps, features = self.detector(pictures)
        by_class = torch.stack([maps_of(maps, k) for k in range(len(CLASSES))], 1)
        (body, head), (body_raw, head_raw) = (p.unbind(1) for p in peaks(by_class, PER_CLASS, self.overlaps))
        worth = worth_a_look(head, head_raw, body, body_raw, self.alone_from)
        heads = read_twice(self.detector, pictures, features, head, head_raw, worth)
        scores = self.calibration(torch.stack([body_raw, heads.raw, heads.face_raw], 1))
        low, share = split_yaw(heads.vectors[..., 0], heads.vectors[..., 2])
        high = torch.where(low > DIRECTIONS - 1.5, torch.zeros_like(low), low + 1.0)
        labels = torch.cat([self.labels.expand_as(scores), FRONT_LABEL + torch.stack([low, high], 1)], 1)
        of_heads = list(LABELS).index("head")
        shares = scores[:, of_heads : of_heads + 1] * torch.stack([share, 1.0 - share], 1)
        boxes = torch.stack([body, heads.boxes, heads.face_boxes, heads.boxes, heads.boxes], 1)
        rows = [labels.unsqueeze(-1), boxes, torch.cat([scores, shares], 1).unsqueeze(-1)]
        together = torch.cat(rows, -1).flatten(1, 2)
        order = together[..., 5].topk(ROWS_PER_CLASS * PER_CLASS).indices
        return together.gather(1, order.unsqueeze(-1).expand(-1, -1, 6))


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
