"""Clips whose frames carry their number, as elementary streams: what a camera's encoder would send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmarks.cameras.time_code import LARGEST, draw_number, read_number
from benchmarks.results import ROOT
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import av

__all__ = ["Clip", "Codec", "Unit", "make_clip", "read_clip", "read_number"]

Codec = Literal["h264", "hevc"]

SHOP = ROOT / "scenes" / "demo" / "shop.mp4"
_START_CODE = re.compile(rb"\x00{2,}\x01")
_MBIT_S, _MBIT_GROWTH = 1.0, 0.63
"""Of 640×360 at 25 frames a second, and by which power of the size it grows: 1920×1080 has 4."""


@dataclass(frozen=True)
class Unit:
    """One picture as it is coded."""

    nals: tuple[bytes, ...]
    """Its NAL units, without start codes."""
    is_key: bool
    presented: int
    """Its place in the order of presentation; differs from its place in the clip where there are B-frames."""


@dataclass(frozen=True)
class Clip:
    """An elementary stream in memory; begins with a key frame, so that it can be looped."""

    path: Path
    codec: Codec
    size_wh: tuple[int, int]
    units: tuple[Unit, ...] = field(repr=False)
    """In the order of decoding."""


def make_clip(
    folder: Path,
    size_wh: tuple[int, int] = (640, 360),
    frames: int = 500,
    fps: float = 25.0,
    gop: int = 25,
    codec: Codec = "h264",
    source: Path | None = SHOP,
    b_frames: int = 0,
    mbit_s: float | None = None,
) -> Clip:
    """Write a clip whose frame k carries the number k, cheaply: 500 frames of 640×360 in two seconds.

    Args:
        folder: where the file is written.
        size_wh: even numbers.
        frames: of the clip.
        fps: the rate it is meant for; decides the bit rate only.
        gop: frames from one key frame to the next; no frame refers beyond its own.
        codec: how it is coded.
        source: a video file that is scaled and looped below the numbers; None for a plain grey.
        b_frames: of them between two others; with 0, frames are sent in the order in which they are shown.
        mbit_s: about how much a second holds; None for what a camera of that size sends.
    """
    import av

    if not 0 < frames <= LARGEST + 1:
        raise ConfigError(f"clip: expected 1 to {LARGEST + 1} frames, got {frames!r}; a longer one has no numbers")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{size_wh[0]}x{size_wh[1]}-{frames}-{gop}-b{b_frames}.{codec}"
    usual_mbit_s = _MBIT_S * fps / 25 * (size_wh[0] * size_wh[1] / (640 * 360)) ** _MBIT_GROWTH
    shared = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:repeat-headers=1:b-adapt=0:bframes={b_frames}"
    options = {"preset": "ultrafast"} | ({} if b_frames else {"tune": "zerolatency"})
    if codec == "h264":
        options["x264-params"] = f"{shared}:force-cfr=1"
    else:
        options["x265-params"] = f"{shared}:log-level=none:pools=none"
    with av.open(str(path), "w", format=codec) as out:
        stream = out.add_stream({"h264": "libx264", "hevc": "libx265"}[codec], rate=round(fps))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size_wh, "yuv420p"
        stream.bit_rate, stream.codec_context.thread_count = round(1e6 * (mbit_s or usual_mbit_s)), 1
        stream.options.update(options)
        for number, frame in enumerate(islice(_pictures(source, size_wh), frames)):
            plane = frame.planes[0]
            luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            draw_number(luma[: size_wh[1], : size_wh[0]], number)
            frame.pts, frame.pict_type = number, av.video.frame.PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return read_clip(path)


def read_clip(path: Path) -> Clip:
    """Read an elementary stream of H.264 or H.265.

    Raises:
        ConfigError: it is none, or does not begin with a key frame.
    """
    import av

    with av.open(str(path)) as container:
        video = container.streams.video[0]
        context = video.codec_context
        packets = [packet for packet in container.demux(video) if packet.size]
        codecs: dict[str, Codec] = {"h264": "h264", "hevc": "hevc"}
        if context.name not in codecs or not packets or not packets[0].is_keyframe:
            raise ConfigError(f"{path}: expected H.264 or H.265, a key frame first, got {context.name!r}; make another")
        order = _presented(context, packets) if context.has_b_frames else range(len(packets))
        units = tuple(
            Unit(tuple(nal for nal in _START_CODE.split(bytes(packet)) if nal), packet.is_keyframe, place)
            for packet, place in zip(packets, order, strict=True)
        )
        return Clip(path, codecs[context.name], (context.width, context.height), units)


def _pictures(source: Path | None, size_wh: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """Yield pictures of one size without end; they may be drawn on."""
    import av

    width, height = size_wh
    while source is None:
        yield av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), "yuv420p")
    scaler = av.video.reformatter.VideoReformatter()
    while True:
        with av.open(str(source)) as container:
            for frame in container.decode(video=0):
                scaled = scaler.reformat(frame, width, height, "yuv420p", interpolation="FAST_BILINEAR", threads=1)
                # A frame of the right size comes back as it is, and the decoder still refers to it.
                yield av.VideoFrame.from_ndarray(frame.to_ndarray(), "yuv420p") if scaled is frame else scaled


def _presented(context: av.VideoCodecContext, packets: list[av.Packet[av.VideoStream]]) -> list[int]:
    """Return the place of each packet's picture in the order of presentation, found by decoding them."""
    order = []
    for index, packet in enumerate(packets):
        packet.pts = packet.dts = index
        order += [frame.pts for frame in context.decode(packet)]
    order += [frame.pts for frame in context.decode(None)]
    places = {index: place for place, index in enumerate(order) if index is not None}
    return [places[index] for index in range(len(packets))]
