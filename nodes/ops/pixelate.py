"""Make faces unrecognisable."""

from __future__ import annotations

import cv2
import numpy as np

CELLS = 5
"""Cells across the shorter side of what is hidden: too few to know anybody by."""


def pixelate_ellipses(image: np.ndarray, boxes: np.ndarray, scale: float) -> None:
    """Replace ellipses by coarse cells of their mean colours, in place.

    Args:
        image: (H, W, 3) u8.
        boxes: (N, 4) float xyxy, fractions of the image; NaN rows and what lies outside are left out.
        scale: the ellipse within a box is enlarged by this factor; 1.42 covers the corners of the box.
    """
    height, width = image.shape[:2]
    for x1, y1, x2, y2 in boxes[~np.isnan(boxes).any(axis=1)] * [width, height, width, height]:
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        reach = np.maximum(np.array([x2 - x1, y2 - y1]) / 2 * scale, 1.0)
        left, top = np.maximum(np.floor(centre - reach), 0).astype(int)
        right, bottom = np.minimum(np.ceil(centre + reach) + 1, (width, height)).astype(int)
        if left >= right or top >= bottom:
            continue
        region = image[top:bottom, left:right]
        cell = max(1.0, 2 * reach.min() / CELLS)
        cells = (max(1, round((right - left) / cell)), max(1, round((bottom - top) / cell)))
        means = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(means, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
        mask = np.zeros(region.shape[:2], np.uint8)
        middle = np.round(centre - [left, top]).astype(int)
        cv2.ellipse(mask, middle.tolist(), np.ceil(reach).astype(int).tolist(), 0, 0, 360, 255, cv2.FILLED)
        cv2.copyTo(coarse, mask, region)


def top_of_body(body: np.ndarray) -> np.ndarray:
    """Return where the head of a visible body (4,) xyxy is, generously: (4,) xyxy."""
    x1, y1, x2, y2 = body
    aside = 0.15 * (x2 - x1)
    return np.array([x1 + aside, y1, x2 - aside, y1 + 0.25 * (y2 - y1)])
