"""Alter people as the groups of a style ask for, each from a stream of chance of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenes.hairstyle import with_hair
from scenes.hatrack import with_headwear
from scenes.looks import Looks
from scenes.muffled import muffle
from scenes.napes import with_nape
from scenes.necks import with_neck
from scenes.stature import with_stature
from scenes.style import Style
from scenes.wardrobe import with_clothes

STREAMS = {"hair": 21, "headwear": 22, "clothes": 23, "people": 24, "napes": 47, "necks": 49, "muffled": 50}
"""First word of the seed of each group's stream; of a clip's 100 more."""
_CHANGES: dict[str, Callable[[Looks, np.random.Generator], Looks]] = {
    "hair": with_hair,
    "headwear": with_headwear,
    "clothes": with_clothes,
    "people": with_stature,
    "napes": with_nape,
    "necks": with_neck,
    "muffled": muffle,
}
_WITHOUT = 0.3
"""Share of scenes that show nothing of a group."""


def group_stream(group: str, seed: int, *, clip: bool = False) -> np.random.Generator:
    """Return the stream of chance of one of `STREAMS` for a scene."""
    return np.random.default_rng([STREAMS[group] + (100 if clip else 0), seed])


class Restyler:
    """Alters the looks of the people of one scene; of each group most scenes show some, the others nothing."""

    def __init__(self, style: Style, seed: int, *, clip: bool = False) -> None:
        """Decide how many of the scene's people each group alters."""
        self._streams: dict[str, tuple[np.random.Generator, float]] = {}
        for group in _CHANGES:
            if getattr(style, group):
                rng = group_stream(group, seed, clip=clip)
                share = 0.0 if rng.random() < _WITHOUT else float(rng.uniform(0.5, 1.0))
                self._streams[group] = rng, share

    def __call__(self, looks: Looks) -> Looks:
        """Return the person as the scene shows it."""
        for group, (rng, share) in self._streams.items():
            if rng.random() < share:
                looks = _CHANGES[group](looks, rng)
        return looks
