"""Stand people against the light: a pale, bright background, and shadows that keep hardly any detail."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.style import Style

Colours = NDArray[np.float32]

_SHARE = 0.75
_LIT_DEPTH_M = 0.8
"""Things so far behind the nearest person are in the full light."""


@dataclass(frozen=True)
class Backlight:
    """How one scene is lit from behind."""

    pale: Colours
    """(3,) BGR of the light, 0 to 255."""
    wash: float
    """How much of the background's own colour the light takes away, 0 to 1."""
    steep: float
    """Exponent of what is in the shadow, at least 1."""
    left: float
    """Share of the light that reaches what is in the shadow."""
    crushed: float
    """Grey levels below which all is black."""
    veil: float
    """Share of the light that the lens scatters over what is near it."""

    def shine(self, canvas: Canvas) -> None:
        """Light a finished scene from behind; who is where stays as it is."""
        owned = canvas.owner > 0
        nearest = float(canvas.depth[owned].min()) if owned.any() else 1.0
        lit = np.clip((canvas.depth - np.float32(nearest)) * np.float32(1 / _LIT_DEPTH_M), 0, 1)[..., None]
        lit = np.where(owned[..., None], np.float32(0), lit).astype(np.float32)
        grey = canvas.bgr.clip(0, 255)
        far = grey + (self.pale - grey) * np.float32(self.wash)
        near = (grey * np.float32(1 / 255)) ** np.float32(self.steep) * np.float32(255 * self.left)
        near = (near - np.float32(self.crushed)).clip(0)
        glow = cv2.GaussianBlur(lit * self.pale, (0, 0), 0.02 * canvas.camera.size_wh[0])
        canvas.bgr[:] = near + (far - near) * lit + glow * (1 - lit) * np.float32(self.veil)


def sample_backlight(style: Style, seed: int) -> Backlight | None:
    """Draw how the scene of a seed is lit from behind: not at all in a quarter of those that have the style."""
    rng = np.random.default_rng([48, seed])
    if not style.backlight or rng.random() > _SHARE:
        return None
    return Backlight(
        pale=np.clip(rng.uniform(195, 258) + rng.normal(0, 7, 3), 0, 255).astype(np.float32),
        wash=float(rng.uniform(0.35, 1.0)),
        steep=float(rng.uniform(1.0, 1.8)),
        left=float(rng.uniform(0.45, 1.1)),
        crushed=float(rng.uniform(0, 22)),
        veil=float(rng.uniform(0, 0.15)),
    )
