"""Turn decoded planes into upright BGR, RGB or grey pictures: whole, shrunk, or a part of one.

Planes are resized before their colours are converted: a third of the work, and no full-size BGR picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np

from pipeline.frames import Picture
from pipeline.letterbox import content_size

Colour = Literal["bgr", "rgb", "grey"]
Shrink = Literal["area", "linear"]
Array = np.ndarray[Any, np.dtype[Any]]

# OpenCV's I420 and NV12 conversions are limited-range BT.601: what Picture promises.
_FROM_I420 = {"bgr": cv2.COLOR_YUV2BGR_I420, "rgb": cv2.COLOR_YUV2RGB_I420}
_FROM_NV12 = {"bgr": cv2.COLOR_YUV2BGR_NV12, "rgb": cv2.COLOR_YUV2RGB_NV12}
_FROM_BGR = {"rgb": cv2.COLOR_BGR2RGB, "grey": cv2.COLOR_BGR2GRAY}
# Brightness of limited-range luma: 16 is black, 235 is white.
_FULL_RANGE = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
_TURN = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def to_bgr(picture: Picture) -> Array:
    """Return the upright picture at full size: (H, W, 3) u8 BGR."""
    return resized(picture.on_host(), picture.size_wh, "bgr")


def resized(picture: Picture, size_wh: tuple[int, int], colour: Colour, shrink: Shrink = "area") -> Array:
    """Return the upright picture stretched to a size: (h, w, 3) u8 in the order of `colour`, (h, w, 1) for `grey`.

    Args:
        picture: any.
        size_wh: width and height of the result, pixels.
        colour: order of the channels, or `grey`.
        shrink: `area`, so that small heads do not flicker; `linear`: each axis is halved by area as far as that goes,
            the rest is linear, which costs a fraction. What enlarges is linear.
    """
    turned, linear = picture.rotation_deg in (90, 270), shrink == "linear"
    size = (size_wh[1], size_wh[0]) if turned else size_wh
    if picture.layout == "bgr":
        small = _resize(picture.planes[0], size, linear=linear, apart=linear)
        small = small if colour == "bgr" else cv2.cvtColor(small, _FROM_BGR[colour])
    elif colour == "grey":
        small = cv2.LUT(_resize(picture.planes[0], size, linear=linear, apart=linear), _FULL_RANGE)
    else:
        small = _from_planes(picture, size, colour, linear)
    small = cv2.rotate(small, _TURN[picture.rotation_deg]) if picture.rotation_deg else small
    return small if small.ndim == 3 else small[:, :, None]


def letterboxed(
    picture: Picture, size_wh: tuple[int, int], colour: Colour, fill: int = 0, shrink: Shrink = "area"
) -> Array:
    """Return the upright picture in its own shape, in the upper left corner of a size: (h, w, 3 or 1) u8.

    Args:
        picture: any.
        size_wh: width and height of the result, pixels.
        colour: order of the channels, or `grey`.
        fill: value of all that is left over at the right or at the bottom.
        shrink: as in `resized`.
    """
    width, height = content_size(picture.size_wh, size_wh)
    content = resized(picture, (width, height), colour, shrink)
    if (width, height) == size_wh:
        return content
    whole = np.empty((size_wh[1], size_wh[0], content.shape[2]), np.uint8)
    whole[:height, :width] = content
    whole[height:], whole[:, width:] = fill, fill
    return whole


def cropped(picture: Picture, box: Sequence[float], size_wh: tuple[int, int], colour: Colour) -> Array:
    """Return a box of the upright picture stretched to a size, to parts of a pixel: (h, w, 3 or 1) u8.

    Shrinks by area as far as halving goes, then linearly. What lies beyond the picture repeats its edge.

    Args:
        picture: any; only the pixels of the box are read.
        box: x1, y1, x2, y2 in fractions of the upright picture, not empty.
        size_wh: width and height of the result, pixels.
        colour: order of the channels, or `grey`.
    """
    x1, y1, x2, y2 = box
    lying = {0: (x1, y1, x2, y2), 90: (y1, 1 - x2, y2, 1 - x1), 180: (1 - x2, 1 - y2, 1 - x1, 1 - y1)}
    box = lying.get(picture.rotation_deg, (1 - y2, x1, 1 - y1, x2))
    width, height = (size_wh[1], size_wh[0]) if picture.rotation_deg in (90, 270) else size_wh
    full_height, full_width = picture.planes[0].shape[:2]
    box_px = np.multiply(box, (full_width, full_height, full_width, full_height))
    half = ((width + 1) // 2, (height + 1) // 2)
    # Of an odd size the last sample of chroma stands for one pixel, not for two.
    reach = box_px[:2] + (box_px[2:] - box_px[:2]) * (2 * half[0] / width, 2 * half[1] / height)
    half_px = np.concatenate([box_px[:2], reach]) / 2
    luma = _cut(picture.planes[0], box_px, (width, height))
    chroma = [_cut(plane, half_px, half) for plane in picture.planes[1:] if colour != "grey"]
    return resized(replace(picture, planes=(luma, *chroma)), size_wh, colour)


def _cut(plane: Array, box_px: Array, size_wh: tuple[int, int]) -> Array:
    """Return a box of a plane, edges in pixels of it, stretched to a size."""
    height, width = plane.shape[:2]
    x1, y1, x2, y2 = box_px.tolist()  # numbers, because arrays of two take ten times as long
    left, top = (min(max(math.floor(at) - 1, 0), end - 1) for at, end in ((x1, width), (y1, height)))
    right, bottom = (
        min(max(math.ceil(at) + 1, first + 1), end) for at, first, end in ((x2, left, width), (y2, top, height))
    )
    part, start, size = plane[top:bottom, left:right], [x1 - left, y1 - top], [x2 - x1, y2 - y1]
    # Both axes at once as far as both have to be: a fortieth of the time that one after the other takes.
    for axes in ((0, 1), (0,), (1,)):
        while all(size[axis] >= 2 * size_wh[axis] and part.shape[1 - axis] >= 2 for axis in axes):
            sides = [part.shape[1], part.shape[0]]
            halved = [side // 2 if axis in axes else side for axis, side in enumerate(sides)]
            even = [2 * halved[axis] if axis in axes else sides[axis] for axis in (0, 1)]
            part = cv2.resize(part[: even[1], : even[0]], halved, interpolation=cv2.INTER_AREA)
            for axis in axes:
                start[axis], size[axis] = start[axis] / 2, size[axis] / 2
    # From the centre of a pixel of the result to where it lies among the centres of those of the part.
    across, down = (length / count for length, count in zip(size, size_wh, strict=True))
    onto = np.array([[across, 0, start[0] + across / 2 - 0.5], [0, down, start[1] + down / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(part, onto, size_wh, flags=how, borderMode=cv2.BORDER_REPLICATE)


def _from_planes(picture: Picture, size_wh: tuple[int, int], colour: Colour, linear: bool) -> Array:
    width, height = size_wh
    half_w, half_h = (width + 1) // 2, (height + 1) // 2
    # OpenCV converts even sizes out of one block of memory: luma above, chroma below.
    block = np.empty((3 * half_h, 2 * half_w), np.uint8)
    luma, chroma = block[: 2 * half_h], block[2 * half_h :]
    if (height, width) == luma.shape:
        _resize(picture.planes[0], size_wh, luma, linear=linear, apart=linear)
    else:
        luma[:height, :width] = _resize(picture.planes[0], size_wh, linear=linear, apart=linear)
        luma[height:], luma[:, width:] = luma[height - 1], luma[:, width - 1 : width]
    parts = chroma.reshape(2, half_h, half_w) if picture.layout == "i420" else chroma.reshape(1, half_h, half_w, 2)
    for plane, part in zip(picture.planes[1:], parts, strict=True):
        # Chroma is blurred by the camera already.
        _resize(plane, (half_w, half_h), part, linear=True, apart=linear)
    codes = _FROM_I420 if picture.layout == "i420" else _FROM_NV12
    return cv2.cvtColor(block, codes[colour])[:height, :width]


def _resize(
    plane: Array, size_wh: tuple[int, int], out: Array | None = None, *, linear: bool = False, apart: bool = False
) -> Array:
    """Resize into `out` where given. Without it, a plane that has the size already is returned as it is.

    Args:
        plane: (H, W) or (H, W, channels) u8.
        size_wh: width and height of the result.
        out: where it is to stand.
        linear: what is left after halving is shrunk linearly and not by area, which is many times faster. Each pixel
            still counts, as it is less than half.
        apart: an axis is halved also where the other one is not.
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
    while apart and (width > 2 * size_wh[0] or height > 2 * size_wh[1]):
        halves = (2 if width > 2 * size_wh[0] else 1), (2 if height > 2 * size_wh[1] else 1)
        width, height = width // halves[0], height // halves[1]
        # Linearly by two is by area, too: each pixel is the mean of two.
        plane = cv2.resize(plane[: halves[1] * height, : halves[0] * width], (width, height))
    shrinks = size_wh[0] <= width and size_wh[1] <= height
    interpolation = cv2.INTER_AREA if shrinks and not linear else cv2.INTER_LINEAR
    return cv2.resize(plane, size_wh, dst=out, interpolation=interpolation)
