"""Head directions from the head's crop and from what is around it: at ten pixels a body tells more than a face."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.head_net import WIDTHS, HeadNet, crop_heads, turned
from training.mirror import points_mirrored

FEATURES = 96
_AROUND = 64
# Where features of the scene are read: the head, above it, the neck, the shoulders, the chest, the hips. In sides of
# the head box, from its centre.
_SPOTS_XY = ((0.0, 0.0), (0.0, -0.6), (0.0, 0.8), (-0.9, 1.1), (0.9, 1.1), (0.0, 1.8), (0.0, 3.0))


class HeadInContext(nn.Module):
    """Features and direction vectors of heads; the crop alone gives the first guess of the vectors."""

    def __init__(self, channels: int, widths: tuple[int, ...] = WIDTHS) -> None:
        """Take the number of channels of the scene's features, and those of the head network."""
        super().__init__()
        self.head_net = HeadNet(widths)
        self.around = nn.Linear(channels * len(_SPOTS_XY), _AROUND)
        self.mix = nn.Sequential(nn.Linear(self.head_net.vectors.in_features + _AROUND + 10, FEATURES), nn.ReLU())
        self.turn = nn.Linear(FEATURES, 6)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)
        self.register_buffer("spots", torch.tensor(_SPOTS_XY), persistent=False)

    def forward(
        self,
        pictures: Tensor,
        scene: Tensor,
        boxes: Tensor,
        row: Tensor,
        turn: Tensor | None = None,
        mirror: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return features (M, 96) and vectors (M, 6), head xyz then gaze xyz, about unit length.

        Args:
            pictures: (N, 3, H, W) f32 normalised BGR.
            scene: (N, C, h, w) features of the same pictures.
            boxes: (M, 4) f32 xyxy, fractions of their picture.
            row: (M,) i64 row of the picture each box lies in.
            turn: (M,) f32 radians by which the picture is turned before it is read, anticlockwise about each box;
                None: it is not.
            mirror: (M,) or (1,) f32 -1 where the picture, turned or not, is seen in the mirror, else 1, and what is
                told is of what is seen so; None: none is.
        """
        features, vectors = self.head_net(crop_heads(pictures, boxes, row, turn, mirror))
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        spots = self.spots.unsqueeze(0)
        if mirror is not None:
            spots = points_mirrored(spots, mirror.unsqueeze(1))
        steps = spots * size.unsqueeze(1)  # (M, S, 2)
        if turn is not None:
            height_in_widths = pictures.shape[2] / pictures.shape[3]
            across, down = turned(steps[..., 0], steps[..., 1] * height_in_widths, turn.unsqueeze(1))
            steps = torch.stack([across, down / height_in_widths], -1)
        places = centre.unsqueeze(1) + steps
        around = F.relu(self.around(read_at(scene, places, row).flatten(1)))
        if mirror is not None:
            centre = points_mirrored(centre - 0.5, mirror) + 0.5
        mixed = self.mix(torch.cat([features, around, vectors, centre, size], 1))
        return mixed, vectors + self.turn(mixed)


def read_at(features: Tensor, places: Tensor, row: Tensor) -> Tensor:
    """Read features at places, bilinear, the edges repeated beyond the picture.

    The pictures are read as one tall picture, so the cost follows the number of places and not that of pictures.

    Args:
        features: (N, C, h, w).
        places: (M, S, 2) f32 xy, fractions of their picture.
        row: (M,) i64 row of the picture the places lie in.

    Returns:
        (M, S, C).
    """
    count, channels, height, width = features.shape
    tall = features.transpose(0, 1).reshape(1, channels, count * height, width)
    x, y = places.unsqueeze(0).split(1, -1)  # (1, M, S, 1)
    x = (x * width).clamp(0.5, width - 0.5) * (2.0 / width) - 1.0
    y = (y * height).clamp(0.5, height - 0.5) + (row * height).reshape(1, -1, 1, 1).to(places.dtype)
    grid = torch.cat([x, y * (2.0 / (count * height)) - 1.0], -1)  # (1, M, S, 2)
    read = F.grid_sample(tall, grid.to(tall.dtype), mode="bilinear", padding_mode="border", align_corners=False)
    return read[0].permute(1, 2, 0)
