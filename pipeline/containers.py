"""Open video files and network streams that a stranger made, with limits on what they may make us do."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SourceError
from pipeline.urls import is_camera, is_url, redact

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_PIXELS = 2**26
"""A header may claim any size, and memory is taken before a pixel is read; twice an 8K frame passes."""

# What a file may be. Playlists and lists of files are left out: they name other files and addresses. So is text,
# which FFmpeg would draw as a picture.
_FILES = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,obu,vvc,m4v,ivf,flv,asf,ogg,mjpeg,gif,apng,dv,mxf,nut,"
    "yuv4mpegpipe,vc1,swf,rm,wtv,mpjpeg"
)
_STREAMS = f"{_FILES},rtsp,sdp,rtp,hls,dash,live_flv,srt,webvtt"
# No `file`: what comes over the network must not name what lies on the disk.
_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,srt,crypto,data"


def open_container(url: str, open_timeout_s: float, read_timeout_s: float) -> InputContainer:
    """Open a file, a camera of this machine or a network address for reading.

    Args:
        url: a path, a camera index, or an address; passwords in it never reach a message.
        open_timeout_s: how long an address may take to answer.
        read_timeout_s: how long one read from the network may take before it fails.

    Raises:
        SourceError: there is nothing there, or it is no video; names the cure.
    """
    if is_camera(url):
        return _open(url, _camera(url), {}, kind="v4l2")
    if is_url(url):
        # Small probes: a camera that already sends should not be listened to for seconds before its first frame.
        options = {
            "protocol_whitelist": _PROTOCOLS,
            "format_whitelist": _STREAMS,
            "rtsp_transport": "tcp",
            "analyzeduration": "500000",
            "probesize": "1000000",
        }
        # A stalled read takes the limit twice: the parser first hands out its last packet.
        return _open(url, url, options, limits=(open_timeout_s, read_timeout_s / 2))
    _check_file(Path(url))
    options = {"protocol_whitelist": "file,crypto,data", "format_whitelist": _FILES}
    try:
        return _open(url, url, options)
    except SourceError:
        # A fragmented file that a crash cut within a fragment's header opens only without a look at its end.
        return _open(url, url, {**options, "fflags": "ignidx"})


def video_stream(container: InputContainer, url: str) -> VideoStream:
    """Return the stream of a container that holds its pictures.

    Raises:
        SourceError: there is none, or nobody can decode it; says what there is instead.
    """
    import av

    video = container.streams.best("video")
    if video is None or video.disposition & av.stream.Disposition.attached_pic:
        found = [f"{s.type} ({s.codec_context.name})" if s.codec_context else str(s.type) for s in container.streams]
        raise SourceError(
            f"{redact(url)}: expected a video, got a file with {', '.join(found) or 'nothing in it'}; give a file that "
            "has moving pictures"
        )
    assert isinstance(video, av.VideoStream)
    if video.codec_context is None:
        raise SourceError(
            f"{redact(url)}: expected a video codec that FFmpeg {av.ffmpeg_version_info} decodes, got another; convert "
            "the file to H.264"
        )
    video.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return video


def reason(error: Exception) -> str:
    """Return what FFmpeg says without the address, which may hold a password."""
    from av.error import ExitError

    if isinstance(error, ExitError):
        return "no data in time"
    text = getattr(error, "strerror", None) or re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    return redact(text)


def _open(
    url: str,
    where: str,
    options: dict[str, str],
    kind: str | None = None,
    limits: tuple[float, float] | None = None,
) -> InputContainer:
    import av

    try:
        return av.open(where, format=kind, options=options, timeout=limits, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(_cannot_open(url, error)) from error


def _camera(url: str) -> str:
    if not sys.platform.startswith("linux"):
        raise SourceError(
            f"camera {url!r}: expected Linux, whose cameras can be read by index, got {sys.platform!r}; serve the "
            "camera as an rtsp:// or http:// address"
        )
    device = f"/dev/video{url}" if url.isdecimal() else url
    if not Path(device).exists():
        known = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
        raise SourceError(
            f"camera {url!r}: expected the device {device}, got none; cameras here: {', '.join(known) or 'none'}"
        )
    return device


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"{path}: expected a video file, got nothing there; check the path")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or pipe"
        raise SourceError(f"{path}: expected a video file, got {kind}; give a file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: expected a video file, got an empty file; copy or record it again")


def _cannot_open(url: str, error: Exception) -> str:
    import av

    shown = redact(url)
    if not is_url(url) and not is_camera(url):
        if isinstance(error, PermissionError):
            return f"{shown}: expected a video file, got no right to read it; change its rights"
        return (
            f"{shown}: expected a video file, got one that FFmpeg cannot open ({reason(error)}); if it should be a "
            "video, it is cut off or damaged: copy or record it again"
        )
    if isinstance(error, (av.error.ExitError, TimeoutError)):
        return f"{shown}: expected an answer, got none in time; check address and network, or raise open_timeout_s"
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return f"{shown}: expected to be let in, got {reason(error)}; check user and password in the address"
    return f"{shown}: expected a stream, got: {reason(error)}; check that the address is right and the sender runs"
