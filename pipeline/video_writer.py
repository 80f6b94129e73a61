"""Encode pictures as H.264 into a fragmented MP4 file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.encoders import CLOCK, Encoder, even
from pipeline.fragment_file import FragmentFile
from pipeline.frames import Picture

if TYPE_CHECKING:
    from av import VideoFrame

Array = np.ndarray[Any, np.dtype[Any]]

_NS_PER_TICK = Fraction(1_000_000_000) * CLOCK


@dataclass(frozen=True)
class Encoding:
    """How pictures are encoded."""

    encoder: Encoder
    threads: int
    fragment_s: float


class VideoWriter:
    """One file of pictures of one size. After an error, what was written before stays readable; only `close` helps.

    Args:
        path: the file; one that stands there is replaced.
        size_wh: width and height of the pictures, upright, pixels. Odd ones are made even by repeating the last
            column or row: 4:2:0 H.264 has no others.
        encoding: how to encode.

    Raises:
        PipelineError: the file cannot be written; names path, cause and cure. Also from `add` and `close`.
    """

    def __init__(self, path: Path, size_wh: tuple[int, int], encoding: Encoding) -> None:
        import av

        self.size_wh = size_wh
        self._even_wh = even(size_wh)
        self._first_ns: int | None = None
        self._last_tick = -1
        self._file = FragmentFile(path)
        # default_base_moof and empty_moov: each fragment stands by itself, so that a crash costs the last one only.
        fragments = {
            "movflags": "frag_keyframe+empty_moov+default_base_moof",
            "frag_duration": str(round(encoding.fragment_s * 1e6)),
        }
        self._container = av.open(self._file, "w", format="mp4", options=fragments)
        stream = self._container.add_stream(encoding.encoder.codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = self._even_wh
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = CLOCK
        stream.codec_context.thread_count = encoding.threads
        # A key frame every few seconds, for seeking; no B-frames, because they would shift times without an edit list.
        stream.codec_context.gop_size = 60
        stream.codec_context.max_b_frames = 0
        stream.options = dict(encoding.encoder.options)
        self._stream = stream

    def add(self, picture: Picture, pts_ns: int) -> None:
        """Encode a picture of the writer's size; `pts_ns` rises from call to call, and the first is the file's 0."""
        frame = self._frame(picture)
        if self._first_ns is None:
            self._first_ns = pts_ns
        # Two times may fall on one tick; a file needs them apart.
        self._last_tick = max(round((pts_ns - self._first_ns) / _NS_PER_TICK), self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, CLOCK
        self._container.mux(self._stream.encode(frame))
        self._raise_error()

    def close(self) -> None:
        """Finish the file. An error that `add` raised is not raised again."""
        failed = self._file.error is not None
        try:
            if not failed:
                self._container.mux(self._stream.encode())
            self._container.close()
        finally:
            self._file.close()
        if not failed:
            self._raise_error()

    def _raise_error(self) -> None:
        if self._file.error is not None:
            raise self._file.error

    def _frame(self, picture: Picture) -> VideoFrame:
        from av import VideoFrame

        frame = VideoFrame(*self._even_wh, "yuv420p")
        width, height = self._even_wh
        shapes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
        for plane, part, (rows, columns) in zip(frame.planes, _upright_i420(picture), shapes, strict=True):
            lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:rows, :columns]
            lines[: part.shape[0], : part.shape[1]] = part
            lines[part.shape[0] :], lines[:, part.shape[1] :] = (
                lines[part.shape[0] - 1],
                lines[:, part.shape[1] - 1, None],
            )
        return frame


def _upright_i420(picture: Picture) -> tuple[Array, Array, Array]:
    """Return Y (H, W), U and V (⌈H/2⌉, ⌈W/2⌉) of the upright picture; decoded planes are passed on as they are."""
    picture = picture.on_host()
    if picture.layout == "bgr":
        parts = _i420_of_bgr(picture.planes[0])
    elif picture.layout == "nv12":
        parts = picture.planes[0], picture.planes[1][:, :, 0], picture.planes[1][:, :, 1]
    else:
        parts = picture.planes
    y, u, v = (np.rot90(part, -(picture.rotation_deg // 90)) for part in parts)
    return y, u, v


def _i420_of_bgr(bgr: Array) -> tuple[Array, Array, Array]:
    import cv2

    height, width = bgr.shape[:2]
    if height % 2 or width % 2:
        bgr = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    rows, columns = bgr.shape[:2]
    block = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    u, v = block[rows:].reshape(2, rows // 2, columns // 2)
    return block[:height, :width], u, v
