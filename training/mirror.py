"""Heads that are read in the mirror: what is told of them, turned back.

`mirror` is -1 for what was seen in the mirror and 1 for what was not, so that turning twice changes nothing; one
number stands for all.
"""

from __future__ import annotations

import torch
from torch import Tensor


def points_mirrored(points: Tensor, mirror: Tensor) -> Tensor:
    """Return points or vectors (..., 2 or more), x first and 0 in the middle, mirrored by (...)."""
    x = points[..., :1] * mirror.unsqueeze(-1)
    return torch.cat([x, points[..., 1:].expand(*x.shape[:-1], -1)], -1)


def vectors_mirrored(vectors: Tensor, mirror: Tensor) -> Tensor:
    """Return vectors (M, 6), head xyz and gaze xyz, mirrored by (M,)."""
    return torch.cat([points_mirrored(vectors[:, part], mirror) for part in (slice(0, 3), slice(3, 6))], 1)


def boxes_mirrored(boxes: Tensor, mirror: Tensor) -> Tensor:
    """Return boxes (M, 4) xyxy about a middle that is 0, mirrored by (M,)."""
    x = torch.where(mirror.unsqueeze(1) < 0, -boxes[:, [2, 0]], boxes[:, [0, 2]])
    return torch.stack([x[:, 0], boxes[:, 1], x[:, 1], boxes[:, 3]], 1)
