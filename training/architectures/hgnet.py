"""HGNetV2, the convolutional backbones of the smallest Gaze-LLE-DINOv3 and DEIMv2 models.

Source: PP-HGNetV2 (PaddleDetection) in the form of D-FINE (Peng et al., 2024), with the sizes of DEIMv2 (Huang et al.,
2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class StageSize:
    """Sizes of one stage: channels in, within and out, blocks, and of each block its layers."""

    channels_in: int
    channels_mid: int
    channels_out: int
    blocks: int
    downsample: bool
    light: bool
    kernel: int
    layers: int = 3


_STAGE1 = StageSize(16, 16, 64, 1, False, False, 3)
_STAGE2 = StageSize(64, 32, 256, 1, True, False, 3)
SIZES = {
    "atto": (_STAGE1, _STAGE2, StageSize(256, 64, 256, 1, True, True, 3)),
    "femto": (_STAGE1, _STAGE2, StageSize(256, 64, 512, 1, True, True, 5)),
    "pico": (_STAGE1, _STAGE2, StageSize(256, 64, 512, 2, True, True, 5)),
    "b0": (
        _STAGE1,
        _STAGE2,
        StageSize(256, 64, 512, 2, True, True, 5),
        StageSize(512, 128, 1024, 1, True, True, 5),
    ),
}


class ScalarAffine(nn.Module):
    """One learned factor and one learned offset behind an activation."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, h, w), same shape as given."""
        return self.scale * features + self.bias


def conv_norm(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Make convolution and batch norm."""
    padding = (kernel - 1) // 2
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


def conv_act(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Make convolution, batch norm, ReLU and the scalar affine."""
    return nn.Sequential(
        *conv_norm(channels_in, channels_out, kernel, stride, groups), nn.ReLU(inplace=True), ScalarAffine()
    )


def light_conv(channels_in: int, channels_out: int, kernel: int) -> nn.Sequential:
    """Make a 1x1 convolution and a depthwise one."""
    return nn.Sequential(
        conv_norm(channels_in, channels_out, 1), conv_act(channels_out, channels_out, kernel, groups=channels_out)
    )


class Stem(nn.Module):
    """Pictures (N, 3, H, W) to features (N, 16, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem1 = conv_act(3, 16, 3, 2)
        self.stem2a = conv_act(16, 8, 2)
        self.stem2b = conv_act(8, 16, 2)
        self.pool = nn.MaxPool2d(2, 1, ceil_mode=True)
        self.stem3 = conv_act(32, 16, 3, 2)
        self.stem4 = conv_act(16, 16, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features (N, 16, H/4, W/4)."""
        # A 2x2 kernel takes one row and one column away: they are put back on the right and at the bottom.
        features = F.pad(self.stem1(pictures), (0, 1, 0, 1))
        convolved = self.stem2b(F.pad(self.stem2a(features), (0, 1, 0, 1)))
        return self.stem4(self.stem3(torch.cat([self.pool(features), convolved], 1)))


class Block(nn.Module):
    """Layers one behind the other, all their outputs joined and squeezed."""

    def __init__(self, size: StageSize, channels_in: int, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        layer = light_conv if size.light else conv_act
        inputs = (channels_in, *(size.channels_mid,) * (size.layers - 1))
        self.layers = nn.ModuleList(layer(given, size.channels_mid, size.kernel) for given in inputs)
        joined = channels_in + size.layers * size.channels_mid
        self.squeeze = conv_act(joined, size.channels_out // 2, 1)
        self.excite = conv_act(size.channels_out // 2, size.channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, channels_out, h, w)."""
        made = [features]
        for layer in self.layers:
            made.append(layer(made[-1]))
        squeezed = self.excite(self.squeeze(torch.cat(made, 1)))
        return squeezed + features if self.residual else squeezed


class Stage(nn.Module):
    """Blocks at one scale."""

    def __init__(self, size: StageSize) -> None:
        super().__init__()
        given = size.channels_in
        self.downsample = conv_norm(given, given, 3, 2, groups=given) if size.downsample else nn.Identity()
        self.blocks = nn.Sequential(
            *(Block(size, size.channels_out if k else given, residual=k > 0) for k in range(size.blocks))
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, channels_out, h, w)."""
        return self.blocks(self.downsample(features))


class HGNet(nn.Module):
    """Pictures (N, 3, H, W), RGB 0..1, to the features of each stage.

    Attributes:
        channels: of the last stage at stride 16.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.stem = Stem()
        self.stages = nn.ModuleList(Stage(size) for size in SIZES[name])
        self.channels = SIZES[name][2].channels_out

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return features (N, C, h, w) at strides 4, 8, 16 and, where there is a fourth stage, 32."""
        made = [self.stem(pictures)]
        for stage in self.stages:
            made.append(stage(made[-1]))
        return made[1:]


class StrideSixteen(nn.Module):
    """The features of an HGNet that a gaze decoder takes, (N, C, H/16, W/16)."""

    patch = 16
    normalised = False

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = HGNet(name)
        self.channels = self.net.channels

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features (N, C, H/16, W/16) of pictures (N, 3, H, W), RGB 0..1."""
        features: Tensor = self.net(pictures)[2]
        return features
