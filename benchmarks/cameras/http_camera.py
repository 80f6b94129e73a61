"""One camera over HTTP: an endless transport stream, endless JPEG pictures, or a playlist of short files (HLS)."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.cameras.clips import Clip
from benchmarks.cameras.feed import Feed
from benchmarks.cameras.pace import Pace
from benchmarks.cameras.player import FULL
from benchmarks.cameras.rtp import CLOCK_HZ
from benchmarks.cameras.ts import TsWriter

if TYPE_CHECKING:
    from benchmarks.cameras.loop import LoopServer

BOUNDARY = "picture"
_SEGMENTS = 4
"""Files that a playlist lists."""


@dataclass(eq=False)
class _Reader:
    """A client of an endless stream."""

    writer: TsWriter
    wants_key: bool = True


@dataclass(eq=False)
class HttpCamera(Feed):
    """Serves a clip without end; frame k of its n is sent when floor(unix time · fps) % n is k."""

    clip: Clip
    fps: float = 25.0
    kind: Literal["ts", "mjpeg", "hls"] = "ts"
    segments: deque[tuple[int, bytes]] = field(default_factory=deque, init=False, repr=False)
    """Of a playlist: the number of each file and what it holds; each begins with a key frame."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pictures = _pictures(self.clip) if self.kind == "mjpeg" else []
        self._writer = TsWriter(self.clip.codec)
        self._growing = bytearray()
        self._count = 0

    def resume(self) -> float:
        """End `stall`; clients go on with the next key frame."""
        return self._set(stalled=False)

    @property
    def longest_s(self) -> int:
        """How long a file of the playlist is at most."""
        keys = [index for index, unit in enumerate(self.clip.units) if unit.is_key] + [len(self.clip.units)]
        return max(1, round(max(b - a for a, b in pairwise(keys)) / self.fps + 0.5))

    def begin(self, server: LoopServer[Any], loop: asyncio.AbstractEventLoop | None) -> None:
        """Belong to a server, and send on its loop if it runs; a playlist begins with some files in it."""
        super().begin(server, loop)
        if loop is None:
            return
        self._pace = Pace(loop, self.fps, self._show)
        if self.kind == "hls":  # what is written here ends where the pace begins, however long it takes
            for slot in range(self._pace.shown - len(self.clip.units), self._pace.shown + 1):
                self._grow(slot)

    def play(self, transport: asyncio.Transport) -> None:
        """Let a client have an endless stream, from the next key frame on."""
        self.clients[transport] = _Reader(TsWriter(self.clip.codec))

    def _show(self, slot: int) -> None:
        if self.kind == "hls":
            if self.stalled:
                self._growing.clear()  # what follows begins a file
            else:
                self._grow(slot)
            return
        index = slot % len(self.clip.units)
        for transport, reader in self.clients.items():
            if not isinstance(reader, _Reader):
                continue
            if self.stalled or transport.get_write_buffer_size() > FULL:
                reader.wants_key = True
            elif self.kind == "mjpeg":
                transport.write(self._pictures[index])
            elif self.clip.units[index].is_key or not reader.wants_key:
                reader.wants_key = False
                transport.write(self._written(reader.writer, slot))

    def _grow(self, slot: int) -> None:
        """Add a frame to the file that is being made; a key frame begins the next one."""
        if self.clip.units[slot % len(self.clip.units)].is_key:
            if self._growing:
                self.segments.append((self._count, bytes(self._growing)))
                self._count += 1
            if len(self.segments) > _SEGMENTS:
                self.segments.popleft()
            self._growing.clear()
        elif not self._growing:
            return
        self._growing += self._written(self._writer, slot)

    def _written(self, writer: TsWriter, slot: int) -> bytes:
        index = slot % len(self.clip.units)
        unit = self.clip.units[index]
        delay = max(place - unit.presented for place, unit in enumerate(self.clip.units[:50]))
        dts, pts = (round(at * CLOCK_HZ / self.fps) for at in (slot, slot - index + unit.presented + delay))
        return writer.frame(unit, pts % 2**33, dts % 2**33)


def _pictures(clip: Clip) -> list[bytes]:
    """Return each frame as the part of an answer that holds a JPEG picture, in the order of presentation."""
    import av

    decoder = av.CodecContext.create(clip.codec, "r")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(decoder, av.VideoCodecContext) and isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = clip.size_wh
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuvj420p", Fraction(1, 25), 1
    encoder.options = {"qmin": "3", "qmax": "3"}
    packets = [av.Packet(b"".join(b"\0\0\0\1" + nal for nal in unit.nals)) for unit in clip.units]
    parts: list[bytes] = []
    for packet in [*packets, None]:
        for frame in decoder.decode(packet):
            frame.pts, frame.pict_type = len(parts), av.video.frame.PictureType.NONE
            for picture in encoder.encode(frame.reformat(format="yuvj420p")):
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {picture.size}\r\n\r\n"
                parts.append(head.encode() + bytes(picture) + b"\r\n")
    return parts
