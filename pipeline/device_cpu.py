"""The device that every machine has: numpy arrays, OpenCV for pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.device import Device, DeviceKind, check_pictures
from pipeline.frames import FrameBatch
from pipeline.letterbox import content_size

Array = np.ndarray[Any, np.dtype[Any]]


class CpuDevice(Device):
    """Arrays in host memory."""

    kind: ClassVar[DeviceKind] = "cpu"
    memory = "cpu"
    xp = np
    providers = ("CPUExecutionProvider",)

    def __init__(self, model_threads: int = 1) -> None:
        super().__init__(model_threads)
        import cv2

        # Stages run side by side; OpenCV's own threads would fight them for the cores and gain nothing here.
        cv2.setNumThreads(1)

    def model_input(
        self,
        frames: FrameBatch,
        size_wh: tuple[int, int],
        colour: Literal["bgr", "rgb", "grey"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
        how: Literal["stretch", "letterbox"] = "stretch",
        shrink: Literal["area", "linear"] = "area",
        fill: int = 0,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> Array:
        """See `Device.model_input`."""
        from pipeline.pictures import resized

        if how not in ("stretch", "letterbox"):
            raise ValueError(f"CpuDevice.model_input: how: expected 'stretch' or 'letterbox', got {how!r}")
        check_pictures("CpuDevice.model_input", frames)
        sizes = [size_wh if how == "stretch" else content_size(picture.size_wh, size_wh) for picture in frames.pictures]
        images = (resized(picture, size, colour, shrink) for picture, size in zip(frames.pictures, sizes, strict=True))
        return _scaled(_stacked(images, len(frames), size_wh, colour, layout, dtype, fill), layout, mean, std)

    def crops(
        self,
        frames: FrameBatch,
        frame_row: Array,
        boxes: Array,
        size_wh: tuple[int, int],
        colour: Literal["bgr", "rgb", "grey"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
    ) -> Array:
        """See `Device.crops`."""
        from pipeline.pictures import cropped

        check_pictures("CpuDevice.crops", frames)
        boxes = np.asarray(boxes, np.float64)
        bad = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        if bad.any():
            got = boxes[bad][0].tolist()
            raise ValueError(f"CpuDevice.crops: boxes: expected x1 < x2 and y1 < y2, got {got!r}; leave such boxes out")
        parts = zip(frame_row.tolist(), boxes.tolist(), strict=True)
        images = (cropped(frames.pictures[row], box, size_wh, colour) for row, box in parts)
        return _stacked(images, len(boxes), size_wh, colour, layout, dtype)

    def address(self, array: Any) -> int:
        """See `Device.address`."""
        return int(array.ctypes.data)

    def taken(self, array: Any) -> Array:
        """See `Device.taken`; without a copy."""
        return array if isinstance(array, np.ndarray) else np.from_dlpack(array)

    def run(self, engine: Any, binding: Any) -> list[Array]:
        """See `Device.run`."""
        engine.run_with_iobinding(binding)
        return [value.numpy() for value in binding.get_outputs()]

    def to_host(self, array: Any) -> Array:
        """Return the array as it is: it is in host memory."""
        return np.asarray(array)


def _stacked(
    images: Iterable[Array],
    count: int,
    size_wh: tuple[int, int],
    colour: str,
    layout: str,
    dtype: str,
    fill: int = 0,
) -> Array:
    """Return images (H, W, C) u8 as one array of a model's layout and dtype, filled up where they are smaller."""
    width, height = size_wh
    channels = 1 if colour == "grey" else 3
    channels_first = layout == "nchw"
    shape = (channels, height, width) if channels_first else (height, width, channels)
    batch = np.empty((count, *shape), np.dtype(dtype))
    for row, pixels in zip(batch, images, strict=True):
        high, wide = pixels.shape[:2]
        if channels_first:
            np.copyto(row[:, :high, :wide], _planes(pixels))
            row[:, high:], row[:, :high, wide:] = fill, fill
        else:
            np.copyto(row[:high, :wide], pixels)
            row[high:], row[:high, wide:] = fill, fill
    return batch


def _planes(pixels: Array) -> Array:
    """Return pixels (H, W, C) u8 as planes (C, H, W): taken apart first, they become floats in half the time."""
    import cv2

    planes = np.empty((pixels.shape[2], *pixels.shape[:2]), np.uint8)
    cv2.split(pixels, list(planes))
    return planes


def _scaled(batch: Array, layout: str, mean: Sequence[float], std: Sequence[float]) -> Array:
    """Take the mean off each channel and divide it by the deviation, in place."""
    if tuple(mean) == (0, 0, 0) and tuple(std) == (1, 1, 1):
        return batch
    if batch.dtype != np.float32:
        raise ValueError(f"CpuDevice.model_input: mean and std: expected the dtype 'float32', got {str(batch.dtype)!r}")
    shape = (-1, 1, 1) if layout == "nchw" else (-1,)
    batch -= np.array(mean, np.float32).reshape(shape)
    batch /= np.array(std, np.float32).reshape(shape)
    return batch
