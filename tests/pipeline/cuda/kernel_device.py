"""Model inputs made by the kernels, asked for as from any device, on arrays of the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.cuda import source
from pipeline.cuda.images import cropped_images, whole_images
from pipeline.cuda.structs import target
from pipeline.frames import Picture
from pipeline.letterbox import content_size
from tests.pipeline.cuda.on_cpu import CompiledKernels

GUARD = 4096
"""Values before and after a result that a kernel must leave alone."""


def address(plane: np.ndarray) -> int:
    return plane.ctypes.data


class KernelDevice:
    """Takes pictures where a device takes frames; everything else is as in `Device`."""

    def __init__(self, kernels: CompiledKernels) -> None:
        self.kernels = kernels

    def model_input(
        self,
        pictures: Sequence[Picture],
        size_wh: tuple[int, int],
        how: str = "stretch",
        shrink: Any = "area",
        **kwargs: Any,
    ) -> np.ndarray:
        sizes = [size_wh if how == "stretch" else content_size(picture.size_wh, size_wh) for picture in pictures]
        return self._made(whole_images(pictures, np.array(sizes), address, shrink), size_wh, **kwargs)

    def crops(
        self,
        pictures: Sequence[Picture],
        frame_row: np.ndarray,
        boxes: np.ndarray,
        size_wh: tuple[int, int],
        **kwargs: Any,
    ) -> np.ndarray:
        return self._made(cropped_images(pictures, frame_row, boxes, size_wh, address), size_wh, **kwargs)

    def _made(self, images: np.ndarray, size_wh: tuple[int, int], **kwargs: Any) -> np.ndarray:
        row = target(size_wh, **kwargs)
        channels = int(row["channels"][0])
        width, height = size_wh
        last = kwargs.get("layout") == "nhwc"
        shape = (len(images), height, width, channels) if last else (len(images), channels, height, width)
        dtype = np.dtype(kwargs.get("dtype", "float32"))
        block = np.full(2 * GUARD + int(np.prod(shape)), 123, dtype)
        made = block[GUARD : len(block) - GUARD]
        kernel = source.TO_FLOATS if dtype == np.float32 else source.TO_BYTES
        self.kernels.launch(kernel, source.grid(size_wh, len(images)), images, row, made)
        assert (block[:GUARD] == 123).all()
        assert (block[len(block) - GUARD :] == 123).all()
        return made.reshape(shape)
