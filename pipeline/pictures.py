"""Turn decoded planes into upright BGR or RGB pictures, whole or shrunk.

Planes are resized before their colours are converted: a third of the work, and no full-size BGR picture.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np

from pipeline.frames import Picture

Colour = Literal["bgr", "rgb"]
Array = np.ndarray[Any, np.dtype[Any]]

# OpenCV's I420 and NV12 conversions are limited-range BT.601: what Picture promises.
_FROM_I420 = {"bgr": cv2.COLOR_YUV2BGR_I420, "rgb": cv2.COLOR_YUV2RGB_I420}
_FROM_NV12 = {"bgr": cv2.COLOR_YUV2BGR_NV12, "rgb": cv2.COLOR_YUV2RGB_NV12}
_TURN = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def to_bgr(picture: Picture) -> Array:
    """Return the upright picture at full size: (H, W, 3) u8 BGR."""
    return resized(picture, picture.size_wh, "bgr")


def resized(picture: Picture, size_wh: tuple[int, int], colour: Colour) -> Array:
    """Return the upright picture stretched to a size: (h, w, 3) u8 in the order of `colour`.

    Shrinks by area, so that small heads do not flicker; enlarges linearly.
    """
    turned = picture.rotation_deg in (90, 270)
    size = (size_wh[1], size_wh[0]) if turned else size_wh
    if picture.layout == "bgr":
        small = _resize(picture.planes[0], size)
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB) if colour == "rgb" else small
    else:
        small = _from_planes(picture, size, colour)
    return cv2.rotate(small, _TURN[picture.rotation_deg]) if picture.rotation_deg else small


def _from_planes(picture: Picture, size_wh: tuple[int, int], colour: Colour) -> Array:
    width, height = size_wh
    half_w, half_h = (width + 1) // 2, (height + 1) // 2
    # OpenCV converts even sizes out of one block of memory: luma above, chroma below.
    block = np.empty((3 * half_h, 2 * half_w), np.uint8)
    luma, chroma = block[: 2 * half_h], block[2 * half_h :]
    if (height, width) == luma.shape:
        _resize(picture.planes[0], size_wh, luma)
    else:
        luma[:height, :width] = _resize(picture.planes[0], size_wh)
        luma[height:], luma[:, width:] = luma[height - 1], luma[:, width - 1 : width]
    parts = chroma.reshape(2, half_h, half_w) if picture.layout == "i420" else chroma.reshape(1, half_h, half_w, 2)
    for plane, part in zip(picture.planes[1:], parts, strict=True):
        _resize(plane, (half_w, half_h), part, chroma=True)
    codes = _FROM_I420 if picture.layout == "i420" else _FROM_NV12
    return cv2.cvtColor(block, codes[colour])[:height, :width]


def _resize(plane: Array, size_wh: tuple[int, int], out: Array | None = None, chroma: bool = False) -> Array:
    """Resize into `out` where given. Without it, a plane that has the size already is returned as it is.

    Chroma is blurred by the camera already and is shrunk by less than half linearly, which is many times faster.
    """
    height, width = plane.shape[:2]
    if (width, height) == size_wh:
        if out is None:
            return plane
        np.copyto(out, plane)
        return out
    # Halving by area is exact and costs a tenth of area by an odd ratio, which then has a quarter of the pixels to see.
    while width >= 2 * size_wh[0] and height >= 2 * size_wh[1] and (width, height) != (2 * size_wh[0], 2 * size_wh[1]):
        width, height = width // 2, height // 2
        plane = cv2.resize(plane[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    shrinks = size_wh[0] <= width and size_wh[1] <= height
    interpolation = cv2.INTER_AREA if shrinks and not chroma else cv2.INTER_LINEAR
    return cv2.resize(plane, size_wh, dst=out, interpolation=interpolation)
