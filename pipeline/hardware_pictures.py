"""Pictures of a stream that the card may decode: they stay there where they can, and it is said where they cannot."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pipeline.av_pictures import FULL_RANGE, PictureMaker, clockwise
from pipeline.losses import said

if TYPE_CHECKING:
    from av import VideoFrame
    from av.codec.hwaccel import HWAccel

    from pipeline.cuda.decoding import DeviceDecoding
    from pipeline.frames import Picture

logger = logging.getLogger(__name__)


class HardwarePictures(PictureMaker):
    """Makes pictures of the frames of one stream, on the device those that the kernels can read.

    What the card cannot decode, FFmpeg decodes on the CPU by itself; frames of another kind than 8-bit 4:2:0 leave the
    device and are made into pictures as any others are. Either is told once a stream.

    Args:
        decoding: that of the device.
        stream_id: for messages.
    """

    def __init__(self, decoding: DeviceDecoding, stream_id: str) -> None:
        super().__init__()
        self._decoding, self._stream_id = decoding, stream_id
        self._told = False

    def hwaccel(self) -> HWAccel | None:
        """Return what opens the stream's container; None: it is decoded on the CPU, which was told."""
        try:
            return self._decoding.hwaccel()
        except (OSError, NotImplementedError) as error:
            self._tell(f"this machine cannot ({said(error)}; is NVIDIA's libnvcuvid.so.1 there?)")
            return None

    def picture(self, frame: VideoFrame) -> Picture:
        """See `PictureMaker.picture`; planes are in device memory where the frame was."""
        if frame.sw_format is None:
            self._tell(f"it does not decode {frame.width}×{frame.height} {frame.format.name} of this codec")
            return super().picture(frame)
        if why := _misfit(frame):
            self._tell(f"decoded there, and brought to the host: {why}")
            return super().picture(frame)
        return self._decoding.picture(frame, clockwise(frame.rotation), int(frame.color_range) == FULL_RANGE)

    def _tell(self, why: str) -> None:
        if not self._told:
            self._told = True
            logger.warning("stream %r: the GPU does not decode it for the models: %s", self._stream_id, why)


def _misfit(frame: VideoFrame) -> str:
    """Say why the kernels cannot read a frame in device memory; nothing where they can."""
    name = frame.sw_format.name if frame.sw_format else "nothing"
    if name != "nv12":
        return f"{name}, not 8-bit 4:2:0"
    return "an odd size" if frame.width % 2 or frame.height % 2 else ""
