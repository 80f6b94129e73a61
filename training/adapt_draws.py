"""Draw batches that are part rendered stills, part frames of footage with the teacher's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.batches import still
from training.detector_draws import MOST_HEADS, SCALE, SIZES_WH, DetectorBatch, altered, batch_of
from training.draws import Draws
from training.footage import Sample
from training.teacher import Labels

_NEAR_PART, _NEAR = 0.5, (1.2, 2.4)
"""Of frames of large cameras so many are shown so large: of distant people only a part of the frame tells much."""


@dataclass(frozen=True)
class AdaptDraws:
    """Batches by step."""

    stills: Draws
    frames: Sequence[tuple[Sample, Labels]]
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
            sample, labels = self.frames[order[place]]
            near = sample.sharp is not None and rng.random() < _NEAR_PART
            picture, scale = (sample.shown_sharp(), _NEAR) if near else (sample.picture, SCALE)
            drawn.append(altered(picture, labels.people(), size_wh, rng, scale))
        return batch_of(drawn, size_wh, rng, self.most_heads)
