"""Faces as parts of heads: whether a head shows its face, and where in its box, from what is known of the head.

A face of ten pixels is told from a head by what the head looks like, not by its own edges, and lies where the head is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.head_in_context import FEATURES

_USUAL = (-0.3, -0.25, 0.3, 0.45)
"""Where faces lie at first: x1, y1, x2, y2 from the centre of the head, in its width and height."""
_HALF = 0.5
_LEAST = 0.02
"""Sides of a face are at least this much of those of its head."""


class FaceInHead(nn.Module):
    """Features of heads to how surely their faces are seen, and to their boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.told = nn.Linear(FEATURES, 5)
        nn.init.zeros_(self.told.weight)
        self.told.bias.data.copy_(torch.tensor((0.0, *_USUAL)))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (M,) that the face is seen, and boxes (M, 4) xyxy from the centre of the head, in its sides.

        Args:
            features: (M, 96) of heads.
        """
        told = self.told(features)
        low, high = told[:, 1:3].clamp(-_HALF, _HALF - _LEAST), told[:, 3:5]
        return told[:, 0], torch.cat([low, torch.maximum(high, low + _LEAST).clamp(max=_HALF)], 1)


def in_heads(boxes: Tensor, heads: Tensor) -> Tensor:
    """Turn boxes (M, 4) of faces to xyxy from the centres of their heads' boxes (M, 4), in the sides of these."""
    return (boxes - _centres(heads)) / _sides(heads)


def in_pictures(boxes: Tensor, heads: Tensor) -> Tensor:
    """Turn boxes (..., 4) from centres and in sides of heads to where these heads (..., 4) are."""
    return boxes * _sides(heads) + _centres(heads)


def _centres(heads: Tensor) -> Tensor:
    centre = (heads[..., :2] + heads[..., 2:]) / 2
    return torch.cat([centre, centre], -1)


def _sides(heads: Tensor) -> Tensor:
    side = (heads[..., 2:] - heads[..., :2]).clamp(min=1e-6)
    return torch.cat([side, side], -1)
