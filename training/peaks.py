"""Boxes where the maps of a class peak, each place once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.detector_net import STRIDE_PX, boxes_px


def peaks(maps: Tensor, count: int, overlap: float) -> tuple[Tensor, Tensor]:
    """Return boxes (N, K, 4) as fractions, the best first, and scores (N, K) 0..1; those of doubled boxes are 0.

    Args:
        maps: (N, 5, h, w) of one class: centre logit, log distances in cells to x1, y1, x2, y2.
        count: K.
        overlap: IoU from which two boxes are one.
    """
    rows, columns = maps.shape[2], maps.shape[3]
    scores = maps[:, 0].sigmoid()
    heat = scores * (F.max_pool2d(scores.unsqueeze(1), 3, 1, 1).squeeze(1) == scores).to(scores.dtype)
    best, cell = heat.flatten(1).topk(count)
    cell_y = torch.div(cell, columns, rounding_mode="floor")
    cell_x = cell - cell_y * columns
    sides = maps[:, 1:].flatten(2).transpose(1, 2).gather(1, cell.unsqueeze(-1).expand(-1, -1, 4))
    x1, y1, x2, y2 = (boxes_px(sides, cell_x.to(sides.dtype), cell_y.to(sides.dtype)) / STRIDE_PX).unbind(-1)
    boxes = torch.stack([x1 / columns, y1 / rows, x2 / columns, y2 / rows], -1).clamp(0.0, 1.0)
    return boxes, best * first_of_its_place(boxes, best, overlap)


def first_of_its_place(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    """Return 1 for each box (N, K, 4) whose IoU with every one of a better score (N, K) is at most `overlap`, else 0.

    Of equal scores the first in the order is the better one.
    """
    iou = overlaps(boxes, boxes)
    before = torch.ones(boxes.shape[1], boxes.shape[1], device=boxes.device).tril(-1)
    row, column = scores.unsqueeze(2), scores.unsqueeze(1)
    better = (column > row).to(boxes.dtype) + (column == row).to(boxes.dtype) * before
    return 1.0 - ((iou > overlap).to(boxes.dtype) * better).amax(2)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU (N, K, T) of boxes (N, K, 4) and (N, T, 4)."""
    corner_low = torch.maximum(first.unsqueeze(2)[..., :2], second.unsqueeze(1)[..., :2])
    corner_high = torch.minimum(first.unsqueeze(2)[..., 2:], second.unsqueeze(1)[..., 2:])
    shared = (corner_high - corner_low).clamp(min=0.0).prod(-1)
    one, other = ((boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second))
    return shared / (one.unsqueeze(2) + other.unsqueeze(1) - shared + 1e-9)
