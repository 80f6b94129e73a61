"""Detectors that are built from their contracts alone: YOLOv9-Wholebody25 and SCRFD.

A plain pyramid of convolutions stands for the network, of a width at which it does about as much arithmetic as was
published for the released one. So the files have the right names, shapes, ranges and the right steps behind the network
(decoded boxes, suppression inside the graph), and about the right speed; what is inside has nothing in common.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.architectures.gaze import BYTE
from training.architectures.spec import Architecture, Input
from training.layers import conv_block

CLASSES = 25
PER_CLASS, OVERLAP, LEAST_SCORE = 20, 0.4, 0.25
STRIDES = (8, 16, 32)
_FEW, _HIGH, _SPREAD = 0.0003, -0.5, 1.5
"""Share of random score logits that are higher than a value, and the standard deviation of all: few score high."""
_NUMBERED = ("t443", "t468", "t493", "t446", "t471", "t496", "t449", "t474", "t499")
"""Outputs of SCRFD files are called by number, and otherwise in each: scores, boxes and points."""


class PlainPyramid(nn.Module):
    """Pictures (N, 3, H, W) to maps (N, made, H / s, W / s) at the strides 8, 16 and 32."""

    def __init__(self, width: int, made: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_block(3, width, 2), conv_block(width, width, 2))
        self.stages = nn.ModuleList(conv_block(given * width, 2 * width, 2) for given in (1, 2, 2))
        self.leave = nn.ModuleList(nn.Conv2d(2 * width, made, 1) for _ in STRIDES)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the maps, fine to coarse."""
        features, maps = self.stem(pictures), []
        for stage, leave in zip(self.stages, self.leave, strict=True):
            features = stage(features)
            maps.append(leave(features))
        return maps


class Suppression(torch.autograd.Function):
    """ONNX's NonMaxSuppression, and the same in torch."""

    @staticmethod
    def forward(_: Any, boxes: Tensor, scores: Tensor) -> Tensor:
        """Return picture, class and box (K, 3) i64 of what is kept of boxes (1, M, 4) with scores (1, C, M)."""
        area, kept = (boxes[0, :, 2:] - boxes[0, :, :2]).prod(-1), []
        for label, of_class in enumerate(scores[0]):
            left = of_class.argsort(descending=True, stable=True)
            left = left[of_class[left] > LEAST_SCORE]
            for _ in range(min(PER_CLASS, len(left))):
                best, left = left[0], left[1:]
                kept.append((0, label, int(best)))
                low = torch.maximum(boxes[0, best, :2], boxes[0, left, :2])
                high = torch.minimum(boxes[0, best, 2:], boxes[0, left, 2:])
                shared = (high - low).clamp(min=0).prod(-1)
                left = left[shared <= OVERLAP * (area[best] + area[left] - shared)]
                if not len(left):
                    break
        return torch.tensor(kept, dtype=torch.int64).reshape(-1, 3)

    @staticmethod
    def symbolic(graph: Any, boxes: Any, scores: Any) -> Any:
        """Return the node of the file."""
        limits = [graph.op("Constant", value_t=torch.tensor([value])) for value in (PER_CLASS, OVERLAP, LEAST_SCORE)]
        return graph.op("NonMaxSuppression", boxes, scores, *limits)


class WholeBody25(nn.Module):
    """The graph of one YOLOv9-Wholebody25 file."""

    def __init__(self, size_wh: tuple[int, int], width: int) -> None:
        super().__init__()
        self.size_hw = (size_wh[1], size_wh[0])
        self.net = PlainPyramid(width, 4 + CLASSES)
        centres, strides = cells(size_wh, 1)
        self.register_buffer("centres", centres + strides.unsqueeze(1) / 2)
        self.register_buffer("strides", strides)

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (K, 7): picture, class, score, x1, y1, x2, y2 in pixels of the file's size."""
        raw = self.raw(input_bgr)
        reach = raw[..., :4].exp() * self.strides.reshape(1, -1, 1)
        boxes = torch.cat([self.centres - reach[..., :2], self.centres + reach[..., 2:]], -1)
        scores = raw[..., 4:].sigmoid().transpose(1, 2)
        kept = Suppression.apply(boxes, scores)
        label, box = kept[:, 1], kept[:, 2]
        score = scores.flatten().gather(0, label * boxes.shape[1] + box)
        return torch.cat([kept[:, :2].float(), score.unsqueeze(1), boxes[0][box]], 1)

    def raw(self, input_bgr: Tensor) -> Tensor:
        """Return what the network says of each cell, (1, M, 29)."""
        picture = F.interpolate(input_bgr, size=self.size_hw, mode="nearest")[:, [2, 1, 0]] * BYTE
        return torch.cat([level.flatten(2).transpose(1, 2) for level in self.net(picture)], 1)


class Scrfd(nn.Module):
    """The graph of one SCRFD file with key points: two anchors a cell, three strides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = PlainPyramid(width, 2 * (1 + 4 + 10))

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Return scores (rows, 1), boxes (rows, 4) and points (rows, 10), each at the strides 8, 16 and 32."""
        rows = [level.permute(0, 2, 3, 1).reshape(-1, 15) for level in self.net(pictures)]
        scores = [level[:, :1].sigmoid() for level in rows]
        return (*scores, *(level[:, 1:5].exp() for level in rows), *(level[:, 5:] for level in rows))


def cells(size_wh: tuple[int, int], anchors: int) -> tuple[Tensor, Tensor]:
    """Return upper left corners (M, 2) and strides (M,) of all cells of all maps, pixels, row by row."""
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = torch.arange(size_wh[1] // stride), torch.arange(size_wh[0] // stride)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        corner = stride * torch.stack([x, y], -1).reshape(-1, 2).repeat_interleave(anchors, 0)
        corners.append(corner.float())
        strides.append(torch.full((len(corner),), float(stride)))
    return torch.cat(corners), torch.cat(strides)


def steepen_wholebody(model: nn.Module, inputs: list[Tensor]) -> None:
    """Bring the scores of a `WholeBody25` to where few are high."""
    logits = model.raw(inputs[0])[..., 4:]
    for leave in model.net.leave:
        _scale(leave.weight[4:], leave.bias[4:], logits)


def steepen_scrfd(model: nn.Module, inputs: list[Tensor]) -> None:
    """Bring the scores of a `Scrfd` to where few are high."""
    logits = torch.cat([torch.logit(scores) for scores in model(*inputs)[:3]])
    for leave in model.net.leave:
        for first in (0, 15):
            _scale(leave.weight[first : first + 1], leave.bias[first : first + 1], logits)


def plain_architectures() -> dict[str, Architecture]:
    """Return the files by the names of their cards."""
    made = {}
    for letter, width in {"n": 62, "t": 90, "s": 174, "c": 346, "e": 473}.items():
        made[f"yolov9-wholebody25-{letter}"] = Architecture(
            file=f"yolov9_{letter}_wholebody25_post_0100_1x3x480x640.onnx",
            build=lambda width=width: WholeBody25((640, 480), width),  # type: ignore[misc]
            steepen=steepen_wholebody,
            inputs={"input_bgr": Input((1, 3, 480, 640))},
            outputs={"batchno_classid_score_x1y1x2y2": ("K", 7)},
        )
    for size, width in {"500m": 36, "2.5g": 85, "10g": 175}.items():
        made[f"scrfd-{size}"] = _scrfd(size, width)
    return made


def _scrfd(size: str, width: int) -> Architecture:
    rows = [2 * (640 // stride) ** 2 for stride in STRIDES]
    kinds = [(count, columns) for columns in (1, 4, 10) for count in rows]
    return Architecture(
        file=f"det_{size}.onnx",
        build=lambda: Scrfd(width),
        steepen=steepen_scrfd,
        inputs={"input.1": Input((1, 3, 640, 640), -1.0, 1.0)},
        outputs=dict(zip(_NUMBERED, kinds, strict=True)),
    )


def _scale(weight: Tensor, bias: Tensor, logits: Tensor) -> None:
    factor = _SPREAD / logits.std()
    high = logits.flatten().kthvalue(int((1 - _FEW) * logits.numel())).values
    weight.mul_(factor)
    bias.mul_(factor).add_(_HIGH - factor * high)
