"""The CPU's way from planes to colours on floats: what it gives when nothing is rounded on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline import pictures
from pipeline.cuda.geometry import lying
from pipeline.frames import Picture


def resized(picture: Picture, size_wh: tuple[int, int], colour: str, shrink: str) -> np.ndarray:
    """Return the upright picture (h, w, C) float64 as `pictures.resized` does."""
    width, height = content_wh(picture, size_wh)
    linear, floats = shrink == "linear", apart(picture)
    first = pictures._resize(floats[0], (width, height), linear=linear, apart=linear)
    half = (width + 1) // 2, (height + 1) // 2
    return coloured(picture, first, [pictures._resize(p, half, linear=True, apart=linear) for p in floats[1:]], colour)


def cropped(picture: Picture, box: Any, size_wh: tuple[int, int], colour: str) -> np.ndarray:
    """Return a box of the upright picture (h, w, C) float64 as `pictures.cropped` does."""
    width, height = content_wh(picture, size_wh)
    plane_height, plane_width = picture.planes[0].shape[:2]
    (part,) = lying(np.array([box]), np.array([picture.rotation_deg]))
    x1, y1, x2, y2 = part * (plane_width, plane_height, plane_width, plane_height)
    half = (width + 1) // 2, (height + 1) // 2
    half_px = np.array([x1, y1, x1 + (x2 - x1) * 2 * half[0] / width, y1 + (y2 - y1) * 2 * half[1] / height]) / 2
    floats = apart(picture)
    first = pictures._cut(floats[0], np.array([x1, y1, x2, y2]), (width, height))
    return coloured(picture, first, [pictures._cut(plane, half_px, half) for plane in floats[1:]], colour)


def content_wh(picture: Picture, size_wh: tuple[int, int]) -> tuple[int, int]:
    return size_wh if picture.rotation_deg in (0, 180) else (size_wh[1], size_wh[0])


def apart(picture: Picture) -> list[np.ndarray]:
    """Return the planes as floats, U and V each in its own: two at once OpenCV 5 places to a 32nd only (4: always)."""
    floats = [plane.astype(np.float32) for plane in picture.planes]
    return floats if picture.layout != "nv12" else [floats[0], *np.moveaxis(floats[1], 2, 0).copy()]


def coloured(picture: Picture, first: np.ndarray, chroma: list[np.ndarray], colour: str) -> np.ndarray:
    if picture.layout == "bgr":
        bgr = first.astype(np.float64)
        grey = bgr @ [0.114, 0.587, 0.299]
    else:
        height, width = first.shape
        pair = np.dstack(chroma).astype(np.float64).repeat(2, axis=0).repeat(2, axis=1)[:height, :width] - 128
        y = np.maximum(first.astype(np.float64) - 16, 0)
        # BT.601 in limited range: rows are blue, green and red by U and V.
        bgr = 1.164 * y[:, :, None] + pair @ np.array([[2.018, 0], [-0.391, -0.813], [0, 1.596]]).T
        grey = (first.astype(np.float64) - 16) * (255 / 219)
    made = {"bgr": bgr, "rgb": bgr[:, :, ::-1], "grey": grey[:, :, None]}[colour]
    return np.rot90(np.clip(made, 0, 255), -picture.rotation_deg // 90)
