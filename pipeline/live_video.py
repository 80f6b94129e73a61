"""Decode one connection to a live stream: packets that the gate lets pass, with what the sender says of their time."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipeline.losses import cannot_read, hung_up, silent
from pipeline.node import Dropped, Frame, SourceItem, Stamp
from pipeline.packet_gate import PacketGate

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from pipeline.av_pictures import PictureMaker

_NO_TIMESTAMPS = 0x80
"""AVFMT_NOTIMESTAMPS."""
_MAX_UNREADABLE = 100
"""Damaged packets in a row after which nothing better is expected of a connection."""


class LiveVideo:
    """The video of one connection. A packet counts as a frame.

    Args:
        container: just opened, with a read timeout.
        video: the stream in it.
        url: for messages.
        gate: asked about each packet.
        read_timeout_s: that of the container.
        maker: makes pictures of what is decoded.
        now_s: a monotonic clock.
    """

    def __init__(
        self,
        container: InputContainer,
        video: VideoStream,
        url: str,
        gate: PacketGate,
        read_timeout_s: float,
        maker: PictureMaker,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._container = container
        self._video = video
        self._url = url
        self._gate = gate
        self._read_timeout_s = read_timeout_s
        self._now_s = now_s
        self._maker = maker
        # FFmpeg then counts 25 frames a second, whatever comes.
        self._timeless = bool(container.format.flags & _NO_TIMESTAMPS)
        self._refusing = False
        self._key_came = False
        self._wall_ns: int | None = None
        """Unix time of the newest packet without a time of the sender's."""
        self._offset_ns: int | None = None
        """Unix time of the sender's time 0."""

    def items(self) -> Iterator[SourceItem]:
        """Yield frames in order of presentation, what was dropped, and None for a packet that completes no frame.

        Raises:
            SourceError: the connection is lost; it never ends otherwise.
        """
        for packet in self._packets():
            if packet is None:
                yield Dropped("corrupt")
                continue
            cause = self._gate.admit(self._pts_ns(packet), packet.is_keyframe) if packet.size else None
            if cause is None:
                yield from self._decoded(packet)
                continue
            if not self._refusing:
                yield from self._finished()
            yield Dropped(cause)

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Yield packets, and None for damaged ones, each within the read timeout."""
        from av.error import FFmpegError, InvalidDataError

        packets, unreadable = self._container.demux(self._video), 0
        while True:
            asked_s = self._now_s()
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                unreadable += 1
                if not isinstance(error, InvalidDataError) or unreadable == _MAX_UNREADABLE:
                    raise cannot_read(self._url, error) from None
                packets = self._container.demux(self._video)
                yield None
                continue
            if packet is None:
                raise hung_up(self._url)
            unreadable = 0
            # When a read runs into its limit, FFmpeg first hands out the last packet, whose end it had waited for.
            was_last = self._now_s() - asked_s >= self._read_timeout_s
            yield packet
            if was_last:
                raise silent(self._url)

    def _decoded(self, packet: Packet[VideoStream]) -> Iterator[SourceItem]:
        from av.error import FFmpegError, InvalidDataError

        if self._refusing:
            self._video.codec_context.flush_buffers()
            self._refusing = False
        self._key_came = self._key_came or packet.is_keyframe
        self._note_wall(packet)
        try:
            frames = packet.decode()
        except InvalidDataError:
            # Before the first key frame nothing is known that packets refer to: they are whole and cannot be decoded.
            yield Dropped("corrupt") if self._key_came else None
            return
        except (FFmpegError, OSError) as error:
            raise cannot_read(self._url, error) from None
        for frame in frames:
            yield self._frame(frame)
        if not frames:
            yield None

    def _finished(self) -> Iterator[SourceItem]:
        """Yield what the decoder holds back until later frames come: after the gate refused one, none will."""
        from av.error import FFmpegError

        self._refusing = True
        try:
            frames = self._video.codec_context.decode(None)
        except FFmpegError:
            return
        for frame in frames:
            yield self._frame(frame)

    def _frame(self, frame: VideoFrame) -> SourceItem:
        if frame.is_corrupt:
            return Dropped("corrupt")
        pts_ns = self._pts_ns(frame)
        return Frame(self._maker.picture(frame), stamp=Stamp(pts_ns, self._wall_of(pts_ns)))

    def _wall_of(self, pts_ns: int | None) -> int | None:
        if pts_ns is None:  # as FFmpeg has it in the first packet of an RTSP session
            return self._wall_ns
        return None if self._offset_ns is None else pts_ns + self._offset_ns

    def _pts_ns(self, timed: Packet[VideoStream] | VideoFrame) -> int | None:
        if self._timeless or timed.pts is None or timed.time_base is None:
            return None
        return round(timed.pts * timed.time_base * 1_000_000_000)

    def _note_wall(self, packet: Packet[VideoStream]) -> None:
        """Keep the wall clock of a packet: FFmpeg works it out from the sender's reports (RTCP) where there are any."""
        if not packet.has_sidedata("prft"):
            return
        # struct AVProducerReferenceTime: microseconds since 1970, flags.
        wall_ns = struct.unpack_from("=qi", packet.get_sidedata("prft"))[0] * 1000
        pts_ns = self._pts_ns(packet)
        if pts_ns is None:
            self._wall_ns = wall_ns
        else:
            self._offset_ns = wall_ns - pts_ns
