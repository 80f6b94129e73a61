"""How far the CPU device may be off by rounding to whole numbers after every step, where the kernels never round."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.frames import Picture

HALVING = 0.5
"""A mean rounded to a whole number. Halving goes on with the error, and what averages errors makes none larger."""
BY_AREA = 0.5
LINEAR = 0.9
"""OpenCV's linear resize of u8: cut down to a quarter twice, 0.5 at most, then rounded to a whole from quarters, 0.25
downwards or 0.5 upwards, and weights in 2048ths: 2 · 255 / 4096."""
PLACE = 1 / 64
"""Half of the 32nd of a sample to which OpenCV takes places in a warp: version 4 always, 5 for two channels."""
CHROMA = 2.018
"""The largest weight that BT.601 gives to chroma: of U, in blue."""
COLOUR = 0.5 + 3 * 255 / 2**15
"""Colours are rounded to whole numbers, and their weights to 15 bits or more."""
LUMA = {"bgr": 1.164, "rgb": 1.164, "grey": 255 / 219}


def of_resized(picture: Picture, images: np.ndarray, colour: str) -> float:
    """Return the largest difference that rounding explains between the kernels' floats and the CPU device's, levels.

    Args:
        picture: as given to both.
        images: its row (1,) IMAGE, for the number of halvings and the sizes that are left.
        colour: as given to both.
    """
    first = halvings(images["x"], images["y"]) * HALVING + last_step(images["x"], images["y"])
    if picture.layout == "bgr":
        return first + (COLOUR if colour == "grey" else 0)
    chroma = halvings(images["chroma_x"], images["chroma_y"]) * HALVING
    chroma += last_step(images["chroma_x"], images["chroma_y"])
    return LUMA[colour] * first + (0 if colour == "grey" else CHROMA * chroma) + COLOUR


def of_cropped(picture: Picture, images: np.ndarray, colour: str) -> float:
    """Return the same for boxes: of the places of each sample, and of rounding."""
    axes = [(images["x"], images["y"])] + [(images["chroma_x"], images["chroma_y"])] * (len(picture.planes) - 1)
    errors = [
        halvings(*pair) * HALVING + BY_AREA + (0 if exact_in_place(plane) else PLACE * steepest(plane))
        for plane, pair in zip(picture.planes, axes, strict=True)
    ]
    if picture.layout == "bgr":
        return errors[0] + (COLOUR if colour == "grey" else 0)
    return LUMA[colour] * errors[0] + (0 if colour == "grey" else CHROMA * max(errors[1:])) + COLOUR


def halvings(x: np.ndarray, y: np.ndarray) -> int:
    """Return how often the CPU rounds while it halves: once for both axes wherever both are halved."""
    return int(max(x["halvings"].max(), y["halvings"].max()))


def last_step(x: np.ndarray, y: np.ndarray) -> float:
    if (x["step"] == 1).all() and (y["step"] == 1).all():
        return 0.0
    linear = (x["span"] == 1).any() and (y["span"] == 1).any()
    return LINEAR if linear else BY_AREA


def exact_in_place(plane: np.ndarray) -> bool:
    return not cv2.__version__.startswith("4.") and plane.shape[2:] != (2,)


def steepest(plane: np.ndarray) -> float:
    """Return the largest steps between neighbours, along a row and along a column, added; halving makes none."""
    levels = plane.astype(np.int64)
    return float(sum(np.abs(np.diff(levels, axis=axis)).max(initial=0) for axis in (0, 1)))
