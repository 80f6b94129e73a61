"""The middle of square pictures, turned: what a model wants upright that a head holds askew."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 2**0.5
"""Side of the square that holds its middle square however that is turned."""


def middles(pictures: Array, roll_deg: Array, side: int) -> Array:
    """Return the middle squares of pictures, turned so that what leans is upright.

    Args:
        pictures: (K, C, S, S), each a square `MARGIN` as wide as the one in its middle.
        roll_deg: (K,) how far what is shown leans clockwise.
        side: of the result, pixels.

    Returns:
        (K, C, side, side) float32; between pixels linear, to 1/32 of a pixel.
    """
    middle, step = (pictures.shape[-1] - 1) / 2, pictures.shape[-1] / MARGIN / side
    made = np.empty((*pictures.shape[:2], side, side), np.float32)
    for picture, roll, out in zip(pictures, np.radians(roll_deg).tolist(), made, strict=True):
        turn = step * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        start = middle - turn @ np.full(2, (side - 1) / 2)
        onto = np.concatenate([turn, start[:, None]], axis=1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        whole = np.ascontiguousarray(picture.transpose(1, 2, 0), np.float32)
        upright = cv2.warpAffine(whole, onto, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        out[:] = upright.reshape(side, side, -1).transpose(2, 0, 1)  # of one channel the last axis is lost
    return made
