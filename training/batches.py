"""Draw rows of rendered sets in random order, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scenes.truth import PeopleTruth
from training.augment import People, Pictures, place, weather
from training.data import STILL_WH, Rows

# Below these a person or head is neither wanted nor punished, by trainings and figures alike.
LEAST_VISIBLE = 0.3
LEAST_HEAD_PX = 8.0
LEAST_BODY_PX = 16.0

_SCALE = (0.7, 1.6)
_BOX_JITTER = 0.06


def shuffled(sets: Sequence[Rows], rng: np.random.Generator) -> Iterator[tuple[Rows, int]]:
    """Yield (set, row) of all sets for ever, each row once before any comes again.

    Rows that are still being rendered join the next round.

    Raises:
        ValueError: nothing is rendered yet.
    """
    while True:
        places = [(rows, int(index)) for rows in sets for index in rows.ready()]
        if not places:
            raise ValueError("training data: expected rendered rows, got none; run python -m training.data first")
        for k in rng.permutation(len(places)):
            yield places[k]


def still(rows: Rows, index: int) -> tuple[Pictures, People]:
    """Read one still."""
    return np.array(rows.pictures[index]), People.of_row(rows.truth[index], int(rows.count[index]))


def judged_heads(people: People | PeopleTruth, picture_height: int) -> NDArray[np.bool_]:
    """Return which heads (N,) are large and visible enough to be learnt and judged."""
    height_px = (people.head_box[:, 3] - people.head_box[:, 1]) * picture_height
    return np.asarray((people.head_visible >= LEAST_VISIBLE) & (height_px >= LEAST_HEAD_PX))


def draw_heads(
    draws: Iterator[tuple[Rows, int]], rng: np.random.Generator, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Draw `count` augmented stills that show heads.

    Returns:
        Pictures (count, 3, H, W) f32 0-255; and of the M heads in them: boxes (M, 4), moved a little, picture rows
        (M,), target points (M, 2), whether the target is in the picture (M,), vectors (M, 6).
    """
    pictures: list[Pictures] = []
    rows: list[int] = []
    kept = []
    while len(pictures) < count:
        picture, people = place(*still(*next(draws)), STILL_WH, rng, _SCALE)
        seen = np.flatnonzero(judged_heads(people, STILL_WH[1]))
        if not len(seen):
            continue
        rows.extend([len(pictures)] * len(seen))
        pictures.append(weather(picture, rng))
        kept.append((people.head_box[seen], people.target_point[seen], people.in_frame[seen], people.vectors[seen]))
    boxes, points, inside, vectors = (torch.from_numpy(np.concatenate(part)) for part in zip(*kept, strict=True))
    side = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    boxes = boxes + torch.from_numpy(rng.standard_normal(boxes.shape).astype(np.float32)) * _BOX_JITTER * side
    return picture_tensor(pictures), boxes, torch.tensor(rows), points, inside, vectors


def picture_tensor(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack pictures (H, W, 3) u8 to (N, 3, H, W) f32, channels last in memory."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.float().contiguous(memory_format=torch.channels_last)
