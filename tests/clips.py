"""Small clips made while the tests run: a bright square that moves to the right by two pixels a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

DARK, BRIGHT = 40, 215
CLOCK = Fraction(1, 90_000)


def square(step: int, size_wh: tuple[int, int] = (64, 48), grey: int = BRIGHT) -> np.ndarray:
    """Return picture number `step`: (H, W, 3) u8 RGB, a square of 10 pixels with its left side at 2 × step."""
    pixels = np.full((size_wh[1], size_wh[0], 3), DARK, np.uint8)
    pixels[4:14, 2 * step : 2 * step + 10] = grey
    return pixels


def left_side(bgr: np.ndarray) -> int:
    """Return where the square begins: the first column with bright pixels."""
    return int(np.flatnonzero((bgr[:, :, 1] > (DARK + BRIGHT) // 2).any(axis=0))[0])


def write_clip(
    path: Path,
    pictures: int | Iterable[np.ndarray] = 20,
    pts_s: Sequence[float] | None = None,
    size_wh: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation_deg: int = 0,
    container: dict[str, str] | None = None,
    **options: Any,
) -> Path:
    """Encode RGB pictures, or that many squares, 25 a second or at `pts_s`; `options` go to the encoder.

    `rotation_deg` is counterclockwise, as in FFmpeg. MP4 files have their index in front, so that they can be cut.
    """
    if isinstance(pictures, int):
        pictures = [square(step, size_wh) for step in range(pictures)]
    with av.open(
        str(path), "w", options=container or ({"movflags": "faststart"} if path.suffix == ".mp4" else {})
    ) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size_wh, pix_fmt
        stream.time_base = stream.codec_context.time_base = CLOCK
        stream.codec_context.thread_count = 1
        stream.options = {name: str(value) for name, value in options.items()}
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = round((index / 25 if pts_s is None else pts_s[index]) / CLOCK), CLOCK
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """Encode a second of silence."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        for index in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, index * 1024
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path
