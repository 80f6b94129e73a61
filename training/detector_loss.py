"""Targets and losses of the detector: centre heat maps (penalty-reduced focal), boxes (GIoU and relative L1), faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from training.batches import LEAST_VISIBLE
from training.detector_net import STRIDE_PX, boxes_px

_SIGMA_PART = 0.18  # of the box side: a centre within it still gives a box that overlaps well
_LEAST_SIGMA_CELLS = 0.7
_BESIDE_WEIGHT = 0.4
_BESIDE_FROM_PX = 20.0


class ClassTargets(NamedTuple):
    """What one class (body, head or face) of a batch should give, as arrays or tensors."""

    heat: Any
    """(N, h, w) f32, 1 at the cell of a centre, falling around it."""
    counted: Any
    """(N, h, w) f32, 0 where the background is not judged."""
    cells: Any
    """(P, 3) i64 picture, row, column of the cells that learn a box."""
    boxes: Any
    """(P, 4) f32 xyxy, pixels of the model input."""
    weights: Any
    """(P,) f32, 1 at centres, less beside them."""


def class_targets(
    boxes: Sequence[NDArray[np.float32]],
    visible: Sequence[NDArray[np.float32]],
    size_wh: tuple[int, int],
    least_px: float,
) -> ClassTargets:
    """Make the targets of one class.

    Args:
        boxes: per picture (N, 4) fractions.
        visible: per picture (N,) visible part, 0..1.
        size_wh: model input, pixels.
        least_px: height below which a box is not judged.
    """
    columns, rows = size_wh[0] // STRIDE_PX, size_wh[1] // STRIDE_PX
    heat = np.zeros((len(boxes), rows, columns), np.float32)
    counted = np.ones_like(heat)
    y_cell, x_cell = np.arange(rows, dtype=np.float32)[:, None], np.arange(columns, dtype=np.float32)[None]
    learnt: list[tuple[int, int, int]] = []
    learnt_boxes: list[NDArray[np.float32]] = []
    weights: list[float] = []
    scale = np.array([*size_wh, *size_wh], np.float32)
    for k, (some, seen) in enumerate(zip(boxes, visible, strict=True)):
        for box, part in zip(some * scale, seen, strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            if not min(width, height) > 1.0:  # nan: there is none
                continue
            if part < LEAST_VISIBLE or height < least_px or width < 0.5 * least_px:
                x1, y1, x2, y2 = (box / STRIDE_PX).astype(int)
                counted[k, y1 : y2 + 1, x1 : x2 + 1] = 0.0
                continue
            column = min(columns - 1, int((box[0] + box[2]) / (2 * STRIDE_PX)))
            row = min(rows - 1, int((box[1] + box[3]) / (2 * STRIDE_PX)))
            sigma_x, sigma_y = (max(_LEAST_SIGMA_CELLS, side / STRIDE_PX * _SIGMA_PART) for side in (width, height))
            bump = np.exp(-((x_cell - column) ** 2) / (2 * sigma_x**2) - (y_cell - row) ** 2 / (2 * sigma_y**2))
            np.maximum(heat[k], bump, out=heat[k])
            reach = 1 if min(width, height) > _BESIDE_FROM_PX else 0
            for v in range(max(0, row - reach), min(rows, row + reach + 1)):
                for u in range(max(0, column - reach), min(columns, column + reach + 1)):
                    learnt.append((k, v, u))
                    learnt_boxes.append(box)
                    weights.append(1.0 if (v, u) == (row, column) else _BESIDE_WEIGHT)
    return ClassTargets(
        heat,
        counted,
        np.array(learnt, np.int64).reshape(-1, 3),
        np.array(learnt_boxes, np.float32).reshape(-1, 4),
        np.array(weights, np.float32),
    )


def centre_loss(logits: Tensor, heat: Tensor, counted: Tensor) -> Tensor:
    """Return the focal loss of CenterNet per centre: exponent 2 on the error, 4 on the distance from a centre.

    Args:
        logits: (N, h, w).
        heat: (N, h, w) 0..1, exactly 1 at centres.
        counted: (N, h, w) weight of the background.
    """
    logits = logits.float()
    centre = (heat == 1.0).float()
    found = centre * (1 - logits.sigmoid()) ** 2 * F.softplus(-logits)
    false = (1 - centre) * counted * (1 - heat) ** 4 * logits.sigmoid() ** 2 * F.softplus(logits)
    return (found + false).sum() / centre.sum().clamp(min=1.0)


def box_loss(maps: Tensor, targets: ClassTargets) -> Tensor:
    """Return 2 * (1 - GIoU) + 0.5 * L1 relative to the box size, weighted mean over the learning cells."""
    if not len(targets.cells):
        return maps.sum() * 0.0
    k, v, u = targets.cells.unbind(1)
    got = boxes_px(maps[k, 1:, v, u].float(), u.float(), v.float())
    wanted = targets.boxes
    size = wanted[:, 2:] - wanted[:, :2]
    relative = (got - wanted).abs().mean(1) * 2.0 / size.sum(1)
    loss = 2.0 * (1.0 - generalised_iou(got, wanted)) + 0.5 * relative
    return (loss * targets.weights).sum() / targets.weights.sum()


def face_losses(logits: Tensor, boxes: Tensor, wanted: Tensor, seen: Tensor) -> dict[str, Tensor]:
    """Return the losses of faces: cross entropy of being seen; 1 - GIoU and the distance of sides of those seen.

    Args:
        logits: (M,) that the face is seen.
        boxes: (M, 4) from the centre of the head, in its sides.
        wanted: (M, 4) the same; anything where no face is seen.
        seen: (M,) 1 seen, 0 not, nan where nobody knows, which is not learnt.
    """
    known, there = ~torch.isnan(seen), seen == 1
    apart = (boxes[there] - wanted[there]).abs().mean(1)
    off = 1.0 - generalised_iou(boxes[there], wanted[there]) + apart
    return {
        "face_seen": F.binary_cross_entropy_with_logits(logits[known], seen[known], reduction="sum")
        / known.sum().clamp(min=1),
        "face_box": off.sum() / there.sum().clamp(min=1),
    }


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the generalised IoU (Rezatofighi et al., 2019) of boxes (P, 4) and (P, 4), -1..1."""
    shared = _area(torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:]))
    both = _area(first[:, :2], first[:, 2:]) + _area(second[:, :2], second[:, 2:]) - shared
    hull = _area(torch.minimum(first[:, :2], second[:, :2]), torch.maximum(first[:, 2:], second[:, 2:]))
    return shared / both.clamp(min=1e-6) - (hull - both) / hull.clamp(min=1e-6)


def _area(low: Tensor, high: Tensor) -> Tensor:
    return (high - low).clamp(min=0.0).prod(1)
