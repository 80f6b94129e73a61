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
    x1, y1, x2, y2 = boxes_px(sides, cell_x.to(sides.dtype), cell_y.to(sides.dtype)).split(1, -1)
    width_px, height_px = columns * STRIDE_PX, rows * STRIDE_PX
    boxes = torch.cat([x1 / width_px, y1 / height_px, x2 / width_px, y2 / height_px], -1).clamp(0.0, 1.0)
    return boxes, best * first_of_its_place(boxes, best, overlap)


def first_of_its_place(boxes: Tensor, scores: Tensor, overlap: float | Tensor) -> Tensor:
    """Return 1 for each box (..., K, 4) whose IoU with all of a better score (..., K) is at most `overlap`, else 0.

    Of equal scores the first in the order is the better one.
    """
    count = int(boxes.shape[-2])  # in a graph it is fixed
    before = torch.ones(count, count, device=boxes.device).tril(-1) > 0
    row, column = scores.unsqueeze(-1), scores.unsqueeze(-2)
    better = (column > row) | ((column == row) & before)
    return 1.0 - ((overlaps(boxes, boxes) > overlap) & better).to(boxes.dtype).amax(-1)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU (..., K, T) of boxes (..., K, 4) and (..., T, 4)."""
    x1, y1, x2, y2 = first.split(1, -1)  # (..., K, 1)
    left, top, right, bottom = second.transpose(-2, -1).split(1, -2)  # (..., 1, T)
    width = (torch.minimum(x2, right) - torch.maximum(x1, left)).clamp(min=0.0)
    shared = width * (torch.minimum(y2, bottom) - torch.maximum(y1, top)).clamp(min=0.0)
    areas = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top)
    return shared / (areas - shared + 1e-9)
