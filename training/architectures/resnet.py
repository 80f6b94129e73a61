"""ResNet 18, 34 and 50, the backbones of most models of head poses and of gaze from faces.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from training.layers import conv_block

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_WIDTHS = (64, 128, 256, 512)
_BOTTLENECK = 4


def _conv_norm(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


class Block(nn.Module):
    """Two 3x3 convolutions, or 1x1, 3x3 and 1x1 to four times the width, beside a short cut."""

    def __init__(self, channels_in: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        channels_out = _BOTTLENECK * width if bottleneck else width
        if bottleneck:
            self.main = nn.Sequential(
                conv_block(channels_in, width, 1, 1),
                conv_block(width, width, stride),
                _conv_norm(width, channels_out, 1),
            )
        else:
            self.main = nn.Sequential(conv_block(channels_in, width, stride), _conv_norm(width, width, 3))
        same = stride == 1 and channels_in == channels_out
        self.short: nn.Module = nn.Identity() if same else _conv_norm(channels_in, channels_out, 1, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, channels_out, h / stride, w / stride)."""
        return F.relu(self.main(features) + self.short(features))


class ResNet(nn.Module):
    """Pictures (N, 3, H, W) to one vector each.

    Attributes:
        channels: of the vector.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        bottleneck = depth == 50
        self.stem = nn.Sequential(conv_block(3, _WIDTHS[0], 2, 7), nn.MaxPool2d(3, 2, 1))
        stages, given = [], _WIDTHS[0]
        for number, (width, blocks) in enumerate(zip(_WIDTHS, BLOCKS[depth], strict=True)):
            for k in range(blocks):
                stages.append(Block(given, width, 2 if number and not k else 1, bottleneck))
                given = _BOTTLENECK * width if bottleneck else width
        self.stages, self.channels = nn.Sequential(*stages), given

    def forward(self, pictures: Tensor) -> Tensor:
        """Return vectors (N, channels)."""
        return self.stages(self.stem(pictures)).mean((2, 3))


class SmallNet(nn.Module):
    """A few depthwise convolutions: stands for a mobile backbone where a file is wanted for its contract alone.

    Attributes:
        channels: of the vector.
    """

    channels = 128

    def __init__(self, channels_in: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_block(channels_in, 16, 2)]
        for given, made in ((16, 32), (32, 64), (64, self.channels)):
            depthwise = nn.Conv2d(given, given, 3, 2, 1, groups=given, bias=False)
            layers += [depthwise, nn.BatchNorm2d(given), conv_block(given, made, 1, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return vectors (N, 128)."""
        return self.layers(pictures).mean((2, 3))
