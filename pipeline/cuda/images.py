"""Pictures as rows for the kernels: where their samples lie in memory, and which of them each model input shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pipeline.cuda.geometry import lying, part, whole
from pipeline.cuda.structs import CHANNEL, IMAGE
from pipeline.frames import Picture

Array = np.ndarray[Any, np.dtype[Any]]
Address = Callable[[Any], int]
"""Returns where the first sample of an array lies in the memory that the kernels read."""


def whole_images(
    pictures: Sequence[Picture], sizes_wh: Array, address: Address, shrink: Literal["area", "linear"] = "area"
) -> Array:
    """Return a row (N,) IMAGE for each picture, which is stretched to its size.

    Args:
        pictures: N pictures, whose planes must live until the kernel has run.
        sizes_wh: (N, 2) int width and height of the upright contents, pixels, 1 or more.
        address: of a plane.
        shrink: as in `Device.model_input`.

    Raises:
        ValueError: a size of nothing; planes that are not u8.
    """
    if shrink not in ("area", "linear"):
        raise ValueError(f"whole_images: shrink: expected 'area' or 'linear', got {shrink!r}")
    images, plane_wh, chroma_wh = _described(pictures, sizes_wh, address)
    size_wh, half_wh = _content(images)
    linear = shrink == "linear"
    axes = whole(plane_wh, size_wh, linear=linear, apart=linear)
    images["x"], images["y"] = axes.T
    # Chroma is blurred by the camera already.
    axes = whole(chroma_wh, half_wh, linear=True, apart=linear)
    images["chroma_x"], images["chroma_y"] = axes.T
    return images


def cropped_images(
    pictures: Sequence[Picture], frame_row: Array, boxes: Array, size_wh: tuple[int, int], address: Address
) -> Array:
    """Return a row (N,) IMAGE for each box, which is stretched to the size.

    Args:
        pictures: B pictures, whose planes must live until the kernel has run.
        frame_row: (N,) the picture of each box.
        boxes: (N, 4) x1, y1, x2, y2 in fractions of the upright picture; may reach beyond it.
        size_wh: width and height of the upright contents, pixels, 1 or more.
        address: of a plane.

    Raises:
        ValueError: a box that is empty or not finite; a size of nothing; planes that are not u8.
    """
    boxes = np.asarray(boxes, np.float64)
    bad = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    if bad.any():
        got = boxes[bad][0].tolist()
        raise ValueError(f"cropped_images: boxes: expected x1 < x2 and y1 < y2, got {got!r}; leave such boxes out")
    each, plane_wh, chroma_wh = _described(pictures, np.tile(np.array(size_wh), (len(pictures), 1)), address)
    images, plane_wh, chroma_wh = each[frame_row], plane_wh[frame_row], chroma_wh[frame_row]
    content_wh, half_wh = _content(images)
    turns = np.array([picture.rotation_deg for picture in pictures], np.int64)[frame_row]
    box_px = lying(boxes, turns) * np.tile(plane_wh, 2)
    # Of an odd size the last sample of chroma stands for one pixel, not for two.
    reach = box_px[:, :2] + (box_px[:, 2:] - box_px[:, :2]) * (2 * half_wh / content_wh)
    half_px = np.concatenate([box_px[:, :2], reach], axis=1) / 2
    first, axes = part(plane_wh, box_px, content_wh)
    chroma_first, chroma_axes = part(chroma_wh, half_px, half_wh)
    images["x"], images["y"] = axes.T
    images["chroma_x"], images["chroma_y"] = chroma_axes.T
    channels = images["channels"]
    starts = np.stack([first, *[np.where(images["yuv"][:, None] > 0, chroma_first, first)] * 2], axis=1)  # (N, 3, 2)
    offset = starts[:, :, 0] * channels["stride"] + starts[:, :, 1] * channels["pitch"]
    channels["samples"] += offset.astype(np.uint64)
    return images


def _described(pictures: Sequence[Picture], sizes_wh: Array, address: Address) -> tuple[Array, Array, Array]:
    """Return rows without their axes, (N,) IMAGE, and the sizes of luma and chroma, (N, 2) int64 each."""
    if len(sizes_wh) and np.min(sizes_wh) < 1:
        raise ValueError(f"pictures for kernels: expected sizes of 1 pixel or more, got {np.min(sizes_wh)}")
    images = np.zeros(len(pictures), IMAGE)
    plane_wh = np.ones((2, len(pictures), 2), np.int64)
    for row, picture in enumerate(pictures):
        images["channels"][row] = _channels(picture, address)
        for of_plane, plane in zip(plane_wh, (picture.planes[0], picture.planes[-1]), strict=True):
            of_plane[row] = plane.shape[1], plane.shape[0]
    turns = np.array([picture.rotation_deg for picture in pictures], np.int64)
    turned = (turns == 90) | (turns == 270)
    sizes_wh = np.asarray(sizes_wh, np.int64).reshape(-1, 2)
    lying_wh = np.where(turned[:, None], sizes_wh[:, ::-1], sizes_wh)
    images["width"], images["height"] = lying_wh.T
    images["turned"], images["flipped_x"] = turned, turns >= 180
    images["flipped_y"] = (turns == 90) | (turns == 180)
    images["yuv"] = [(picture.layout != "bgr") * (1 + picture.full_range) for picture in pictures]
    return images, plane_wh[0], plane_wh[1]


def _channels(picture: Picture, address: Address) -> Array:
    """Return the three channels (3,) CHANNEL of a picture, at the first sample of each."""
    wrong = [str(plane.dtype) for plane in picture.planes if plane.dtype != np.uint8]
    if wrong:
        raise ValueError(f"pictures for kernels: expected planes of uint8, got {', '.join(wrong)}")
    last = picture.planes[-1]
    planes = {"i420": picture.planes, "nv12": (picture.planes[0], last, last)}.get(picture.layout, (last,) * 3)
    inside = {"i420": (0, 0, 0), "nv12": (0, 0, 1)}.get(picture.layout, (0, 1, 2))
    channels = np.zeros(3, CHANNEL)
    for channel, plane, at in zip(channels, planes, inside, strict=True):
        channel["samples"] = address(plane) + at * (plane.strides[2] if plane.ndim == 3 else 0)
        channel["pitch"], channel["stride"] = plane.strides[:2]
    return channels


def _content(images: Array) -> tuple[Array, Array]:
    """Return the sizes of contents (N, 2) int64 as the planes lie, and those of their chroma."""
    size_wh = np.stack([images["width"], images["height"]], axis=1).astype(np.int64)
    return size_wh, (size_wh + 1) // 2
