"""What a second look at heads learns from: what the maps take for heads, and what is one.

A box is right by where it was moved to, as in Cascade R-CNN (Cai and Vasconcelos, 2018).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.detector_loss import generalised_iou
from training.peaks import overlaps, peaks

OVERLAP = 0.4
"""Two boxes of heads that overlap more are one."""
_LEARNT_FROM = 0.08
"""What the maps give less is not learnt from; more is learnt from than is looked at in the end, for cases enough."""
_RIGHT, _NEAR, _IGNORED = 0.5, 0.25, 0.3
"""IoU with a true head: of a right box, of one that learns to be right, and with one that does not count."""


class Candidates(NamedTuple):
    """What may be heads in the pictures of a batch."""

    boxes: Tensor
    """(M, 4) f32 fractions."""
    logits: Tensor
    """(M,) f32."""
    rows: Tensor
    """(M,) i64 picture of each."""


class TrueHeads(NamedTuple):
    """All heads of a batch, those too small or too hidden to count included, as arrays or tensors."""

    boxes: Any
    """(T, 4) f32 fractions."""
    rows: Any
    """(T,) i64 picture of each."""
    judged: Any
    """(T,) bool they count."""


@torch.no_grad()
def candidates(head_maps: Tensor, most: int) -> Candidates:
    """Return the boxes of each picture that are learnt from, the best ones, at most so many.

    Args:
        head_maps: (N, 5, h, w).
        most: of one picture.
    """
    boxes, scores = peaks(head_maps.float(), most, OVERLAP)
    rows, ranks = (scores > _LEARNT_FROM).nonzero(as_tuple=True)
    return Candidates(boxes[rows, ranks], scores[rows, ranks].logit(eps=1e-6), rows)


def second_losses(first: Candidates, logits: Tensor, boxes: Tensor, truth: TrueHeads) -> dict[str, Tensor]:
    """Return the losses of a second look: cross entropy of being a head; 1 - GIoU and the distance of sides of boxes.

    Args:
        first: what was looked at.
        logits: (M,) what was told of each.
        boxes: (M, 4) where each was moved to.
        truth: of the same pictures.
    """
    if not len(logits):
        return {"head_again": logits.sum(), "head_moved": boxes.sum()}
    there, right = _matched(first.rows, first.boxes, truth), _matched(first.rows, boxes.detach(), truth)
    wanted = _wanted(right, logits.detach(), truth)
    known, learns = ~torch.isnan(wanted), (there.iou > _NEAR) & there.judged
    moved, true = boxes[learns], truth.boxes[there.nearest[learns]]
    side = (true[:, 2:] - true[:, :2]).repeat(1, 2).clamp(min=1e-4)
    off = 2.0 * (1.0 - generalised_iou(moved, true)) + ((moved - true) / side).abs().mean(1)
    again = F.binary_cross_entropy_with_logits(logits[known], wanted[known], reduction="sum")
    return {"head_again": 2.0 * again / known.sum().clamp(min=1), "head_moved": off.sum() / learns.sum().clamp(min=1)}


class _Match(NamedTuple):
    iou: Tensor
    """(M,) with the nearest head that counts; 0 where there is none."""
    nearest: Tensor
    """(M,) i64 that head."""
    judged: Tensor
    """(M,) bool there is one."""
    beside: Tensor
    """(M,) IoU with the nearest head that does not count."""


def _matched(rows: Tensor, boxes: Tensor, truth: TrueHeads) -> _Match:
    none = boxes.new_zeros(len(boxes))
    if not len(truth.boxes):
        return _Match(none, none.long(), none.bool(), none)
    same = rows.unsqueeze(1) == truth.rows.unsqueeze(0)
    iou = overlaps(boxes.unsqueeze(0), truth.boxes.unsqueeze(0))[0] * same
    best, nearest = (iou * truth.judged).max(1)
    return _Match(best, nearest, best > 0, (iou * ~truth.judged).amax(1))


def _wanted(match: _Match, logits: Tensor, truth: TrueHeads) -> Tensor:
    """Return (M,) 1 for the surest right box of each head, 0 for others, nan beside heads that do not count."""
    right = (match.iou >= _RIGHT) & match.judged
    surest = logits.new_full((max(1, len(truth.boxes)),), -torch.inf)
    surest = surest.scatter_reduce(0, match.nearest[right], logits[right], "amax")
    wanted = (right & (logits >= surest[match.nearest])).float()
    return wanted.masked_fill((wanted == 0) & (match.beside > _IGNORED), torch.nan)
