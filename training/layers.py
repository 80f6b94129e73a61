"""Building blocks shared by the networks: plain convolutions, a residual pair, a pre-norm attention layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_block(channels_in: int, channels_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Make convolution, batch norm and ReLU; the padding keeps the size up to the stride."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def stem(channels_out: int) -> nn.Sequential:
    """Make the first block of a network, which steps by four pixels at once.

    No feature map of a half of the size is needed; it is what squares of 2x2 pixels as channels and a 3x3 convolution
    are, without moving the pixels about, which takes longer than the convolution.
    """
    return nn.Sequential(
        nn.Conv2d(3, channels_out, 6, 4, 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity path."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_block(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, h, w), same shape as given."""
        return F.relu(features + self.second(self.first(features)))


class AttentionLayer(nn.Module):
    """Pre-norm self-attention and MLP over tokens."""

    def __init__(self, width: int, heads: int = 3, mlp_ratio: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.expand = nn.Linear(width, mlp_ratio * width)
        self.contract = nn.Linear(mlp_ratio * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, width), same shape as given."""
        rows, count, width = tokens.shape
        split = self.query_key_value(self.norm_attention(tokens)).reshape(
            rows, count, 3, self.heads, width // self.heads
        )
        query, key, value = split.permute(2, 0, 3, 1, 4)
        # Spelled out: with tokens this few it trains faster than the fused form, and it exports to three plain nodes.
        scale = (width // self.heads) ** -0.5
        mixed = ((query * scale) @ key.transpose(-1, -2)).softmax(-1) @ value
        tokens = tokens + self.project(mixed.transpose(1, 2).reshape(rows, count, width))
        return tokens + self.contract(F.gelu(self.expand(self.norm_mlp(tokens)), approximate="tanh"))


def fuse_batch_norm(net: nn.Module) -> nn.Module:
    """Fold every batch norm that follows a convolution into it, in place; the net must be in eval mode."""
    for module in net.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for k in range(len(module) - 1):
            conv, norm = module[k], module[k + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module[k] = torch.nn.utils.fuse_conv_bn_eval(conv, norm)
                module[k + 1] = nn.Identity()
    return net


def normalise(picture_bgr: Tensor) -> Tensor:
    """Bring BGR values 0-255 to about zero mean and unit spread."""
    return (picture_bgr - 118.0) / 60.0
