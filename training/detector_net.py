"""Detector of bodies and heads, of faces in heads, and of where heads point: centre maps and box distances at stride 8.

Centres as points follow CenterNet (Zhou et al., 2019), the distances to the four sides FCOS (Tian et al., 2019).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.face_in_head import FaceInHead
from training.head_in_context import HeadInContext
from training.layers import Residual, conv_block, stem
from training.second_look import SecondLook

CLASSES = ("body", "head")
"""What has maps of its own."""
STRIDE_PX = 8
MULTIPLE_PX = 32
"""Height and width of the input are multiples of this."""
_LARGEST_LOG_CELLS = 4.5  # exp(4.5) cells of 8 px: wider than any model input
_CENTRE_BIAS = -4.0  # about 2 % centres at first, so that the background does not swamp the first steps
_PER_CLASS = 5
_HEAD_WIDTHS = (32, 32, 64, 176, 192)


class DetectorNet(nn.Module):
    """BGR pictures to one set of maps for each class, and heads in them to directions and faces."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 160), neck: int = 64) -> None:
        super().__init__()
        c1, c2, c3, c4 = widths
        self.stem = stem(c1)
        self.stride8 = nn.Sequential(conv_block(c1, c2, 2), Residual(c2))
        self.stride16 = nn.Sequential(conv_block(c2, c3, 2), Residual(c3), Residual(c3))
        self.stride32 = nn.Sequential(conv_block(c3, c4, 2), Residual(c4))
        self.lateral8, self.lateral16, self.lateral32 = (nn.Conv2d(c, neck, 1) for c in (c2, c3, c4))
        self.merge16, self.merge8 = conv_block(neck, neck), conv_block(neck, neck)
        self.tower = conv_block(neck, 2 * neck)
        self.heads, self.faces, self.again = HeadInContext(neck, _HEAD_WIDTHS), FaceInHead(), SecondLook()
        self.maps = nn.Conv2d(2 * neck, _PER_CLASS * len(CLASSES), 1)
        nn.init.normal_(self.maps.weight, 0.0, 0.01)
        nn.init.zeros_(self.maps.bias)
        self.maps.bias.data[::_PER_CLASS] = _CENTRE_BIAS

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps (N, 10, H/8, W/8), for each class its centre logit and log distances in cells to x1, y1, x2, y2.

        And what they were made of, features (N, 64, H/8, W/8) for `self.heads`.

        Args:
            pictures: (N, 3, H, W) f32 normalised BGR, H and W multiples of 32.
        """
        fine = self.stride8(self.stem(pictures))
        middle = self.stride16(fine)
        coarse = self.lateral32(self.stride32(middle))
        middle = self.merge16(self.lateral16(middle) + F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.merge8(self.lateral8(fine) + F.interpolate(middle, scale_factor=2.0, mode="nearest"))
        return self.maps(self.tower(fine)), fine


def maps_of(maps: Tensor, number: int) -> Tensor:
    """Return the maps (N, 5, h, w) of one of the classes."""
    return maps[:, _PER_CLASS * number : _PER_CLASS * (number + 1)]


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
    centre_px = (torch.stack([cell_x, cell_y], -1) + 0.5) * STRIDE_PX
    return torch.cat([centre_px - distance_px[..., :2], centre_px + distance_px[..., 2:]], -1)
