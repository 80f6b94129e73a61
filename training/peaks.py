"""Boxes where the maps of a class peak, each place once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.detector_net import STRIDE_PX, boxes_px


def peaks(maps: Tensor, count: int, overlap: float | Tensor) -> tuple[Tensor, Tensor]:
    """Return boxes (..., K, 4) as fractions, the best first, and scores (..., K) 0..1; those of doubled boxes are 0.

    Args:
        maps: (..., 5, h, w), one or two dimensions before: centre logit, log distances in cells to x1, y1, x2, y2.
        count: K.
        overlap: IoU from which two boxes are one; of shape (..., 1, 1) if it differs.
    """
    rows, columns = maps.shape[-2], maps.shape[-1]
    scores = maps[..., 0, :, :].sigmoid()
    heat = scores * (F.max_pool2d(scores, 3, 1, 1) == scores).to(scores.dtype)
    best, cell = heat.flatten(-2).topk(count)
    cell_y = torch.div(cell, columns, rounding_mode="trunc")
    cell_x = cell - cell_y * columns
    of_sides = cell.unsqueeze(-2).expand(*[-1] * (cell.ndim - 1), 4, -1)
    sides = maps[..., 1:, :, :].flatten(-2).gather(-1, of_sides).transpose(-2, -1)
    in_cells = boxes_px(sides, cell_x.to(sides.dtype), cell_y.to(sides.dtype)) / STRIDE_PX
    x, y = in_cells[..., 0::2] / columns, in_cells[..., 1::2] / rows
    boxes = torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1).clamp(0.0, 1.0)
    return boxes, best * first_of_its_place(boxes, best, overlap)


def first_of_its_place(boxes: Tensor, scores: Tensor, overlap: float | Tensor) -> Tensor:
    """Return 1 for each box (..., K, 4) whose IoU with all of a better score (..., K) is at most `overlap`, else 0.

    Of equal scores the first in the order is the better one.
    """
    count = boxes.shape[-2]
    before = torch.ones(count, count, device=boxes.device).tril(-1) > 0
    row, column = scores.unsqueeze(-1), scores.unsqueeze(-2)
    better = (column > row) | ((column == row) & before)
    return 1.0 - ((overlaps(boxes, boxes) > overlap) & better).to(boxes.dtype).amax(-1)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU (..., K, T) of boxes (..., K, 4) and (..., T, 4)."""
    one, other = first.unsqueeze(-2), second.unsqueeze(-3)
    corner_low = torch.maximum(one[..., :2], other[..., :2])
    corner_high = torch.minimum(one[..., 2:], other[..., 2:])
    shared = (corner_high - corner_low).clamp(min=0.0).prod(-1)
    areas = ((boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (one, other))
    return shared / (sum(areas) - shared + 1e-9)
