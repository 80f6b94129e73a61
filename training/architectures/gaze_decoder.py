"""The decoder of Gaze-LLE: scene features and head boxes to one gaze map per head.

Source: Ryan et al., "Gaze-LLE: Gaze Target Estimation via Large-Scale Learned Encoders", CVPR 2025, with the head for
in-frame probabilities of Gaze-LLE-DINOv3 (one linear layer) or of the original (two).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 256
LAYERS = 3
ATTENTION_HEADS = 8
_LONGEST_WAVE = 10_000.0

InOut = Literal["none", "linear", "mlp"]


def position_table(grid: int) -> Tensor:
    """Return the fixed positional encoding of a square grid, (256, grid, grid) f32.

    Channels 0-127 tell the column, 128-255 the row; within each half even channels are sines and odd ones cosines of
    the cell's number times w_k = exp(-2k ln(10000) / 128), k = 0...63.
    """
    half = WIDTH // 2
    waves = torch.exp(-torch.arange(0, half, 2) * (math.log(_LONGEST_WAVE) / half))
    angles = torch.arange(grid).unsqueeze(1) * waves  # (grid, 64)
    along = torch.stack([angles.sin(), angles.cos()], 2).flatten(1).T  # (128, grid)
    column = along.unsqueeze(1).expand(half, grid, grid)
    row = along.unsqueeze(2).expand(half, grid, grid)
    return torch.cat([column, row])


def head_masks(boxes: Tensor, grid: int) -> Tensor:
    """Return which cells each head covers, (heads, grid, grid) f32 0 or 1.

    A cell (r, c) is covered where round(y1 grid) <= r < round(y2 grid), likewise for c; halves are rounded to even.

    Args:
        boxes: (heads, 4) f32 x1, y1, x2, y2 in fractions of the frame.
        grid: cells along each axis.
    """
    cell = torch.arange(grid, device=boxes.device)
    x1, y1, x2, y2 = torch.round(boxes * grid).unsqueeze(2).unbind(1)  # each (heads, 1)
    columns = (cell >= x1) & (cell < x2)
    rows = (cell >= y1) & (cell < y2)
    return (rows.unsqueeze(2) & columns.unsqueeze(1)).float()


class DecoderBlock(nn.Module):
    """Pre-norm attention and MLP; queries, keys and values have no bias."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.split = (tokens, 3, ATTENTION_HEADS, WIDTH // ATTENTION_HEADS)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (heads, T, 256), same shape as given."""
        rows = tokens.shape[0]
        query, key, value = self.qkv(self.norm1(tokens)).reshape(rows, *self.split).permute(2, 0, 3, 1, 4)
        # Spelled out in the form that the exporter gives the fused attention, less its arithmetic on shapes.
        scale = self.split[-1] ** -0.25
        mixed = ((query * scale) @ (key.transpose(-1, -2) * scale)).softmax(-1) @ value
        tokens = tokens + self.proj(mixed.transpose(1, 2).reshape(rows, self.split[0], WIDTH))
        return tokens + self.fc2(F.gelu(self.fc1(self.norm2(tokens))))


class GazeDecoder(nn.Module):
    """Features (1, C, G, G) and boxes (heads, 4) to maps (heads, 2G, 2G) and in-frame probabilities (heads,)."""

    def __init__(self, channels: int, grid: int, inout: InOut) -> None:
        super().__init__()
        self.grid = grid
        self.linear = nn.Conv2d(channels, WIDTH, 1)
        self.head_token = nn.Embedding(1, WIDTH)
        self.register_buffer("pos_embed", position_table(grid))
        tokens = grid * grid + (inout != "none")
        self.transformer = nn.Sequential(*(DecoderBlock(tokens) for _ in range(LAYERS)))
        self.heatmap_head = nn.Sequential(nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2), nn.Conv2d(WIDTH, 1, 1, bias=False))
        self.inout_token = None if inout == "none" else nn.Embedding(1, WIDTH)
        self.inout_head = None if inout == "none" else _inout_head(inout)

    def forward(self, features: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
        """Return maps (heads, 2G, 2G) 0..1 and, where the model has it, in-frame probabilities (heads,).

        Args:
            features: (1, C, G, G) f32 of the one picture.
            boxes: (heads, 4) f32 head boxes in fractions of the frame.
        """
        scene = self.linear(features) + self.pos_embed
        scene = scene.expand(boxes.shape[0], WIDTH, self.grid, self.grid)
        prompt = head_masks(boxes, self.grid).unsqueeze(1) * self.head_token.weight.reshape(1, WIDTH, 1, 1)
        tokens = (scene + prompt).flatten(2).transpose(1, 2)
        if self.inout_token is not None:
            first = self.inout_token.weight.unsqueeze(0).expand(boxes.shape[0], 1, WIDTH)
            tokens = torch.cat([first, tokens], 1)
        tokens = self.transformer(tokens)
        inout: tuple[Tensor, ...] = ()
        if self.inout_head is not None:
            inout = (self.inout_head(tokens[:, 0])[:, 0].sigmoid(),)
            tokens = tokens[:, 1:]
        grid = tokens.transpose(1, 2).reshape(tokens.shape[0], WIDTH, self.grid, self.grid)
        return self.heatmap_head(grid)[:, 0].sigmoid(), *inout


def _inout_head(inout: InOut) -> nn.Sequential:
    if inout == "linear":
        return nn.Sequential(nn.Linear(WIDTH, 1))
    return nn.Sequential(nn.Linear(WIDTH, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 1))
