"""Draw batches for the gaze network: stills that show heads, and what these heads look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from training.augment import Pictures, place, weather
from training.batches import judged_heads, shaken, still
from training.data import STILL_WH
from training.draws import Draws

_SCALE = (0.75, 1.5)
_TRIES = 4


class GazeBatch(NamedTuple):
    """Pictures and the M heads in them, as arrays or tensors."""

    pictures: Any
    """(N, H, W, 3) u8 BGR."""
    boxes: Any
    """(M, 4) f32 head boxes, fractions, moved a little."""
    rows: Any
    """(M,) i64 picture of each head."""
    points: Any
    """(M, 2) f32 targets, fractions."""
    inside: Any
    """(M,) bool, the target is in the picture."""
    vectors: Any
    """(M, 6) f32 head xyz, gaze xyz."""


@dataclass(frozen=True)
class GazeDraws:
    """Batches by step."""

    stills: Draws
    batch: int
    most_heads: int
    """Of one picture; of a crowd some are drawn."""
    seed: int

    def __call__(self, step: int) -> GazeBatch:
        """Return the batch of a step; a still without heads makes room for the next."""
        rng = np.random.default_rng([self.seed, 3, step])
        pictures: list[Pictures] = []
        parts: list[tuple[Any, ...]] = []
        for k in range(_TRIES * self.batch):
            # Draws beyond the batch are those of far later steps: rows are only drawn a little more often.
            turn, place_in_turn = divmod(k, self.batch)
            number = (step + turn * 1_000_003) * self.batch + place_in_turn
            picture, people = place(*still(*self.stills[number]), STILL_WH, rng, _SCALE)
            seen = np.flatnonzero(judged_heads(people, STILL_WH[1]))
            if not len(seen):
                continue
            seen = rng.permutation(seen)[: self.most_heads]
            moved = shaken(people.head_box[seen], rng)
            rows = np.full(len(seen), len(pictures), np.int64)
            parts.append((moved, rows, people.target_point[seen], people.in_frame[seen], people.vectors[seen]))
            pictures.append(weather(picture, rng))
            if len(pictures) == self.batch:
                break
        return GazeBatch(np.stack(pictures), *(np.concatenate(part) for part in zip(*parts, strict=True)))
