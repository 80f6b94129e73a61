"""Read a stream: a video file, a folder of pictures, a camera of this machine, an address."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from av import VideoFrame
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.video.stream import VideoStream
from pydantic import Field

from pipeline.av_pictures import PictureMaker
from pipeline.containers import open_file, video_stream
from pipeline.errors import SourceError
from pipeline.frames import FrameBatch
from pipeline.hardware_pictures import HardwarePictures
from pipeline.live_video import LiveVideo
from pipeline.losses import said
from pipeline.node import Discontinuity, Dropped, Frame, NodeConfig, Source, SourceItem
from pipeline.picture_files import picture_files, read_picture
from pipeline.secure import Trust
from pipeline.senders import Link, open_sender
from pipeline.timeline import Timeline
from pipeline.truncation import missing_packets
from pipeline.urls import is_live, is_url, redact

logger = logging.getLogger(__name__)

DEFAULT_FPS = 25.0
"""Rate of a stream that carries neither times nor a rate."""


class Config(NodeConfig):
    decoder: Literal["auto", "cpu"] = "auto"
    """`auto`: the device that models run on; on a GPU, frames stay in its memory. What it cannot decode, and all where
    models run on the CPU, the CPU decodes. `cpu`: always the CPU."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads of each stream's decoder. Raise when one large stream is the bottleneck and cores idle: costs some
    CPU, and a frame of delay for each thread."""
    pictures_fps: float = Field(default=10.0, gt=0)
    """Rate at which a folder of pictures is played: sets the time of each."""
    open_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that a network address may take to answer, and as long again to send the first data. Raise for cameras
    that wake up slowly."""
    read_timeout_s: float = Field(default=5.0, gt=0)
    """Seconds without data after which a network stream counts as lost. Raise for links with long gaps; costs time
    until a loss is seen."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How video travels in an RTSP session. `udp` does not hold up later frames where packets are lost, but damages
    pictures; few networks need it."""
    verify_tls: bool = True
    """Whether the certificate of an rtsps, https or rtmps sender is checked. Turn off for a camera that made its own;
    better name that in `ca_file`: without a check anybody may answer in its place."""
    ca_file: str | None = None
    """File (PEM) with the certificates that are trusted; None: those of this machine."""


class DecodeVideo(Source[Config]):
    """Decode one stream into frames in the order of presentation.

    Times of files are their own, counted from their start; variable rates are kept. A frame without a time gets the one
    after the last by the stream's rate. Interlaced video is not deinterlaced.

    Live are cameras of this machine, streaming addresses (rtsp, rtsps, rtmp and the like), and http addresses whose
    path does not end like that of a video file: MPEG-TS, MJPEG, HLS (also a list that has an end). Their frames come
    with the sender's times, and its wall clock where it reports one. No step waits longer than `read_timeout_s`, which
    is what ends a silent connection; only the driver of a camera of this machine knows no deadline.

    State: container and decoder, while `frames()` runs.
    Empty: a stream without a frame is an error.
    """

    @classmethod
    def is_live(cls, url: str) -> bool:
        return is_live(url)

    def frames(self) -> Iterator[SourceItem]:
        url = self.stream.config.url
        try:
            if is_live(url):
                yield from self._read_live(url)
            else:
                pictures = [] if is_url(url) else picture_files(url)
                yield from self._read_pictures(pictures) if pictures else self._read_video(url)
        except SourceError as error:
            raise SourceError(f"stream {self.stream.id!r}: {error}", error.reason) from error

    def process(self) -> FrameBatch:
        raise NotImplementedError("a source is read through frames()")

    def _read_pictures(self, files: list[Path]) -> Iterator[SourceItem]:
        step_ns = 1e9 / self.config.pictures_fps
        self.duration_ns = round(len(files) * step_ns)
        timeline = Timeline(round(step_ns), self.stream.config.max_fps)
        folder, damaged, seen = str(files[0].parent), 0, False
        for index, path in enumerate(files):
            pts_ns, verdict = timeline.admit(round(index * step_ns))
            if verdict == "rate_limit":
                yield Dropped(verdict)
                continue
            picture = read_picture(path)
            damaged += picture is None
            seen = seen or picture is not None
            yield Dropped("corrupt") if picture is None else Frame(picture, pts_ns)
        if not seen:
            raise SourceError(f"{folder}: expected pictures, got {damaged} damaged files; copy them again")
        self._tell_of(damaged, folder)

    def _read_live(self, url: str) -> Iterator[SourceItem]:
        maker, hwaccel = self._decoder()
        with open_sender(url, self._link(hwaccel)) as container:
            video = self._video(container, url)
            yield from LiveVideo(container, video, url, self.gate, self.config.read_timeout_s, maker).items()

    def _link(self, hwaccel: HWAccel | None) -> Link:
        config = self.config
        trust = Trust(config.verify_tls, config.ca_file)
        return Link(config.open_timeout_s, config.read_timeout_s, config.transport, trust, hwaccel)

    def _decoder(self) -> tuple[PictureMaker, HWAccel | None]:
        """Return what makes pictures, and what opens containers such that the device decodes where it can."""
        decoding = self.context.device.decoding() if self.config.decoder == "auto" else None
        if decoding is None:
            return PictureMaker(), None
        maker = HardwarePictures(decoding, self.stream.id)
        return maker, maker.hwaccel()

    def _video(self, container: InputContainer, url: str) -> VideoStream:
        video = video_stream(container, url)
        video.codec_context.thread_count, video.thread_type = self.config.threads, "AUTO"
        return video

    def _read_video(self, url: str) -> Iterator[SourceItem]:
        maker, hwaccel = self._decoder()
        with open_sender(url, self._link(hwaccel)) if is_url(url) else open_file(url, hwaccel) as container:
            video = self._video(container, url)
            self.duration_ns = _duration_ns(container, video)
            rate = float(video.average_rate or video.guessed_rate or DEFAULT_FPS)
            timeline = Timeline(round(1e9 / rate), self.stream.config.max_fps)
            lost, seen = 0, False
            for item in self._decoded(container, video, url):
                if not isinstance(item, VideoFrame):
                    lost += item.count if item else 0
                    yield item
                    continue
                seen = True
                pts_ns, verdict = timeline.admit(_pts_ns(item, video))
                if verdict in ("time_backwards", "rate_limit"):
                    yield Dropped(verdict)
                    continue
                if verdict == "jump":
                    yield Discontinuity()
                yield Frame(maker.picture(item), pts_ns)
            if not seen:
                raise SourceError(
                    f"{redact(url)}: expected frames, got none that can be decoded ({lost} damaged); copy or record it "
                    "again"
                )
            self._tell_of(lost, redact(url))

    def _decoded(
        self, container: InputContainer, video: VideoStream, url: str
    ) -> Iterator[VideoFrame | Dropped | None]:
        """Yield frames in order of presentation, what was lost, and None for each packet that completes no frame."""
        packets = container.demux(video)
        last_packet_lost = False
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                frames = packet.decode()
            except InvalidDataError:
                last_packet_lost = True
                yield Dropped("corrupt")
                continue
            except (FFmpegError, OSError) as error:
                raise SourceError(
                    f"{redact(url)}: expected to read on, got: {said(error)}; copy or convert the file"
                ) from None
            if packet.size:  # the one that flushes the decoder has none
                last_packet_lost = False
            for frame in frames:
                yield Dropped("corrupt") if frame.is_corrupt else frame
            if not frames:
                yield None
        if not is_url(url) and (missing := missing_packets(video, Path(url)) - last_packet_lost) > 0:
            yield Dropped("corrupt", missing)

    def _tell_of(self, lost: int, url: str) -> None:
        if lost:
            logger.warning("stream=%s %s: damaged or missing frames: %d; the rest was read", self.stream.id, url, lost)


def _pts_ns(frame: VideoFrame, video: VideoStream) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    ticks = frame.pts - (video.start_time or 0)
    return round(ticks * frame.time_base * 1_000_000_000)


def _duration_ns(container: InputContainer, video: VideoStream) -> int | None:
    if video.duration is not None and video.time_base is not None:
        return round(video.duration * video.time_base * 1_000_000_000)
    return None if container.duration is None else container.duration * 1000  # FFmpeg counts it in microseconds
