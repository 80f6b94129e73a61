"""Turn decoded FFmpeg frames into pictures, without a copy wherever their pixels are as pictures have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.frames import Picture

if TYPE_CHECKING:
    from av import VideoFrame

FULL_RANGE = 2
"""AVCOL_RANGE_JPEG."""


class PictureMaker:
    """Makes pictures of the frames of one stream; not to be shared between threads.

    8-bit 4:2:0 of limited range is taken as it is. All else (10 bit, 4:4:4, full range, RGB, grey) is converted to it
    by FFmpeg. The matrix of a YUV source is kept: HD footage (BT.709) read as BT.601 is off by a few grey levels in
    strong colours, and exact again when it is written.
    """

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame) -> Picture:
        """Return the picture of a frame; its planes keep the frame's memory alive and cannot be written to."""
        rotation = clockwise(frame.rotation)
        layout: Literal["i420", "nv12"] = "nv12" if frame.format.name == "nv12" else "i420"
        if frame.format.name not in ("yuv420p", "nv12") or int(frame.color_range) == FULL_RANGE:
            layout = "i420"
            # One thread: FFmpeg would start as many as there are cores, for every frame. The range is named because a
            # frame that comes from the memory of a card forgets it on the way.
            frame = self._reformatter.reformat(
                frame, format="yuv420p", src_color_range=frame.color_range, dst_color_range="MPEG", threads=1
            )
        return Picture(tuple(_view(frame, index, layout) for index in range(len(frame.planes))), layout, rotation)


def _view(frame: VideoFrame, index: int, layout: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    plane = frame.planes[index]
    width, height = (frame.width, frame.height) if index == 0 else ((frame.width + 1) // 2, (frame.height + 1) // 2)
    samples = 2 if layout == "nv12" and index == 1 else 1
    # The array refers to the plane, the plane to the frame, the frame to its memory; lines are padded in memory.
    lines: np.ndarray[Any, np.dtype[np.uint8]] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        -1, plane.line_size
    )[:height, : width * samples]
    # The decoder predicts later frames from this memory.
    lines.flags.writeable = False
    return lines.reshape(height, width, 2) if samples == 2 else lines


def clockwise(counterclockwise_deg: int) -> Literal[0, 90, 180, 270]:
    """Return the turn that makes a picture upright, to a quarter, from what FFmpeg says of its frame."""
    quarters: tuple[Literal[0, 90, 180, 270], ...] = (0, 90, 180, 270)
    return quarters[round(-counterclockwise_deg / 90) % 4]
