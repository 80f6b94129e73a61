"""The shipped detector: networks, peak picking and row sorting in one graph with the DEIMv2-Wholebody34 contract.

Rows are `[label, x1, y1, x2, y2, score]`, fractions of the frame, sorted by score. Labels: 0 body, 7 head, 8-15 the
head directions in steps of 45 degrees: 8 front, 9 right-front, 10 right-side, ... 12 back, ... 15 left-front, where
right is the right of the image. A direction row repeats its head's box. Each head has two: the score of the head is
split between the two directions beside the estimated yaw so that the sum of score times direction vector points along
that yaw.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.detector_net import DetectorNet, boxes_px
from training.head_net import HeadNet, crop_heads
from training.layers import normalise

BODY_LABEL, HEAD_LABEL, FRONT_LABEL = 0.0, 7.0, 8.0
DIRECTIONS = 8
_BIN_RAD = 2 * math.pi / DIRECTIONS


class DetectorGraph(nn.Module):
    """Pictures of any size to sorted rows; the head network runs only on heads above the gate."""

    def __init__(
        self,
        detector: DetectorNet,
        head_net: HeadNet,
        size_wh: tuple[int, int],
        per_class: int = 40,
        direction_gate: float = 0.15,
        head_overlap: float = 0.4,
        body_overlap: float = 0.6,
    ) -> None:
        super().__init__()
        self.detector, self.head_net = detector, head_net
        self.size_hw = (size_wh[1], size_wh[0])
        self.per_class, self.direction_gate = per_class, direction_gate
        self.head_overlap, self.body_overlap = head_overlap, body_overlap

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (N, 4 * per_class, 6) f32 sorted by score; unused rows have score 0.

        Args:
            input_bgr: (N, 3, H, W) f32 0-255, any H and W.
        """
        picture = F.interpolate(input_bgr, size=self.size_hw, mode="bilinear", align_corners=False)
        head_maps, body_maps = self.detector(picture)
        head_boxes, head_scores = self._peaks(head_maps, self.head_overlap)
        body_boxes, body_scores = self._peaks(body_maps, self.body_overlap)
        first_bin, first_share = self._directions(picture, head_boxes, head_scores)
        gated = head_scores * (head_scores > self.direction_gate).to(head_scores.dtype)
        second_bin = torch.where(first_bin > DIRECTIONS - 1.5, torch.zeros_like(first_bin), first_bin + 1.0)
        rows = torch.cat(
            [
                _rows(torch.full_like(body_scores, BODY_LABEL), body_boxes, body_scores),
                _rows(torch.full_like(head_scores, HEAD_LABEL), head_boxes, head_scores),
                _rows(FRONT_LABEL + first_bin, head_boxes, gated * first_share),
                _rows(FRONT_LABEL + second_bin, head_boxes, gated * (1.0 - first_share)),
            ],
            1,
        )
        order = rows[..., 5].topk(rows.shape[1]).indices
        return rows.gather(1, order.unsqueeze(-1).expand(-1, -1, 6))

    def _peaks(self, maps: Tensor, overlap: float) -> tuple[Tensor, Tensor]:
        """Return boxes (N, K, 4) as fractions and scores (N, K); scores of doubled boxes are 0."""
        heat = maps[:, 0].sigmoid()
        heat = heat * (F.max_pool2d(heat.unsqueeze(1), 3, 1, 1).squeeze(1) == heat).to(heat.dtype)
        scores, cell = heat.flatten(1).topk(self.per_class)
        columns = maps.shape[3]
        cell_y = torch.div(cell, columns, rounding_mode="floor")
        cell_x = cell - cell_y * columns
        log_cells = maps[:, 1:].flatten(2).transpose(1, 2).gather(1, cell.unsqueeze(-1).expand(-1, -1, 4))
        boxes = boxes_px(log_cells, cell_x.to(maps.dtype), cell_y.to(maps.dtype))
        height, width = self.size_hw
        boxes = (boxes / boxes.new_tensor([width, height, width, height])).clamp(0.0, 1.0)
        return boxes, scores * self._first_of_its_place(boxes, overlap)

    def _first_of_its_place(self, boxes: Tensor, overlap: float) -> Tensor:
        """Return 1 for each box (N, K, 4), best first, whose IoU with every better one is at most `overlap`, else 0."""
        corner_low = torch.maximum(boxes.unsqueeze(2)[..., :2], boxes.unsqueeze(1)[..., :2])
        corner_high = torch.minimum(boxes.unsqueeze(2)[..., 2:], boxes.unsqueeze(1)[..., 2:])
        shared = (corner_high - corner_low).clamp(min=0.0).prod(-1)
        area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
        iou = shared / (area.unsqueeze(2) + area.unsqueeze(1) - shared + 1e-9)  # (N, K, K)
        better = torch.ones(self.per_class, self.per_class).tril(-1)
        return 1.0 - ((iou > overlap).to(boxes.dtype) * better).amax(2)

    def _directions(self, picture: Tensor, head_boxes: Tensor, head_scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return for each head the lower direction beside its yaw (N, K) f32 and that direction's share (N, K)."""
        wanted = head_scores > self.direction_gate
        # The best head of a picture is always in, because runtimes differ on what a batch of no crops does.
        wanted = torch.cat([torch.ones_like(wanted[:, :1]), wanted[:, 1:]], 1)
        row, rank = wanted.nonzero(as_tuple=True)
        crops = crop_heads(normalise(picture), head_boxes[row, rank], row)
        # Seen twice, as it is and mirrored: what the network does better on one side than on the other evens out.
        _, both = self.head_net(torch.cat([crops, crops.flip(3)], 0))
        seen, mirrored = both.split([crops.shape[0], crops.shape[0]], 0)
        vectors = seen + mirrored * mirrored.new_tensor([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0])
        # Heads below the gate keep (0, 0, -1): front, with a share of 1 of no score.
        head_xz = torch.cat([torch.zeros_like(head_boxes[..., :1]), -torch.ones_like(head_boxes[..., :1])], -1)
        head_xz = head_xz.index_put((row, rank), torch.stack([vectors[:, 0], vectors[:, 2]], -1))
        return split_yaw(head_xz[..., 0], head_xz[..., 1])


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
