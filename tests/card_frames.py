"""A stand-in for the decoder of a card: frames that FFmpeg decoded, in memory of the device, written there late."""

from __future__ import annotations

import ctypes
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
from av import VideoFrame

from pipeline.frames import Picture
from pipeline.hardware_pictures import HardwarePictures
from tests.fake_arrays import Capsule
from tests.fake_cupy import FakeCupy
from tests.fake_streams import RUBBISH, address_of, block, view

PITCH = 512
"""Lines of a card's frames begin at multiples of this."""


class CardFrame:
    """A frame in device memory: nv12, written by work on the default stream; its memory is the decoder's afterwards.

    Args:
        frame: what FFmpeg decoded on the CPU.
        cupy: the stand-in whose default stream writes it.
        sw_format: what the card would call the format.
    """

    def __init__(self, frame: VideoFrame, cupy: FakeCupy, sw_format: str = "nv12") -> None:
        self._frame = frame.reformat(format="nv12")
        self.format, self.sw_format = SimpleNamespace(name="cuda"), SimpleNamespace(name=sw_format)
        self.width, self.height, self.color_range = frame.width, frame.height, frame.color_range
        self.rotation = frame.rotation
        luma = np.frombuffer(memoryview(self._frame.planes[0]), np.uint8)
        rows = [luma.reshape(-1, self._frame.planes[0].line_size)[: frame.height, : frame.width]]
        chroma = np.frombuffer(memoryview(self._frame.planes[1]), np.uint8)
        rows.append(chroma.reshape(-1, self._frame.planes[1].line_size)[: frame.height // 2, : frame.width])
        self.planes = [CardPlane(part, cupy, pairs=bool(index)) for index, part in enumerate(rows)]


class CardPlane:
    """A plane of it, which PyAV gives away through DLPack: without a stream, and to nobody who names one."""

    def __init__(self, content: np.ndarray, cupy: FakeCupy, pairs: bool) -> None:
        height, width = content.shape
        pitch, content = PITCH * -(-width // PITCH), content.copy()
        size = height * pitch
        # Never given back to Python: who reads it too late finds rubbish.
        there = address_of(block(size))
        self._shape = (height, width // 2, 2) if pairs else (height, width)
        self._strides = (pitch, 2, 1) if pairs else (pitch, 1)
        self._there, self._owner = there, _Owner()
        null = cupy.Stream.null
        null.begin(lambda: np.copyto(view(there, content.shape, np.uint8, (pitch, 1)), content))
        # The next frame is decoded into it, in its turn.
        weakref.finalize(self._owner, null.begin, lambda: ctypes.memset(there, RUBBISH, size) and None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int | None = None) -> Any:
        if stream is not None:
            raise NotImplementedError("CUDA stream synchronization is not supported")
        return Capsule(self._owner, self._there, self._shape, np.dtype(np.uint8), self._strides)


class _Owner:
    """Lives as long as somebody uses the memory of a plane."""


class PicturesOfCard(HardwarePictures):
    """Pictures of a stream whose frames the stand-in decodes."""

    fake: FakeCupy

    def hwaccel(self) -> None:
        """FFmpeg decodes on the CPU here."""

    def picture(self, frame: VideoFrame) -> Picture:
        """Return the picture of a frame that a card has decoded."""
        return super().picture(CardFrame(frame, self.fake))  # type: ignore[arg-type]
