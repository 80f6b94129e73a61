"""Draw batches that are part rendered stills, part frames of footage with the teacher's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.batches import still
from training.detector_draws import MOST_HEADS, SIZES_WH, DetectorBatch, altered, batch_of
from training.draws import Draws
from training.footage import Pictures
from training.teacher import Labels


@dataclass(frozen=True)
class AdaptDraws:
    """Batches by step."""

    stills: Draws
    frames: Sequence[tuple[Pictures, Labels]]
    batch: int
    of_footage: int
    """Pictures of a batch that are frames of footage."""
    seed: int
    most_heads: int = MOST_HEADS
    """Heads of a picture of which more than boxes is learnt."""

    def __call__(self, step: int) -> DetectorBatch:
        """Return the batch of a step: rendered pictures first."""
        rng = np.random.default_rng([self.seed, 5, step])
        size_wh = SIZES_WH[int(rng.integers(len(SIZES_WH)))]
        rendered = self.batch - self.of_footage
        drawn = [altered(*still(*self.stills[step * rendered + k]), size_wh, rng) for k in range(rendered)]
        for k in range(step * self.of_footage, (step + 1) * self.of_footage):
            turn, place = divmod(k, len(self.frames))
            order = np.random.default_rng([self.seed, 6, turn]).permutation(len(self.frames))
            picture, labels = self.frames[order[place]]
            drawn.append(altered(picture, labels.people(), size_wh, rng))
        return batch_of(drawn, size_wh, rng, self.most_heads)
