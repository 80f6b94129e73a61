"""Gaze target network: one pass over the scene, a few light layers per head, a heat map and an in-frame probability.

The form follows Gaze-LLE (Ryan et al., 2024): scene tokens, a head prompt, a small transformer, a map. Added to it: the
head's own crop, cut from the picture inside the graph, gives the gaze direction, and each scene token is told how well
it lies along that direction. Trained from scratch on rendered scenes this reaches further than the prompt alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.head_net import HeadNet, crop_heads
from training.layers import AttentionLayer, Residual, conv_block, normalise

SIZE_WH = (480, 288)
MAP_CELLS = 64
_SCENE_HW = (192, 320)
_GRID_HW = (12, 20)
_CONE_FEATURES = 7
_EMPTY_MAP_BIAS = -4.0
_SMOOTH_SIGMA_CELLS = 4.0
_SMOOTH_REACH = 8


class GazeNet(nn.Module):
    """Pictures and head boxes to gaze heat maps, in-frame logits and direction vectors."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96), width: int = 96, layers: int = 2) -> None:
        super().__init__()
        c0, c1, c2, c3 = widths
        rows, columns = _GRID_HW
        self.scene = nn.Sequential(
            conv_block(3, c0, 2),
            conv_block(c0, c1, 2),
            Residual(c1),
            conv_block(c1, c2, 2),
            Residual(c2),
            conv_block(c2, c3, 2),
            Residual(c3),
            Residual(c3),
            nn.Conv2d(c3, width, 1),
        )
        self.head_net = HeadNet()
        features = self.head_net.vectors.in_features
        self.place = nn.Parameter(torch.randn(rows * columns, width) * 0.02)
        self.head_mark = nn.Parameter(torch.randn(width) * 0.1)
        self.head_look = nn.Linear(features, width)
        self.token = nn.Linear(features + 4, width)
        self.cone = nn.Sequential(nn.Linear(_CONE_FEATURES, 32), nn.ReLU(), nn.Linear(32, width))
        self.layers = nn.ModuleList(AttentionLayer(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.to_map = nn.Sequential(
            nn.ConvTranspose2d(width, 48, 2, 2),
            nn.ReLU(),
            nn.Conv2d(48, 32, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
        )
        self.to_in_frame = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))
        nn.init.constant_(self.to_map[-1].bias, _EMPTY_MAP_BIAS)
        y, x = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij")
        self.register_buffer("cell_x", x.flatten(), persistent=False)
        self.register_buffer("cell_y", y.flatten(), persistent=False)

    def forward(self, pictures: Tensor, boxes: Tensor, picture_row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return map logits (M, 64, 64), in-frame logits (M,) and vectors (M, 6), head xyz then gaze xyz.

        Args:
            pictures: (N, 3, 288, 480) f32 BGR 0-255.
            boxes: (M, 4) f32 head boxes, fractions.
            picture_row: (M,) i64 row of each head's picture.
        """
        pictures = normalise(pictures)
        shrunk = F.interpolate(pictures, size=_SCENE_HW, mode="bilinear", align_corners=False)
        tokens = self.scene(shrunk).flatten(2).transpose(1, 2) + self.place  # (N, T, width)
        look, vectors = self.head_net(crop_heads(pictures, boxes, picture_row))
        cover = self._cover(boxes).unsqueeze(-1)
        tokens = tokens[picture_row] + cover * (self.head_mark + self.head_look(look).unsqueeze(1))
        tokens = tokens + self.cone(self._cone(boxes, vectors[:, 3:].float()))
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        tokens = torch.cat([self.token(torch.cat([look, centre, size], 1)).unsqueeze(1), tokens], 1)
        for layer in self.layers:
            tokens = layer(tokens)
        tokens = self.norm(tokens)
        grid = tokens[:, 1:].transpose(1, 2).reshape(-1, tokens.shape[2], *_GRID_HW)
        maps = F.interpolate(self.to_map(grid), size=(MAP_CELLS, MAP_CELLS), mode="bilinear", align_corners=False)
        return maps[:, 0], self.to_in_frame(tokens[:, 0])[:, 0], vectors

    def _cover(self, boxes: Tensor) -> Tensor:
        """Return how much of each cell the head box covers, square root, (M, T) 0..1."""
        rows, columns = _GRID_HW
        x1, y1, x2, y2 = (boxes[:, k : k + 1] for k in range(4))
        wide = torch.minimum(x2, self.cell_x + 0.5 / columns) - torch.maximum(x1, self.cell_x - 0.5 / columns)
        high = torch.minimum(y2, self.cell_y + 0.5 / rows) - torch.maximum(y1, self.cell_y - 0.5 / rows)
        return (wide.clamp(min=0.0) * columns * high.clamp(min=0.0) * rows + 1e-8).sqrt()

    def _cone(self, boxes: Tensor, gaze: Tensor) -> Tensor:
        """Describe each cell as seen from the head along its gaze, (M, T, 7).

        The cosine between the gaze in the image plane and the way to the cell, sharpened twice; the distance; the
        distance against how much of the gaze lies in the image plane; that part; the part along the view.
        """
        aspect = SIZE_WH[0] / SIZE_WH[1]
        gaze = F.normalize(gaze, dim=1, eps=1e-4)
        away_x = (self.cell_x - (boxes[:, 0:1] + boxes[:, 2:3]) / 2) * aspect
        away_y = self.cell_y - (boxes[:, 1:2] + boxes[:, 3:4]) / 2
        distance = (away_x**2 + away_y**2 + 1e-6).sqrt()
        in_plane = (gaze[:, 0:1] ** 2 + gaze[:, 1:2] ** 2 + 1e-4).sqrt()
        cosine = (away_x * gaze[:, 0:1] + away_y * gaze[:, 1:2]) / (distance * in_plane)
        ahead = cosine.clamp(min=0.0)
        same = torch.ones_like(cosine)
        return torch.stack(
            [
                cosine,
                ahead**4,
                ahead**16,
                distance,
                distance / (in_plane + 0.2),
                in_plane * same,
                gaze[:, 2:3] * same,
            ],
            -1,
        )


class GazeGraph(nn.Module):
    """The Gaze-LLE-DINOv3 in-out contract: one picture, its head boxes, sigmoid outputs.

    The map is smoothed before it leaves: its highest cell is then the place with the most probability about it, which
    lies nearer to the target than the sharpest cell does.
    """

    def __init__(self, net: GazeNet) -> None:
        super().__init__()
        self.net = net
        steps = torch.arange(-_SMOOTH_REACH, _SMOOTH_REACH + 1)
        bump = torch.exp(-(steps**2) / (2 * _SMOOTH_SIGMA_CELLS**2))
        self.register_buffer("bump", (bump / bump.sum()).reshape(1, 1, 1, -1), persistent=False)

    def forward(self, image_bgr: Tensor, bboxes_x1y1x2y2: Tensor) -> tuple[Tensor, Tensor]:
        """Return heatmap (heads, 64, 64) and inout (heads,), both 0..1.

        Args:
            image_bgr: (1, 3, 288, 480) f32 0-255.
            bboxes_x1y1x2y2: (1, heads, 4) f32 fractions.
        """
        boxes = bboxes_x1y1x2y2[0]
        row = torch.zeros_like(boxes[:, 0]).long()
        maps, in_frame, _ = self.net(image_bgr, boxes, row)
        reach = (_SMOOTH_REACH,) * 4
        wide = F.pad(maps.sigmoid().unsqueeze(1), reach, mode="replicate")
        smooth = F.conv2d(F.conv2d(wide, self.bump), self.bump.transpose(2, 3))
        return smooth[:, 0].clamp(0.0, 1.0), in_frame.sigmoid()
