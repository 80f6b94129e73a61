"""Which encoder of H.264 writes a file: that of the CPU, or NVENC where this machine has one that works."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pipeline.losses import said

CLOCK = Fraction(1, 90_000)
"""MP4 counts the length of a frame in 32 bits: at this rate 13 hours, to the nearest 11 µs."""
# NVENC's presets trade speed for quality in seven steps; B-frames are off, as everywhere here.
_NVENC_PRESETS = {
    "ultrafast": "p1",
    "superfast": "p1",
    "veryfast": "p2",
    "faster": "p3",
    "fast": "p4",
    "medium": "p5",
    "slow": "p6",
}


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg's and its options."""

    codec: str
    options: dict[str, str]


def even(size_wh: tuple[int, int]) -> tuple[int, int]:
    """Return a size as 4:2:0 H.264 has it: odd widths and heights are one larger."""
    return size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2


def cpu_encoder(preset: str, crf: float) -> Encoder:
    """Return x264 with a preset and a quality of its own."""
    return Encoder("libx264", {"preset": preset, "crf": str(crf)})


def nvenc_encoder(preset: str, crf: float) -> Encoder:
    """Return NVENC with what comes near to a preset and a quality of x264.

    Its quality (`cq`) is a scale of its own; files are larger at one that looks alike.
    """
    options = {"preset": _NVENC_PRESETS[preset], "rc": "vbr", "cq": str(round(crf)), "b": "0"}
    return Encoder("h264_nvenc", options)


def why_not(encoder: Encoder, size_wh: tuple[int, int]) -> str:
    """Say why an encoder cannot write pictures of a size on this machine, in FFmpeg's words; nothing where it can."""
    from av import VideoCodecContext
    from av.error import FFmpegError

    try:
        trial = VideoCodecContext.create(encoder.codec, "w")
        assert isinstance(trial, VideoCodecContext)
        trial.width, trial.height = even(size_wh)
        trial.pix_fmt, trial.time_base, trial.options = "yuv420p", CLOCK, dict(encoder.options)
        trial.open()
    except (FFmpegError, OSError, ValueError) as error:
        return said(error)
    return ""
