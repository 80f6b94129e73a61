"""Frames that the card decodes, as pictures on the device: FFmpeg hands them over through DLPack, nothing is copied."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.cuda.streams import ThreadStreams
from pipeline.cuda.traffic import Traffic
from pipeline.frames import Picture

if TYPE_CHECKING:
    from av import VideoFrame
    from av.codec.hwaccel import HWAccel
    from av.video.plane import VideoPlane

Planes = tuple[Any, ...]

_VALUES = np.arange(256)
_LIMITED = (
    np.rint(16 + _VALUES * (219 / 255)).astype(np.uint8),
    np.rint(128 + (_VALUES - 128) * (224 / 255)).astype(np.uint8),
)
"""Luma and chroma of limited range by those of full range."""


@dataclass(frozen=True)
class DevicePicture(Picture):
    """A picture whose planes are arrays of the device."""

    ready: Any = field(kw_only=True)
    """Event: the decoder has written them."""
    bring: Callable[[DevicePicture], Planes] = field(kw_only=True, repr=False, compare=False)
    """Copies the planes to the host."""
    _kept: list[Picture] = field(default_factory=list, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def on_host(self) -> Picture:
        """Return the picture in host memory; it is copied once, for all who ask."""
        with self._lock:
            if not self._kept:
                self._kept.append(Picture(self.bring(self), self.layout, self.rotation_deg))
            return self._kept[0]


class DeviceDecoding:
    """Makes pictures of frames that FFmpeg's decoder left in device memory.

    FFmpeg 8 copies each frame out of the decoder's own few surfaces, on the device, so any number may be kept.

    Args:
        cupy: the package, or what stands for it.
        streams: of the threads that ask.
        traffic: where copies are counted.
    """

    def __init__(self, cupy: Any, streams: ThreadStreams, traffic: Traffic) -> None:
        self._cupy, self._streams, self._traffic = cupy, streams, traffic

    def hwaccel(self) -> HWAccel:
        """Return what has `av.open` decode on the card, for containers that the calling thread opens.

        Raises:
            OSError: there is no such decoder on this machine; FFmpeg's word for it.
            NotImplementedError: this FFmpeg was built without.
        """
        from av import CodecContext
        from av.codec.hwaccel import HWAccel

        self._streams.own()  # cupy's context is now that of this thread, and FFmpeg takes it up
        # With a context of FFmpeg's own, our kernels could not read its memory.
        accel = HWAccel("cuda", is_hw_owned=True, options={"primary_ctx": "0", "current_ctx": "1"})
        CodecContext.create("h264", "r", hwaccel=accel)  # the whole way to the driver, and no further
        return accel

    def picture(self, frame: VideoFrame, rotation_deg: Literal[0, 90, 180, 270], full_range: bool) -> Picture:
        """Return the picture of a frame in device memory (format `cuda`, nv12 inside); it keeps the frame's memory."""
        self._streams.own()
        planes = tuple(self._cupy.from_dlpack(_Handed(plane)) for plane in frame.planes)
        # FFmpeg copies and converts on the default stream, for which ours do not wait.
        ready = self._streams.mark(self._cupy.cuda.Stream.null)
        self._traffic.count("decoded", "pictures", sum(int(plane.nbytes) for plane in planes))
        return DevicePicture(planes, "nv12", rotation_deg, full_range, ready=ready, bring=self._brought)

    def _brought(self, picture: DevicePicture) -> Planes:
        stream = self._streams.own()
        stream.wait_event(picture.ready)
        self._traffic.count("to_host", "pictures", sum(int(plane.nbytes) for plane in picture.planes))
        brought = tuple(np.asarray(plane.get(stream=stream, blocking=True)) for plane in picture.planes)
        if picture.full_range:
            brought = tuple(table[plane] for table, plane in zip(_LIMITED, brought, strict=True))
        for plane in brought:
            plane.flags.writeable = False
        return brought


class _Handed:
    """A plane of PyAV for who asks as the DLPack standard has it: PyAV takes no stream, and no version."""

    def __init__(self, plane: VideoPlane) -> None:
        self._plane = plane

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._plane.__dlpack_device__()

    def __dlpack__(self, **_: Any) -> Any:
        return self._plane.__dlpack__()
