"""From the features of a backbone to those that box queries look at, one map for each scale, all of one width.

Source: the hybrid encoder of RT-DETR (Zhao et al., CVPR 2024): attention on the coarsest map, then fusion from coarse
to fine and back. The lite form has no attention and makes its coarse map itself, in the spirit of DEIMv2's smallest
models. The layers that fuse are simpler than upstream's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.architectures.vit import Vit


def conv_silu(channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Make convolution, batch norm and SiLU."""
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out), nn.SiLU())


class Fusion(nn.Module):
    """Two maps of one scale to one: a short cut beside a few 3x3 convolutions."""

    def __init__(self, channels_in: int, width: int, mid: int, layers: int) -> None:
        super().__init__()
        self.short, self.enter = conv_silu(channels_in, mid), conv_silu(channels_in, mid)
        self.layers = nn.ModuleList(conv_silu(mid, mid, 3) for _ in range(layers))
        self.leave = conv_silu((2 + layers) * mid, width)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return features (N, width, h, w) of two that have the same h and w."""
        joined = torch.cat([first, second], 1)
        made = [self.short(joined), self.enter(joined)]
        for layer in self.layers:
            made.append(layer(made[-1]))
        fused: Tensor = self.leave(torch.cat(made, 1))
        return fused


class GridAttention(nn.Module):
    """One transformer layer over the cells of the coarsest map."""

    def __init__(self, width: int, hidden: int, heads: int = 8) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, features: Tensor, places: Tensor) -> Tensor:
        """Return features (N, width, h, w); `places` (1, h * w, width) tell the cells apart."""
        shape = features.shape
        tokens = features.flatten(2).transpose(1, 2)
        asking = tokens + places
        tokens = self.norm1(tokens + self.attention(asking, asking, tokens, need_weights=False)[0])
        tokens = self.norm2(tokens + self.mlp(tokens))
        return tokens.transpose(1, 2).reshape(shape)


class HybridPyramid(nn.Module):
    """Maps of two or three scales, fine to coarse, to as many of one width."""

    def __init__(
        self, channels: tuple[int, ...], width: int, hidden: int, mid: int, layers: int, coarse_grid: int
    ) -> None:
        super().__init__()
        self.enter = nn.ModuleList(nn.Sequential(nn.Conv2d(c, width, 1), nn.BatchNorm2d(width)) for c in channels)
        self.attention = GridAttention(width, hidden)
        self.register_buffer("places", _places(coarse_grid, width))
        steps = len(channels) - 1
        self.up = nn.ModuleList(Fusion(2 * width, width, mid, layers) for _ in range(steps))
        self.down = nn.ModuleList(conv_silu(width, width, 3, 2, groups=width) for _ in range(steps))
        self.back = nn.ModuleList(Fusion(2 * width, width, mid, layers) for _ in range(steps))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Return maps (N, width, h, w), fine to coarse, of maps (N, C, h, w)."""
        maps = [enter(each) for enter, each in zip(self.enter, features, strict=True)]
        maps[-1] = self.attention(maps[-1], self.places)
        made = [maps[-1]]
        for fuse, finer in zip(self.up, maps[-2::-1], strict=True):
            made.insert(0, fuse(F.interpolate(made[0], scale_factor=2.0, mode="nearest"), finer))
        for k, (down, fuse) in enumerate(zip(self.down, self.back, strict=True)):
            made[k + 1] = fuse(down(made[k]), made[k + 1])
        return made


class LitePyramid(nn.Module):
    """One map at stride 16 to two, at 16 and 32."""

    def __init__(self, channels: int, width: int, mid: int, layers: int) -> None:
        super().__init__()
        self.enter = conv_silu(channels, width)
        self.down = nn.Sequential(nn.AvgPool2d(3, 2, 1), conv_silu(width, width))
        self.up = Fusion(2 * width, width, mid, layers)
        self.back = Fusion(2 * width, width, mid, layers)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Return maps (N, width, h, w) and (N, width, h / 2, w / 2) of one map (N, C, h, w)."""
        fine = self.enter(features[0])
        coarse = self.down(fine)
        fine = self.up(F.interpolate(coarse, scale_factor=2.0, mode="nearest"), fine)
        return [fine, self.back(F.avg_pool2d(fine, 2), coarse)]


class VitPyramid(nn.Module):
    """A vision transformer's features at strides 8, 16 and 32, with fine detail from a few convolutions.

    Source: the spatial tuning adapter of DEIMv2, simplified.
    """

    def __init__(self, name: str, side: int, width: int, detail: int = 16) -> None:
        super().__init__()
        self.vit = Vit(name, side)
        self.detail = nn.ModuleList(
            [
                nn.Sequential(
                    conv_silu(3, detail, 3, 2), conv_silu(detail, detail, 3, 2), conv_silu(detail, 2 * detail, 3, 2)
                ),
                conv_silu(2 * detail, 4 * detail, 3, 2),
                conv_silu(4 * detail, 4 * detail, 3, 2),
            ]
        )
        self.leave = nn.ModuleList(
            nn.Sequential(nn.Conv2d(self.vit.channels + n * detail, width, 1, bias=False), nn.BatchNorm2d(width))
            for n in (2, 4, 4)
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return maps (N, width, S / 8, S / 8), ... / 16, ... / 32 of pictures (N, 3, S, S), normalised RGB."""
        depth = len(self.vit.blocks)
        features = self.vit.features(pictures, [depth // 3, 2 * depth // 3, depth])
        made, detail = [], pictures
        for each, factor, convolve, leave in zip(features, (2.0, 1.0, 0.5), self.detail, self.leave, strict=True):
            detail = convolve(detail)
            resized = F.interpolate(each, scale_factor=factor, mode="bilinear") if factor != 1 else each
            made.append(leave(torch.cat([resized, detail], 1)))
        return made


def _places(grid: int, width: int) -> Tensor:
    """Return sines and cosines of the row and of the column of each cell, (1, grid * grid, width)."""
    quarter = width // 4
    waves = 10_000.0 ** (-torch.arange(quarter) / quarter)
    along = torch.arange(grid).unsqueeze(1) * waves
    rows, columns = along.repeat_interleave(grid, 0), along.repeat(grid, 1)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()], 1).unsqueeze(0)
