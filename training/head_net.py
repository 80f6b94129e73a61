"""Head direction from a small head crop: the 3-D head vector and the 3-D gaze vector.

Vectors are in the camera-ray frame of the head: x to image right, y down, z away from the camera.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.layers import Residual, conv_block
from training.styles import restyled

CROP_PX = 48
WIDTHS = (32, 32, 64, 112, 128)
"""Channels after each step down; the detector, which has fewer heads to look at than the gaze model has, takes more."""
# The crop is a square whose side is this much of the box's longer side: hair, chin and a little neck are in.
CROP_SCALE = 1.44
_RESTYLED_AFTER = (0, 2, 4)
"""Layers whose features are seen in other styles, where that is wanted."""
_LEAST_LEVEL = 0.3
"""Length of a unit vector seen from above, of the steepest heads whose yaw is learnt."""


class HeadNet(nn.Module):
    """48x48 head crops to feature vectors and to head and gaze vectors.

    With `restyle` it learns from crops in styles that no rendered one has; what it tells afterwards is not changed.
    """

    restyle = False

    def __init__(self, widths: tuple[int, ...] = WIDTHS, features: int = 96) -> None:
        super().__init__()
        c0, c1, c2, c3, c4 = widths
        self.features = nn.Sequential(
            conv_block(3, c0, 2),
            conv_block(c0, c1),
            conv_block(c1, c2, 2),
            Residual(c2),
            conv_block(c2, c3, 2),
            Residual(c3),
            Residual(c3),
            conv_block(c3, c4, 2),
            nn.Flatten(1),
            nn.Linear(c4 * 9, features),
            nn.ReLU(inplace=True),
        )
        self.vectors = nn.Linear(features, 6)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (M, 96) and vectors (M, 6), head xyz then gaze xyz, about unit length.

        Args:
            crops: (M, 3, 48, 48) f32 normalised BGR.
        """
        features = crops
        for number, layer in enumerate(self.features):
            features = layer(features)
            if self.restyle and self.training and number in _RESTYLED_AFTER:
                features = restyled(features)
        return features, self.vectors(features)


def crop_heads(
    pictures: Tensor, boxes: Tensor, picture_row: Tensor, turn: Tensor | None = None, mirror: Tensor | None = None
) -> Tensor:
    """Cut square 48x48 crops about head boxes, bilinear, edges repeated beyond the picture.

    The pictures are read as one tall picture, so the cost follows the number of heads and not that of pictures.

    Args:
        pictures: (N, 3, H, W) f32.
        boxes: (M, 4) f32 xyxy, fractions of their picture.
        picture_row: (M,) i64 row of the picture each box lies in.
        turn: (M,) f32 radians by which the squares are turned clockwise; None: they are upright.
        mirror: (M,) or (1,) f32 -1 where the square, turned or not, is seen in the mirror, else 1; None: none is.

    Returns:
        (M, 3, 48, 48) f32.
    """
    count, channels, height, width = pictures.shape
    tall = pictures.transpose(0, 1).reshape(1, channels, count * height, width)
    x1, y1, x2, y2 = boxes.reshape(-1, 4, 1, 1).split(1, 1)
    half_px = torch.maximum((x2 - x1) * width, (y2 - y1) * height) * (CROP_SCALE / 2)  # (M, 1, 1, 1)
    steps = (torch.arange(CROP_PX, dtype=boxes.dtype, device=boxes.device) + 0.5) * (2.0 / CROP_PX) - 1.0
    across, down = half_px * steps.reshape(1, 1, -1, 1), half_px * steps.reshape(1, -1, 1, 1)
    if mirror is not None:
        across = across * mirror.reshape(-1, 1, 1, 1)
    if turn is not None:
        across, down = turned(across, down, turn.reshape(-1, 1, 1, 1))
    x_px = ((x1 + x2) * (width / 2) + across).clamp(0.5, width - 0.5)
    y_px = ((y1 + y2) * (height / 2) + down).clamp(0.5, height - 0.5)
    y_px = y_px + (picture_row * height).reshape(-1, 1, 1, 1).to(boxes.dtype)
    x, y = x_px * (2.0 / width) - 1.0, y_px * (2.0 / (count * height)) - 1.0
    whole = x.new_zeros(1, CROP_PX, CROP_PX, 1)
    grid = torch.cat([x + whole, y + whole], -1).reshape(1, -1, CROP_PX, 2)
    flat = F.grid_sample(tall, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return flat.reshape(channels, -1, CROP_PX, CROP_PX).transpose(0, 1)


def turned(across: Tensor, down: Tensor, by: Tensor) -> tuple[Tensor, Tensor]:
    """Return steps to the right and down turned clockwise by radians, all of shapes that fit each other."""
    cos, sin = by.cos(), by.sin()
    return across * cos - down * sin, across * sin + down * cos


def vector_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean distance of the two directions on the unit sphere, plus a little that keeps their length near one.

    The distance, unlike its square, is not ruled by the few heads that are read the wrong way round: where front and
    back are both likely, the likelier one is learnt and not the middle.

    Args:
        predicted: (M, 6) head xyz, gaze xyz.
        wanted: (M, 6) the same, unit vectors; nan where nobody knows one of them.
    """
    total = predicted.new_zeros(())
    for part in (slice(0, 3), slice(3, 6)):
        known = ~torch.isnan(wanted[:, part.start])
        told, true = predicted[known, part], wanted[known, part]
        length = (told.square().sum(1) + 1e-4).sqrt()
        apart = told / length.unsqueeze(1) - true
        off = (apart.square().sum(1) + 1e-3).sqrt() + 0.1 * (length - 1.0).square()
        total = total + off.sum() / max(1, len(off))
    return total


def yaw_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean distance of the two yaws of heads on the unit circle, of all heads but those that point up or down steeply.

    On the sphere a yaw counts for less the steeper a head points, and seen from under a ceiling most heads do.

    Args:
        predicted: (M, 6) head xyz, gaze xyz.
        wanted: (M, 6) the same, unit vectors.
    """
    level = wanted[:, [0, 2]].square().sum(1).sqrt()
    known = level > _LEAST_LEVEL
    told, true = predicted[known][:, [0, 2]], wanted[known][:, [0, 2]] / level[known].unsqueeze(1)
    apart = told / (told.square().sum(1, keepdim=True) + 1e-2).sqrt() - true
    return (apart.square().sum(1) + 1e-3).sqrt().sum() / max(1, len(apart))
