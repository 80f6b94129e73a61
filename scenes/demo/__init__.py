"""The clip that ships: four people in a shop, and the truth about them.

`python -m scenes --demo` renders `shop.mp4` and `shop.truth.json` in this folder again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from scenes.clip import Clip, make_clip
from scenes.photo import Recorder

VIDEO = Path(__file__).parent / "shop.mp4"

_SEED = 1
_RECORDER = Recorder(
    gamma=0.85,
    balance=np.array([1.0, 1.0, 1.02], np.float32),
    haze=0.0,
    vignette=0.15,
    blur_px=0.0,
    sharpen=0.0,
    noise=1.2,
    grey=False,
    jpeg=0,
    stamp=0,
)


def make_demo() -> Clip:
    """Return the clip that ships, recorded by a better camera than its seed would draw."""
    clip = make_clip(_SEED, seconds=12.0, fps=25.0, size_wh=(854, 480), place="shop", people=4)
    return replace(clip, recorder=_RECORDER)
