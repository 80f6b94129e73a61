"""Box queries that look at a few places of feature maps: the decoder of the DETR family that DEIMv2 belongs to.

Source: deformable attention of Deformable DETR (Zhu et al., ICLR 2021), the choice of queries of RT-DETR (Zhao et al.,
CVPR 2024), edges as distributions that each layer refines of D-FINE (Peng et al., ICLR 2025), gated MLP and root mean
square norms of DEIMv2 (Huang et al., 2025). Left out: what only training uses, and the gateway between a query and what
it has seen, for which there is a plain sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.architectures.vit import SwiGlu

BINS = 32
"""Steps of an edge's distribution."""
_REACH, _CURVE = 0.5, 0.25
"""How far the last step but one moves an edge, in sizes of the box, and how much denser the steps near 0 are."""
_ANCHOR_SIZE = 0.05
"""Side of the boxes that queries start from on the finest map, fractions of the picture; twice that for the next."""


@dataclass(frozen=True)
class DecoderSize:
    """Sizes of the decoder: width and hidden width of the MLP, layers, points seen on each map, queries, classes."""

    width: int
    hidden: int
    layers: int
    points: tuple[int, ...]
    queries: int
    classes: int
    heads: int = 8


def steps_of_edges() -> Tensor:
    """Return how far each of the 33 steps moves an edge, in sizes of the box: D-FINE's weighting function."""
    ratio, middle = _REACH / _CURVE + 1, BINS // 2
    half = torch.tensor([_CURVE * (ratio ** (2 * k / (BINS - 2)) - 1) for k in range(1, middle)])
    ends = torch.tensor([2 * _REACH])
    return torch.cat([-ends, -half.flip(0), torch.zeros(1), half, ends])


class DeformableAttention(nn.Module):
    """Each head of each query mixes values at a few places near the query's box."""

    def __init__(self, size: DecoderSize) -> None:
        super().__init__()
        self.heads, self.points, self.channels = size.heads, size.points, size.width // size.heads
        every = sum(size.points)
        self.offsets = nn.Linear(size.width, size.heads * every * 2)
        self.weights = nn.Linear(size.width, size.heads * every)
        shares = [torch.full((count,), 1 / count) for count in size.points]
        self.register_buffer("share", torch.cat(shares).reshape(1, 1, 1, every, 1))

    def forward(self, queries: Tensor, boxes: Tensor, maps: list[Tensor]) -> Tensor:
        """Return what queries (N, Q, C) with boxes (N, Q, 4) cxcywh see on maps (N, C, h, w): (N, Q, C)."""
        rows, count, _ = queries.shape
        offsets = self.offsets(queries).reshape(rows, count, self.heads, -1, 2)
        weights = self.weights(queries).reshape(rows, count, self.heads, -1).softmax(-1)
        centre, size = boxes[:, :, None, None, :2], boxes[:, :, None, None, 2:]
        places = 2 * (centre + 0.5 * offsets * self.share * size) - 1  # -1..1 across the map
        places = places.permute(0, 2, 1, 3, 4).reshape(rows * self.heads, count, -1, 2)
        seen = []
        for k, level in enumerate(maps):
            first = sum(self.points[:k])
            values = level.reshape(rows * self.heads, self.channels, *level.shape[2:])
            there = places[:, :, first : first + self.points[k]]
            seen.append(F.grid_sample(values, there, mode="bilinear", align_corners=False))  # (N * heads, c, Q, points)
        weights = weights.permute(0, 2, 1, 3).reshape(rows * self.heads, 1, count, -1)
        mixed = (torch.cat(seen, -1) * weights).sum(-1)
        return mixed.reshape(rows, -1, count).transpose(1, 2)


class DecoderLayer(nn.Module):
    """Queries look at each other, then at the maps."""

    def __init__(self, size: DecoderSize) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(size.width, size.heads, batch_first=True)
        self.look = DeformableAttention(size)
        self.mlp = SwiGlu(size.width, size.hidden // 2)
        self.norm1, self.norm2, self.norm3 = (RootMeanSquareNorm(size.width) for _ in range(3))

    def forward(self, queries: Tensor, places: Tensor, boxes: Tensor, maps: list[Tensor]) -> Tensor:
        """Return queries (N, Q, C); `places` (N, Q, C) encode their boxes (N, Q, 4) cxcywh."""
        asking = queries + places
        queries = self.norm1(queries + self.attention(asking, asking, queries, need_weights=False)[0])
        queries = self.norm2(queries + self.look(queries + places, boxes, maps))
        normed: Tensor = self.norm3(queries + self.mlp(queries))
        return normed


class RootMeanSquareNorm(nn.Module):
    """Divide by the root of the mean square, times a learned factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, width), same shape as given."""
        return tokens * torch.rsqrt(tokens.square().mean(-1, keepdim=True) + 1e-6) * self.scale


class BoxDecoder(nn.Module):
    """Maps (N, width, h, w) of known sizes, fine to coarse, to class logits (N, Q, classes) and boxes (N, Q, 4)."""

    def __init__(self, size: DecoderSize, grids: tuple[int, ...]) -> None:
        super().__init__()
        width, self.queries, self.grids = size.width, size.queries, grids
        self.register_buffer("anchors", torch.cat([_anchors(grid, k) for k, grid in enumerate(grids)]))
        self.register_buffer("steps", steps_of_edges())
        self.enter = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in grids)
        self.choose = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))
        self.first_scores, self.first_boxes = nn.Linear(width, size.classes), _mlp(width, width, 4, 3)
        self.place = _mlp(4, 2 * width, width, 2)
        self.layers = nn.ModuleList(DecoderLayer(size) for _ in range(size.layers))
        self.start = _mlp(width, width, 4, 3)
        self.edges = _mlp(width, width, 4 * (BINS + 1), 3)  # shared by the layers
        self.quality = _mlp(4 * 5, 64, 1, 2)
        self.scores = nn.Linear(width, size.classes)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return logits (N, Q, classes) and boxes (N, Q, 4) cx, cy, w, h, fractions of the picture."""
        maps = [enter(level) for enter, level in zip(self.enter, maps, strict=True)]
        memory = self.choose(torch.cat([level.flatten(2).transpose(1, 2) for level in maps], 1))
        best = self.first_scores(memory).amax(-1).topk(self.queries, 1).indices.unsqueeze(-1)
        queries = memory.gather(1, best.expand(-1, -1, memory.shape[2]))
        logits = self.anchors.expand(memory.shape[0], -1, -1).gather(1, best.expand(-1, -1, 4))
        boxes = (logits + self.first_boxes(queries)).sigmoid()
        edges: Tensor | None = None
        base = boxes
        for number, layer in enumerate(self.layers):
            queries = layer(queries, self.place(boxes), boxes, maps)
            if number == 0:
                base = (self.start(queries) + _logit(boxes)).sigmoid()
            edges = self.edges(queries) if edges is None else edges + self.edges(queries)
            shares = edges.reshape(*edges.shape[:2], 4, BINS + 1).softmax(-1)
            boxes = moved(base, shares @ self.steps)
        best_steps = shares.topk(4, -1).values
        sureness = torch.cat([best_steps, best_steps.mean(-1, keepdim=True)], -1).flatten(2)
        return self.scores(queries) + self.quality(sureness), boxes


def moved(boxes: Tensor, steps: Tensor) -> Tensor:
    """Return boxes (N, Q, 4) cxcywh with their left, top, right and bottom edges moved outward by steps (N, Q, 4)."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    low = centre - size * (0.5 + steps[..., :2])
    high = centre + size * (0.5 + steps[..., 2:])
    return torch.cat([(low + high) / 2, high - low], -1)


def _anchors(grid: int, level: int) -> Tensor:
    """Return logits (1, grid * grid, 4) of the boxes that queries of a map start from, as (grid * grid, 4)."""
    centres = (torch.arange(grid) + 0.5) / grid
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    side = torch.full_like(x, _ANCHOR_SIZE * 2**level)
    return _logit(torch.stack([x, y, side, side], -1).reshape(-1, 4))


def _logit(fractions: Tensor) -> Tensor:
    return torch.log(fractions.clamp(min=1e-5) / (1 - fractions).clamp(min=1e-5))


def _mlp(given: int, hidden: int, made: int, layers: int) -> nn.Sequential:
    widths = [given, *[hidden] * (layers - 1), made]
    parts: list[nn.Module] = []
    for wide, next_wide in pairwise(widths):
        parts += [nn.Linear(wide, next_wide), nn.ReLU()]
    return nn.Sequential(*parts[:-1])
