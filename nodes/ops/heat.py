"""Lay a heat map over a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.namespaces import namespace

FINER = 4
"""The map is made smooth at so many times its cells, where that is cheap, before it is spread over the picture."""


def hottest(maps: Any, chance: Any) -> Any:
    """Return one map (h, w) of N: of each cell the highest value, each map's times its chance; where the maps are.

    Args:
        maps: (N, h, w), one or more.
        chance: (N,) of the same namespace.
    """
    return namespace(maps).max(maps * chance[:, None, None], axis=0)


def lay_heat(image: np.ndarray, heat: np.ndarray, share: float) -> None:
    """Tint a picture by heat, in place: the hotter, the more of the colour, up to `share`.

    Args:
        image: (H, W, 3) u8 BGR.
        heat: (h, w) float over the whole picture, 0 to 1.
        share: 0 to 1, how far the hottest spot is covered.
    """
    fine = cv2.resize(heat.astype(np.float32), None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    cover = share * np.sqrt(fine)[..., None]
    tint = cv2.applyColorMap(cv2.convertScaleAbs(fine, alpha=255), cv2.COLORMAP_INFERNO) * cover
    keep = np.repeat(255 * (1 - cover), 3, axis=2)
    size_wh = image.shape[1], image.shape[0]
    # In u8 throughout: at full size, floats would cost several times as much.
    cv2.multiply(image, cv2.resize(np.round(keep).astype(np.uint8), size_wh), dst=image, scale=1 / 255)
    cv2.add(image, cv2.resize(np.round(tint).astype(np.uint8), size_wh), dst=image)
