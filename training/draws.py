"""Which rows of rendered sets a step draws: a shuffle of all rows, again and again, told by the seed and the step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.data import Rows


class Draws:
    """Rows of sets in random order, each once before any comes again; the same for every run with the seed."""

    def __init__(self, sets: Sequence[Rows], seed: int, repeats: Sequence[int] = ()) -> None:
        """Take whole sets.

        Args:
            sets: rendered sets.
            seed: of the order.
            repeats: how often each set counts in a round; 1 each by default.

        Raises:
            ValueError: nothing is rendered yet.
        """
        self._sets, self._seed = list(sets), seed
        times = list(repeats) or [1] * len(self._sets)
        self._places = np.concatenate(
            [
                np.stack([np.full(len(ready), k), ready], 1)
                for k, (rows, count) in enumerate(zip(self._sets, times, strict=True))
                for ready in [rows.ready()] * count
            ]
            or [np.empty((0, 2), np.int64)]
        )
        if not len(self._places):
            raise ValueError("training data: expected rendered rows, got none; run python -m training.data first")
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        """Count the rows of a round."""
        return len(self._places)

    def __getitem__(self, number: int) -> tuple[Rows, int]:
        """Return the set and the row of the draw of that number, from 0."""
        turn, place = divmod(number, len(self._places))
        which, row = self._places[self._order(turn)[place]]
        return self._sets[which], int(row)

    def _shuffled(self, turn: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, turn]).permutation(len(self._places))
