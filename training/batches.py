"""Read rows of rendered sets, and say which people in them count."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scenes.truth import PeopleTruth
from training.augment import People, Pictures
from training.data import Rows

# Below these a person or head is neither wanted nor punished, by trainings and figures alike.
LEAST_VISIBLE = 0.3
LEAST_HEAD_PX = 8.0
LEAST_BODY_PX = 16.0
_BOX_JITTER = 0.06
CPU = torch.device("cpu")


def still(rows: Rows, index: int) -> tuple[Pictures, People]:
    """Read one still."""
    return np.array(rows.pictures[index]), People.of_row(rows.truth[index], int(rows.count[index]))


def judged_heads(people: People | PeopleTruth, picture_height: int) -> NDArray[np.bool_]:
    """Return which heads (N,) are large and visible enough to be learnt and judged."""
    height_px = (people.head_box[:, 3] - people.head_box[:, 1]) * picture_height
    return np.asarray((people.head_visible >= LEAST_VISIBLE) & (height_px >= LEAST_HEAD_PX))


def picture_tensor(pictures: NDArray[np.uint8] | Tensor, device: torch.device) -> Tensor:
    """Turn pictures (N, H, W, 3) u8 into (N, 3, H, W) f32 0-255 on a device, channels last in memory."""
    moved = torch.as_tensor(np.array(pictures) if isinstance(pictures, np.ndarray) else pictures).to(device)
    return moved.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def shaken(boxes: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return boxes (M, 4) whose edges are a little off, as those of a detector are."""
    side = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + rng.standard_normal(boxes.shape).astype(np.float32) * _BOX_JITTER * side)
