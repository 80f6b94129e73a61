"""Draw rows of rendered sets in random order, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augment import People, Pictures
from training.data import Rows


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


def picture_tensor(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack pictures (H, W, 3) u8 to (N, 3, H, W) f32, channels last in memory."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.float().contiguous(memory_format=torch.channels_last)
