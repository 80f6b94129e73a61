"""Gaze target network: one pass over the scene, a light decoder per head, a heat map and an in-frame probability.

The task and the contract are those of Gaze-LLE (Ryan et al., CVPR 2025). The way is another: the head's own crop, cut
from the picture inside the graph, gives the gaze direction; each cell of the scene is told how it lies to that
direction and to the head; and a small U-shaped stack of convolutions (Ronneberger et al., 2015) decides among the
cells. What is the same for all heads of a picture is computed once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.head_in_context import FEATURES, HeadInContext
from training.layers import Residual, conv_block, normalise, stem

SIZE_WH = (480, 288)
MAP_CELLS = 64
_FINE_HW = (36, 60)
_CONE_FEATURES = 12
_EMPTY_MAP_BIAS = -4.0


class Scene(nn.Module):
    """Pictures to features at strides 8, 16 and 32, those of coarser ones added to the finer."""

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128), out: tuple[int, ...] = (32, 48, 64)) -> None:
        super().__init__()
        c1, c2, c3, c4 = widths
        fine, middle, coarse = out
        self.stride8 = nn.Sequential(stem(c1), conv_block(c1, c2, 2), Residual(c2))
        self.stride16 = nn.Sequential(conv_block(c2, c3, 2), Residual(c3), Residual(c3))
        self.stride32 = nn.Sequential(conv_block(c3, c4, 2), Residual(c4))
        self.coarse = nn.Conv2d(c4, coarse, 1)
        self.middle, self.to_middle = nn.Conv2d(c3, middle, 1), nn.Conv2d(coarse, middle, 1)
        self.fine, self.to_fine = nn.Conv2d(c2, fine, 1), nn.Conv2d(middle, fine, 1)
        self.merge = conv_block(fine, fine)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return features (N, 32, 36, 60), (N, 48, 18, 30) and (N, 64, 9, 15).

        Args:
            pictures: (N, 3, 288, 480) f32 normalised BGR.
        """
        at8 = self.stride8(pictures)
        at16 = self.stride16(at8)
        coarse = self.coarse(self.stride32(at16))
        middle = self.middle(at16) + _twice(self.to_middle(coarse))
        return self.merge(self.fine(at8) + _twice(self.to_fine(middle))), middle, coarse


class Decoder(nn.Module):
    """Scene features, a description of each cell as seen from a head, and the head's own features to a map."""

    def __init__(self, head_features: int, widths: tuple[int, ...] = (32, 48, 64)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.cells = nn.Conv2d(_CONE_FEATURES, fine, 1)
        self.look_fine, self.look_coarse = nn.Linear(head_features, fine), nn.Linear(head_features, coarse)
        self.down16 = nn.Conv2d(fine, middle, 3, 2, 1)
        self.down32 = nn.Conv2d(middle, coarse, 3, 2, 1)
        self.far = Residual(coarse)
        self.up16, self.merge16 = nn.Conv2d(coarse, middle, 1), nn.Conv2d(middle, middle, 3, 1, 1)
        self.up8, self.merge8 = nn.Conv2d(middle, fine, 1), nn.Conv2d(fine, 16, 3, 1, 1)
        self.to_map = nn.Conv2d(16, 1, 1)
        self.to_in_frame = nn.Sequential(nn.Linear(2 * coarse + head_features, 64), nn.ReLU(), nn.Linear(64, 1))
        nn.init.constant_(self.to_map.bias, _EMPTY_MAP_BIAS)

    def forward(self, scene: tuple[Tensor, Tensor, Tensor], cells: Tensor, look: Tensor) -> tuple[Tensor, Tensor]:
        """Return map logits (M, 36, 60) and in-frame logits (M,).

        Args:
            scene: features of each head's picture at three strides, (M, C, h, w).
            cells: (M, 12, 36, 60).
            look: (M, F) features of the head.
        """
        at8, at16, at32 = scene
        fine = F.relu(at8 + self.cells(cells) + _spread(self.look_fine(look)))
        middle = F.relu(self.down16(fine) + at16)
        coarse = self.far(F.relu(self.down32(middle) + at32 + _spread(self.look_coarse(look))))
        everywhere = torch.cat([coarse.mean((2, 3)), coarse.amax((2, 3)), look], 1)
        middle = F.relu(self.merge16(middle + _twice(self.up16(coarse))))
        fine = F.relu(self.merge8(fine + _twice(self.up8(middle))))
        return self.to_map(fine)[:, 0], self.to_in_frame(everywhere)[:, 0]


class GazeNet(nn.Module):
    """Pictures and head boxes to gaze heat maps, in-frame logits and direction vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.heads = HeadInContext(32)
        self.look = nn.Sequential(nn.Linear(FEATURES + 6, FEATURES), nn.ReLU())
        self.decoder = Decoder(FEATURES)
        rows, columns = _FINE_HW
        y, x = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij")
        self.register_buffer("cell_x", x.reshape(1, rows, columns), persistent=False)
        self.register_buffer("cell_y", y.reshape(1, rows, columns), persistent=False)

    def forward(
        self, pictures: Tensor, boxes: Tensor, picture_row: Tensor, known: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return map logits (M, 36, 60), in-frame logits (M,) and vectors (M, 6), head xyz then gaze xyz.

        Args:
            pictures: (N, 3, 288, 480) f32 BGR 0-255.
            boxes: (M, 4) f32 head boxes, fractions.
            picture_row: (M,) i64 row of each head's picture.
            known: (M, 6) vectors to go by in place of those that are read off the heads.
        """
        pictures = normalise(pictures)
        at8, at16, at32 = self.scene(pictures)
        features, vectors = self.heads(pictures, at8, boxes, picture_row)
        vectors = vectors if known is None else known
        look = self.look(torch.cat([features, vectors], 1))
        cells = self._cells(boxes, vectors[:, 3:].float())
        maps, in_frame = self.decoder((at8[picture_row], at16[picture_row], at32[picture_row]), cells, look)
        return maps, in_frame, vectors

    def _cells(self, boxes: Tensor, gaze: Tensor) -> Tensor:
        """Describe each cell as seen from the head along its gaze, (M, 12, 36, 60).

        Which part of it the head covers; the cosine between the gaze in the image plane and the way to the cell,
        sharpened three times; the way itself, in frame heights; its length; the length in heads; the length against
        how much of the gaze lies in the image plane; that part; the part along the view.
        """
        aspect = SIZE_WH[0] / SIZE_WH[1]
        rows, columns = _FINE_HW
        gaze = F.normalize(gaze, dim=1, eps=1e-4).unsqueeze(2).unsqueeze(3)  # (M, 3, 1, 1)
        x1, y1, x2, y2 = (boxes[:, k].reshape(-1, 1, 1) for k in range(4))
        wide = torch.minimum(x2, self.cell_x + 0.5 / columns) - torch.maximum(x1, self.cell_x - 0.5 / columns)
        high = torch.minimum(y2, self.cell_y + 0.5 / rows) - torch.maximum(y1, self.cell_y - 0.5 / rows)
        cover = wide.clamp(min=0.0) * columns * high.clamp(min=0.0) * rows
        away_x, away_y = (self.cell_x - (x1 + x2) / 2) * aspect, self.cell_y - (y1 + y2) / 2
        distance = (away_x**2 + away_y**2 + 1e-6).sqrt()
        in_plane = (gaze[:, 0] ** 2 + gaze[:, 1] ** 2 + 1e-4).sqrt()
        cosine = (away_x * gaze[:, 0] + away_y * gaze[:, 1]) / (distance * in_plane)
        ahead = cosine.clamp(min=0.0)
        near = (ahead * ahead) * (ahead * ahead)
        narrow = (near * near) * (near * near)
        heads = (distance / (y2 - y1 + 0.02) * 0.2).clamp(max=3.0)
        same = torch.ones_like(cosine)
        described = [
            cover,
            cosine,
            near,
            narrow,
            (narrow * narrow) * (narrow * narrow),
            away_x,
            away_y,
            distance,
            heads,
            distance / (in_plane + 0.2),
            in_plane * same,
            gaze[:, 2] * same,
        ]
        return torch.stack(described, 1)


class GazeGraph(nn.Module):
    """The Gaze-LLE-DINOv3 in-out contract, for one picture or many, with the directions of the heads beside."""

    def __init__(self, net: GazeNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image_bgr: Tensor, bboxes_x1y1x2y2: Tensor, image_row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return heatmap (heads, 64, 64) and inout (heads,), both 0..1, and direction (heads, 6).

        Args:
            image_bgr: (N, 3, 288, 480) f32 0-255.
            bboxes_x1y1x2y2: (1, heads, 4) f32 fractions.
            image_row: (heads,) i64 picture of each head; or (1,) where all are in one.
        """
        return self.answer(image_bgr, bboxes_x1y1x2y2, image_row)

    def answer(
        self, image_bgr: Tensor, bboxes_x1y1x2y2: Tensor, image_row: Tensor, known: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` does, by directions (heads, 6) that are known in place of those that are read."""
        boxes = bboxes_x1y1x2y2[0]
        row = image_row + torch.zeros_like(boxes[:, 0]).long()
        maps, in_frame, vectors = self.net(image_bgr, boxes, row, known)
        cells = (MAP_CELLS, MAP_CELLS)
        wide = F.interpolate(maps.unsqueeze(1), size=cells, mode="bilinear", align_corners=False)
        head, gaze = (F.normalize(part, dim=1, eps=1e-4) for part in vectors.split(3, 1))
        return wide[:, 0].sigmoid(), in_frame.sigmoid(), torch.cat([head, gaze], 1)


def _twice(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="nearest")


def _spread(features: Tensor) -> Tensor:
    """Turn (M, C) into (M, C, 1, 1)."""
    return features.unsqueeze(2).unsqueeze(3)
