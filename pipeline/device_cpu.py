"""The device that every machine has: numpy arrays, OpenCV for pixels."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.device import Device, DeviceKind
from pipeline.frames import FrameBatch


class CpuDevice(Device):
    """Arrays in host memory."""

    kind: ClassVar[DeviceKind] = "cpu"
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
        colour: Literal["bgr", "rgb"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
        how: Literal["stretch"] = "stretch",
    ) -> np.ndarray[Any, np.dtype[Any]]:
        """See `Device.model_input`."""
        from pipeline.pictures import resized

        if how != "stretch":
            raise ValueError(f"CpuDevice.model_input: how: expected 'stretch', got {how!r}")
        if len(frames.pictures) != len(frames):
            raise ValueError(
                f"CpuDevice.model_input: expected {len(frames)} pictures, got {len(frames.pictures)}; a tick replayed "
                "from a recording has none: replay an edge below the nodes that run models on pictures"
            )
        width, height = size_wh
        channels_first = layout == "nchw"
        shape = (3, height, width) if channels_first else (height, width, 3)
        batch = np.empty((len(frames), *shape), np.dtype(dtype))
        for row, picture in zip(batch, frames.pictures, strict=True):
            pixels = resized(picture, size_wh, colour)
            np.copyto(row, pixels.transpose(2, 0, 1) if channels_first else pixels)
        return batch

    def to_host(self, array: Any) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the array as it is: it is in host memory."""
        return np.asarray(array)
