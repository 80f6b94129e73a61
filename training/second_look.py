"""A second look at what may be a head: whether it is one, and where its box lies, by its own crop.

The maps see a head in cells of 8 px, the head branch sees it in 48 x 48 and knows what is around it. Weighing and
moving the boxes of a first stage by crops of their own is the idea of Faster R-CNN (Ren et al., 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.head_in_context import FEATURES
from training.mirror import points_mirrored

_MOST_MOVED, _MOST_SCALED = 0.5, 0.7


class SecondLook(nn.Module):
    """Features of heads to how sure they are heads and to their boxes; says what the maps say before it has learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.told = nn.Linear(FEATURES, 5)
        nn.init.zeros_(self.told.weight)
        nn.init.zeros_(self.told.bias)
        self.trust = nn.Parameter(torch.ones(1))

    def forward(
        self, features: Tensor, logits: Tensor, boxes: Tensor, mirror: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (M,) and boxes (M, 4) xyxy, fractions.

        Args:
            features: (M, 96) of heads.
            logits: (M,) of the maps.
            boxes: (M, 4) of the maps, xyxy, fractions.
            mirror: (M,) or (1,) f32 -1 where the head was seen in the mirror, else 1; None: none was.
        """
        told = self.told(features)
        side = boxes[:, 2:] - boxes[:, :2]
        moved = bounded(told[:, 1:3], _MOST_MOVED)
        if mirror is not None:
            moved = points_mirrored(moved, mirror)
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + moved * side
        half = side / 2 * bounded(told[:, 3:5], _MOST_SCALED).exp()
        return self.trust * logits + told[:, 0], torch.cat([centre - half, centre + half], 1).clamp(0.0, 1.0)


def bounded(values: Tensor, most: float) -> Tensor:
    """Return values of any shape, bent so that none is larger than `most`, and small ones stay; all of it learns."""
    return most * (values / most).tanh()
