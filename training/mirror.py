"""Heads that are read in the mirror: what is told of them, turned back.

`mirror` is -1 for what was seen in the mirror and 1 for what was not, so that turning twice changes nothing; one
number stands for all.
"""

from __future__ import annotations

import torch
from torch import Tensor


def points_mirrored(points: Tensor, mirror: Tensor) -> Tensor:
    """Return points or vectors (..., 2 or more), x first and 0 in the middle, mirrored by (...)."""
    as_is = torch.ones_like(mirror)
    return points * torch.stack([mirror] + [as_is] * (points.shape[-1] - 1), -1)


def vectors_mirrored(vectors: Tensor, mirror: Tensor) -> Tensor:
    """Return vectors (M, 6), head xyz and gaze xyz, mirrored by (M,)."""
    as_is = torch.ones_like(mirror)
    return vectors * torch.stack([mirror, as_is, as_is] * 2, 1)


def boxes_mirrored(boxes: Tensor, mirror: Tensor) -> Tensor:
    """Return boxes (M, 4) xyxy about a middle that is 0, mirrored by (M,)."""
    kept, turned = (1.0 + mirror) / 2, (1.0 - mirror) / 2
    as_is, none = torch.ones_like(mirror), torch.zeros_like(mirror)
    still = boxes * torch.stack([kept, as_is, kept, as_is], 1)
    return still - boxes[:, [2, 1, 0, 3]] * torch.stack([turned, none, turned, none], 1)
