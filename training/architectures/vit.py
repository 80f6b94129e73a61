"""Vision transformers on patches of 14 or 16 pixels: DINOv2, DINOv3 and the small ones distilled from DINOv3.

Source: Oquab et al., "DINOv2", 2023; Siméoni et al., "DINOv3", 2025; the distilled sizes of DEIMv2 (Huang et al.,
2025).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEPTH = 12
_HEAD_WIDTH = 64
_PERIODS = 16
_LONGEST_PERIOD = 100.0
_LEARNED_GRID = 37
"""Cells along each axis of DINOv2's learned positions."""
_LAYER_SCALE = 0.1
"""Where upstream's training starts from 1e-5: random blocks would leave no trace."""


@dataclass(frozen=True)
class VitSize:
    """Sizes of one transformer.

    Attributes:
        width: of tokens; heads are 64 wide.
        depth: blocks.
        patch: pixels.
        storage: tokens beside the class token that hold no patch.
        positions: turned by rotation, or learned and added.
        scaled: each branch has a learned factor for each channel.
        mlp: two layers with GELU, or SwiGLU.
        normed: the output goes through a last norm.
    """

    width: int
    depth: int = DEPTH
    patch: int = 16
    storage: int = 0
    positions: Literal["rotary", "learned"] = "rotary"
    scaled: bool = True
    mlp: Literal["gelu", "swiglu"] = "gelu"
    normed: bool = True


VIT_SIZES = {
    "tiny": VitSize(192, scaled=False, normed=False),
    "tinyplus": VitSize(256, scaled=False, normed=False),
    "vits16": VitSize(384, storage=4),
    "vits16plus": VitSize(384, storage=4, mlp="swiglu"),
    "vitb16": VitSize(768, storage=4),
    "vitb14": VitSize(768, patch=14, positions="learned"),
    "vitl14": VitSize(1024, depth=24, patch=14, positions="learned"),
}


def rotary_angles(grid: int) -> Tensor:
    """Return the angles by which pairs of channels are turned in each cell, (grid * grid, 64) f32 radians.

    Coordinates are those of cell centres, -1..1. Channels 0-15 turn with the row, 16-31 with the column, each by
    2 pi coordinate / period with the periods 100^(2j / 32); 32-63 repeat them.
    """
    centres = 2 * (torch.arange(grid) + 0.5) / grid - 1
    along = 2 * math.pi * centres.unsqueeze(1) / rotary_periods()  # (grid, 16)
    row = along.unsqueeze(1).expand(grid, grid, _PERIODS)
    column = along.unsqueeze(0).expand(grid, grid, _PERIODS)
    return torch.cat([row, column], 2).reshape(grid * grid, -1).tile(2)


def rotary_periods() -> Tensor:
    """Return the 16 periods, 1..75."""
    return _LONGEST_PERIOD ** (torch.arange(_PERIODS) / _PERIODS)


class SwiGlu(nn.Module):
    """Gated MLP."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, width), same shape as given."""
        mixed: Tensor = self.w3(F.silu(self.w1(tokens)) * self.w2(tokens))
        return mixed


class Block(nn.Module):
    """Pre-norm attention and MLP."""

    def __init__(self, size: VitSize, tokens: int, turn: tuple[Tensor, Tensor] | None) -> None:
        super().__init__()
        width, self.turn = size.width, turn
        self.split = (tokens, 3, width // _HEAD_WIDTH, _HEAD_WIDTH)
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp: nn.Module = (
            SwiGlu(width, 4 * width)  # 6 times the width, of which a gated MLP takes two thirds
            if size.mlp == "swiglu"
            else nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        )
        self.scale1 = nn.Parameter(torch.full((width,), _LAYER_SCALE)) if size.scaled else None
        self.scale2 = nn.Parameter(torch.full((width,), _LAYER_SCALE)) if size.scaled else None

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, width), same shape as given."""
        rows = tokens.shape[0]  # like upstream: where the batch is 1, the file says 1 in every reshape
        query, key, value = self.qkv(self.norm1(tokens)).reshape(rows, *self.split).permute(2, 0, 3, 1, 4)
        if self.turn is not None:
            query, key = turned(query, *self.turn), turned(key, *self.turn)
        scale = _HEAD_WIDTH**-0.25
        mixed = ((query * scale) @ (key.transpose(-1, -2) * scale)).softmax(-1) @ value
        branch = self.proj(mixed.transpose(1, 2).reshape(rows, self.split[0], -1))
        tokens = tokens + (branch if self.scale1 is None else branch * self.scale1)
        branch = self.mlp(self.norm2(tokens))
        return tokens + (branch if self.scale2 is None else branch * self.scale2)


def turned(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Return queries or keys (N, heads, T, 64) with those of patches turned; the tokens before them stay.

    Args:
        vectors: (N, heads, T, 64).
        cosine: (P, 64) of the angles of the P patches, which are the last of the T tokens.
        sine: (P, 64) likewise.
    """
    first = vectors.shape[2] - cosine.shape[0]
    others, patches = vectors[:, :, :first], vectors[:, :, first:]
    half = _HEAD_WIDTH // 2
    across = torch.cat([-patches[..., half:], patches[..., :half]], -1)
    return torch.cat([others, patches * cosine + across * sine], 2)


class Vit(nn.Module):
    """Pictures (N, 3, S, S), normalised RGB, to features (N, width, S/patch, S/patch).

    Attributes:
        channels, patch: width of the features, side of their cells in pixels.
        normalised: wants pictures normalised by mean and spread of ImageNet.
    """

    normalised = True

    def __init__(self, name: str, side: int) -> None:
        super().__init__()
        size = VIT_SIZES[name]
        self.channels, self.patch, self.grid = size.width, size.patch, side // size.patch
        self.patch_embed = nn.Conv2d(3, size.width, size.patch, size.patch)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, size.width))
        # Upstream's training hides patches behind it; released checkpoints have it, and hence the counts.
        self.mask_token = nn.Parameter(torch.zeros(1, size.width)) if size.normed else None
        self.storage_tokens = nn.Parameter(0.02 * torch.randn(1, size.storage, size.width)) if size.storage else None
        self.first = 1 + size.storage
        tokens, turn = self.first + self.grid**2, None
        self.pos_embed: nn.Parameter | None = None
        if size.positions == "learned":
            self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + _LEARNED_GRID**2, size.width))
            self.register_buffer("positions", self._fitted(self.pos_embed))
        else:
            angles = rotary_angles(self.grid)
            turn = (angles.cos(), angles.sin())
        self.blocks = nn.Sequential(*(Block(size, tokens, turn) for _ in range(size.depth)))
        self.norm: nn.Module = nn.LayerNorm(size.width, eps=1e-6) if size.normed else nn.Identity()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features (N, width, G, G) of pictures (N, 3, S, S)."""
        return self.features(pictures, [len(self.blocks)])[0]

    def features(self, pictures: Tensor, after: Sequence[int]) -> list[Tensor]:
        """Return features (N, width, G, G) of pictures (N, 3, S, S) behind each of some numbers of blocks."""
        patches = self.patch_embed(pictures).flatten(2).transpose(1, 2)
        lead = self.cls_token if self.storage_tokens is None else torch.cat([self.cls_token, self.storage_tokens], 1)
        tokens = torch.cat([lead.expand(patches.shape[0], -1, -1), patches], 1)
        if self.pos_embed is not None:
            tokens = tokens + self.positions
        made = []
        for count, block in enumerate(self.blocks, 1):
            tokens = block(tokens)
            if count in after:
                grid = self.norm(tokens)[:, self.first :].transpose(1, 2)
                made.append(grid.reshape(tokens.shape[0], self.channels, self.grid, self.grid))
        return made

    def _fitted(self, learned: Tensor) -> Tensor:
        """Return learned positions as they are for the grid of this model."""
        patches = learned[:, 1:].reshape(1, _LEARNED_GRID, _LEARNED_GRID, -1).permute(0, 3, 1, 2)
        patches = F.interpolate(patches, size=(self.grid, self.grid), mode="bicubic").flatten(2).transpose(1, 2)
        return torch.cat([learned[:, :1], patches], 1).detach()
