"""Detector of bodies and heads: centre heat maps and box distances at stride 8, plain convolutions.

Centres as points follow CenterNet (Zhou et al., 2019), the distances to the four sides FCOS (Tian et al., 2019).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.layers import Residual, conv_block, normalise

STRIDE_PX = 8
_LARGEST_LOG_CELLS = 4.5  # exp(4.5) cells of 8 px: wider than any model input
_CENTRE_BIAS = -4.0  # about 2 % centres at first, so that the background does not swamp the first steps


class DetectorNet(nn.Module):
    """BGR pictures to head maps and body maps."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96, 128), neck: int = 64) -> None:
        super().__init__()
        c0, c1, c2, c3, c4 = widths
        self.stem = nn.Sequential(conv_block(3, c0, 2), conv_block(c0, c1, 2), Residual(c1))
        self.stride8 = nn.Sequential(conv_block(c1, c2, 2), Residual(c2))
        self.stride16 = nn.Sequential(conv_block(c2, c3, 2), Residual(c3))
        self.stride32 = nn.Sequential(conv_block(c3, c4, 2), Residual(c4))
        self.lateral8, self.lateral16, self.lateral32 = (nn.Conv2d(c, neck, 1) for c in (c2, c3, c4))
        self.merge16 = conv_block(neck, neck)
        self.merge8 = conv_block(neck, neck)
        self.head_tower, self.body_tower = conv_block(neck, neck), conv_block(neck, neck)
        self.head_maps, self.body_maps = nn.Conv2d(neck, 5, 1), nn.Conv2d(neck, 5, 1)
        for maps in (self.head_maps, self.body_maps):
            nn.init.normal_(maps.weight, 0.0, 0.01)
            nn.init.zeros_(maps.bias)
            maps.bias.data[0] = _CENTRE_BIAS

    def forward(self, picture_bgr: Tensor) -> tuple[Tensor, Tensor]:
        """Return head and body maps, each (N, 5, H/8, W/8): centre logit, log distances in cells to x1, y1, x2, y2.

        Args:
            picture_bgr: (N, 3, H, W) f32 0-255, H and W multiples of 32.
        """
        fine = self.stride8(self.stem(normalise(picture_bgr)))
        middle = self.stride16(fine)
        coarse = self.lateral32(self.stride32(middle))
        middle = self.merge16(self.lateral16(middle) + F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.merge8(self.lateral8(fine) + F.interpolate(middle, scale_factor=2.0, mode="nearest"))
        return self.head_maps(self.head_tower(fine)), self.body_maps(self.body_tower(fine))


def boxes_px(log_cells: Tensor, cell_x: Tensor, cell_y: Tensor) -> Tensor:
    """Turn log distances at cells into boxes.

    Args:
        log_cells: (..., 4) log of the distances from the cell's centre to x1, y1, x2, y2, in cells.
        cell_x: (...) f32 column of the cell.
        cell_y: (...) f32 row of the cell.

    Returns:
        (..., 4) xyxy, pixels of the model input.
    """
    distance_px = log_cells.clamp(max=_LARGEST_LOG_CELLS).exp() * STRIDE_PX
    x_px, y_px = (cell_x + 0.5) * STRIDE_PX, (cell_y + 0.5) * STRIDE_PX
    left, top, right, bottom = distance_px.unbind(-1)
    return torch.stack([x_px - left, y_px - top, x_px + right, y_px + bottom], -1)
