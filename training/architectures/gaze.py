"""Gaze-LLE and Gaze-LLE-DINOv3, whole: raw pictures and head boxes in, maps and in-frame probabilities out.

Everything stands as in the released files: the picture is reordered to RGB, resized without antialias, scaled to 0..1
and, for the vision transformers, normalised; the backbone runs once, the decoder once for each head; the map of 2G x 2G
is thinned to the size of the output by picking the nearest cell, which throws rows and columns away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.architectures.gaze_decoder import GazeDecoder, InOut
from training.architectures.hgnet import StrideSixteen
from training.architectures.spec import Architecture, Input
from training.architectures.vit import Vit

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
BYTE = 0.003921569
"""What upstream multiplies pixels with, for 1 / 255."""
_HEAD_TOKEN, _ATTENTION = 4.0, 3.0
"""Random heads would hardly matter and random attention would be even: by so much are both more than drawn."""
_MAP_LOGITS = (-2.0, 1.5)
"""Mean and standard deviation of the logits of maps."""
_INOUT_SPREAD = 1.0
"""Standard deviation over heads of the logits of in-frame probabilities; their mean is 0."""


@dataclass(frozen=True)
class GazeSize:
    """One size of the family.

    Attributes:
        stem: begin of the names of its files.
        backbone: makes the backbone: a module with `channels`, `patch`, `normalised` (wants the mean and spread of
            ImageNet), from pictures (1, 3, S, S) to features (1, C, G, G).
        side: S, pixels.
        out: cells of the map along each axis.
        inout: kind of head for in-frame probabilities, in the file that has it.
        suffix: part of the file's name behind `inout`.
        opset: of the file.
    """

    stem: str
    backbone: Callable[[], nn.Module]
    side: int
    out: int
    inout: InOut = "linear"
    suffix: str = ""
    opset: int = 17


class GazeModel(nn.Module):
    """The graph of one file."""

    def __init__(self, size: GazeSize) -> None:
        super().__init__()
        self.side, self.out = size.side, size.out
        self.backbone = size.backbone()
        self.decoder = GazeDecoder(self.backbone.channels, size.side // self.backbone.patch, size.inout)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1))

    def forward(self, image_bgr: Tensor, bboxes_x1y1x2y2: Tensor) -> tuple[Tensor, ...]:
        """Return heatmap (heads, out, out) and, where the model has it, inout (heads,), both 0..1.

        Args:
            image_bgr: (1, 3, S, S) f32 0..255.
            bboxes_x1y1x2y2: (1, heads, 4) f32 fractions.
        """
        image = F.interpolate(image_bgr[:, [2, 1, 0]], size=(self.side, self.side), mode="bilinear")
        image = image * BYTE
        if self.backbone.normalised:
            image = (image - self.mean) / self.std
        maps, *inout = self.decoder(self.backbone(image), bboxes_x1y1x2y2[0])
        if self.out != 2 * self.decoder.grid:
            maps = F.interpolate(maps.unsqueeze(1), size=(self.out, self.out), mode="nearest")[:, 0]
        return maps, *inout


def steepen(model: nn.Module, inputs: list[Tensor]) -> None:
    """Change weights of a `GazeModel` so that its random maps and probabilities differ: see the constants."""
    decoder = model.decoder
    decoder.head_token.weight.mul_(_HEAD_TOKEN)
    for block in decoder.transformer:
        block.qkv.weight.mul_(_ATTENTION)
    maps = model(*inputs)
    to_map = decoder.heatmap_head[1].weight  # (1, 256, 1, 1), without a bias: the layer below has one
    logits = torch.logit(maps[0])
    to_map *= _MAP_LOGITS[1] / logits.std()
    lacking = _MAP_LOGITS[0] - logits.mean() * _MAP_LOGITS[1] / logits.std()
    decoder.heatmap_head[0].bias += to_map.flatten() * lacking / to_map.square().sum()
    if decoder.inout_head is not None:
        last, logits = decoder.inout_head[-1], torch.logit(maps[1])
        factor = _INOUT_SPREAD / logits.std()
        last.weight *= factor
        last.bias += factor * (last.bias - logits.mean()) - last.bias


GAZE_SIZES = {
    "gazelle-dinov3-atto": GazeSize("gazelle_hgnetv2_atto", lambda: StrideSixteen("atto"), 320, 32, suffix="_distill"),
    "gazelle-dinov3-femto": GazeSize(
        "gazelle_hgnetv2_femto", lambda: StrideSixteen("femto"), 416, 48, suffix="_distill"
    ),
    "gazelle-dinov3-pico": GazeSize("gazelle_hgnetv2_pico", lambda: StrideSixteen("pico"), 640, 64, suffix="_distill"),
    "gazelle-dinov3-n": GazeSize("gazelle_hgnetv2_n", lambda: StrideSixteen("b0"), 640, 64, suffix="_distill"),
    "gazelle-dinov3-s": GazeSize("gazelle_dinov3_vit_tiny", lambda: Vit("tiny", 640), 640, 64),
    "gazelle-dinov3-m": GazeSize("gazelle_dinov3_vit_tinyplus", lambda: Vit("tinyplus", 640), 640, 64),
    "gazelle-dinov3-l": GazeSize("gazelle_dinov3_vits16", lambda: Vit("vits16", 640), 640, 64),
    "gazelle-dinov3-x": GazeSize("gazelle_dinov3_vits16plus", lambda: Vit("vits16plus", 640), 640, 64),
    "gazelle-dinov3-xl": GazeSize("gazelle_dinov3_vitb16", lambda: Vit("vitb16", 640), 640, 64),
    "gazelle-dinov2-b": GazeSize("gazelle_dinov2_vitb14", lambda: Vit("vitb14", 448), 448, 64, inout="mlp", opset=14),
    "gazelle-dinov2-l": GazeSize("gazelle_dinov2_vitl14", lambda: Vit("vitl14", 448), 448, 64, inout="mlp", opset=14),
}
"""By the name of the card of the file with in/out."""


def gaze_architectures() -> dict[str, Architecture]:
    """Return the files of all sizes by the names of their cards: with in/out, and `...-gazefollow` without."""
    made = {}
    for name, size in GAZE_SIZES.items():
        made[name] = _architecture(size)
        made[f"{name}-gazefollow"] = _architecture(replace(size, inout="none"))
    return made


def _architecture(size: GazeSize) -> Architecture:
    side, out = size.side, str(size.out)
    inputs = {
        "image_bgr": Input((1, 3, side, side)),
        "bboxes_x1y1x2y2": Input((1, "heads", 4), high=1.0, boxes=True),
    }
    # Upstream's files declare the extents of the map as names made of digits.
    outputs = {"heatmap": ("heads", out, out)}
    has_inout = size.inout != "none"
    middle = "_inout" if has_inout else ""
    return Architecture(
        file=f"{size.stem}{middle}{size.suffix}_1x3x{side}x{side}_1xNx4.onnx",
        build=lambda: GazeModel(size),
        steepen=steepen,
        inputs=inputs,
        outputs=outputs | ({"inout": ("heads",)} if has_inout else {}),
        opset=size.opset,
    )
