"""DEIMv2-Wholebody34, whole: raw pictures of any size in, rows `[label, x1, y1, x2, y2, score]` out.

The contract is upstream's to the letter: nearest resize to the size of the file inside the graph, RGB, 0..1, the mean
and spread of ImageNet for the vision transformers only; as many rows as queries, the best of queries x 35 classes,
sorted; boxes are fractions and not clipped. Backbones are upstream's; what lies between them and the rows is built from
the papers that it follows (see the modules), so that work and size come near: the number of parameters is within a
tenth of what was published for the models of 80 classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.architectures.box_decoder import BoxDecoder, DecoderSize
from training.architectures.box_pyramid import HybridPyramid, LitePyramid, VitPyramid
from training.architectures.gaze import BYTE, IMAGENET_MEAN, IMAGENET_STD
from training.architectures.hgnet import SIZES, HGNet
from training.architectures.spec import Architecture, Input

CLASSES = 35
"""34 and one that upstream never trains."""
_LOGITS = (-5.0, 1.5)
"""Mean and standard deviation of random class logits: few rows of a picture score high."""


@dataclass(frozen=True)
class DeimSize:
    """One size of the family.

    Attributes:
        backbone: of `hgnet.SIZES` or `vit.VIT_SIZES`.
        side: of the picture inside the graph, pixels.
        queries: and rows.
        width, hidden, layers: of the decoder.
        points: seen on each map.
        fusion: convolutions where maps are fused.
        fusion_share: their width, as a share of `width`.
    """

    backbone: str
    side: int
    queries: int
    width: int
    hidden: int
    layers: int = 3
    points: tuple[int, ...] = (4, 2)
    fusion: int = 1
    fusion_share: float = 0.5

    @property
    def fusing(self) -> tuple[int, int]:
        """Return channels and number of the convolutions where maps are fused."""
        return round(self.fusion_share * self.width), self.fusion

    @property
    def is_vit(self) -> bool:
        """Tell whether the backbone is a vision transformer."""
        return self.backbone not in SIZES


class HgPyramid(nn.Module):
    """HGNet and its pyramid."""

    def __init__(self, size: DeimSize) -> None:
        super().__init__()
        self.backbone = HGNet(size.backbone)
        self.lite = len(SIZES[size.backbone]) == 3
        self.pyramid: nn.Module = (
            LitePyramid(self.backbone.channels, size.width, *size.fusing)
            if self.lite
            else HybridPyramid((self.backbone.channels, 1024), size.width, size.hidden, *size.fusing, size.side // 32)
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return maps (N, width, S / 16, S / 16), (N, width, S / 32, S / 32)."""
        maps: list[Tensor] = self.pyramid(self.backbone(pictures)[2:])
        return maps


class DeimModel(nn.Module):
    """The graph of one file."""

    def __init__(self, size: DeimSize) -> None:
        super().__init__()
        self.side, self.is_vit, self.queries = size.side, size.is_vit, size.queries
        if size.is_vit:
            coarse = size.side // 32
            self.maps: nn.Module = nn.Sequential(
                VitPyramid(size.backbone, size.side, size.width),
                HybridPyramid((size.width,) * 3, size.width, size.hidden, *size.fusing, coarse),
            )
        else:
            self.maps = HgPyramid(size)
        strides = (8, 16, 32) if size.is_vit else (16, 32)
        sizes = DecoderSize(size.width, size.hidden, size.layers, size.points, size.queries, CLASSES)
        self.decoder = BoxDecoder(sizes, tuple(size.side // stride for stride in strides))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1))

    def forward(self, input_bgr: Tensor) -> Tensor:
        """Return rows (N, Q, 6), best first, of pictures (N, 3, H, W) f32 BGR 0..255."""
        logits, boxes = self.decoder(self.maps(self.prepared(input_bgr)))
        scores, best = logits.sigmoid().flatten(1).topk(self.queries, 1)
        query = torch.div(best, CLASSES, rounding_mode="floor")
        label = (best - query * CLASSES).float()
        chosen = boxes.gather(1, query.unsqueeze(-1).expand(-1, -1, 4))
        centre, half = chosen[..., :2], chosen[..., 2:] / 2
        return torch.cat([label.unsqueeze(-1), centre - half, centre + half, scores.unsqueeze(-1)], -1)

    def prepared(self, input_bgr: Tensor) -> Tensor:
        """Return pictures (N, 3, S, S) as the backbone takes them."""
        picture = F.interpolate(input_bgr, size=(self.side, self.side), mode="nearest")[:, [2, 1, 0]] * BYTE
        return (picture - self.mean) / self.std if self.is_vit else picture


def steepen(model: nn.Module, inputs: list[Tensor]) -> None:
    """Bring the class logits of a `DeimModel` to the mean and spread of `_LOGITS`, each class to the same mean."""
    last, (logits, _) = model.decoder.scores, model.decoder(model.maps(model.prepared(inputs[0])))
    factor = _LOGITS[1] / logits.std()
    model.decoder.quality[-1].weight.mul_(factor)
    model.decoder.quality[-1].bias.mul_(factor)
    last.weight.mul_(factor)
    last.bias.mul_(factor).add_(_LOGITS[0] - factor * logits.mean((0, 1)))


DEIM_SIZES = {
    "atto": DeimSize("atto", 320, 340, 64, 160),
    "femto": DeimSize("femto", 416, 340, 96, 256),
    "pico": DeimSize("pico", 640, 340, 112, 320),
    "n": DeimSize("b0", 640, 680, 128, 512, points=(6, 6)),
    "s": DeimSize("tiny", 640, 1750, 192, 512, layers=4, points=(3, 6, 3), fusion=2),
    "x-340": DeimSize("vits16plus", 640, 340, 256, 1024, layers=6, points=(3, 6, 3), fusion=4, fusion_share=1.0),
    "x-680": DeimSize("vits16plus", 640, 680, 256, 1024, layers=6, points=(3, 6, 3), fusion=4, fusion_share=1.0),
    "x-1750": DeimSize("vits16plus", 640, 1750, 256, 1024, layers=6, points=(3, 6, 3), fusion=4, fusion_share=1.0),
}
"""By the end of the card's name."""


def deim_architectures() -> dict[str, Architecture]:
    """Return the files of all sizes by the names of their cards."""
    return {f"deimv2-wholebody34-{end}": _architecture(end, size) for end, size in DEIM_SIZES.items()}


def _architecture(end: str, size: DeimSize) -> Architecture:
    family, letter = ("dinov3" if size.is_vit else "hgnetv2"), end.split("-")[0]
    return Architecture(
        file=f"deimv2_{family}_{letter}_wholebody34_{size.queries}query_n_batch_{size.side}x{size.side}.onnx",
        build=lambda: DeimModel(size),
        steepen=steepen,
        inputs={"input_bgr": Input(("N", 3, "H", "W"))},
        outputs={"label_xyxy_score": ("N", size.queries, 6)},
    )
