"""Open video files that a stranger made, with limits on what they may make us do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import SourceError
from pipeline.losses import said
from pipeline.urls import redact

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_PIXELS = 2**26
"""A header may claim any size, and memory is taken before a pixel is read; twice an 8K frame passes."""

# Playlists and lists of files are left out: they name other files and addresses. So is text, which FFmpeg would draw as
# a picture.
FILE_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,obu,vvc,m4v,ivf,flv,asf,ogg,mjpeg,gif,apng,dv,mxf,nut,"
    "yuv4mpegpipe,vc1,swf,rm,wtv,mpjpeg"
)
"""What a file may be, by FFmpeg's names."""


def open_file(url: str, hwaccel: HWAccel | None = None) -> InputContainer:
    """Open a video file for reading.

    Args:
        url: its path.
        hwaccel: of PyAV, what decodes it; None: the CPU.

    Raises:
        SourceError: there is nothing there, or it is no video; names the cure.
    """
    _check_file(Path(url))
    options = {"protocol_whitelist": "file,crypto,data", "format_whitelist": FILE_FORMATS}
    try:
        return _open(url, options, hwaccel)
    except SourceError:
        # A fragmented file that a crash cut within a fragment's header opens only without a look at its end.
        return _open(url, {**options, "fflags": "ignidx"}, hwaccel)


def any_titles() -> dict[str, Any]:
    """Return what has PyAV accept titles that are no UTF-8; from version 19 on it does so by itself."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


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
            "has moving pictures",
            "codec",
        )
    assert isinstance(video, av.VideoStream)
    if video.codec_context is None:
        raise SourceError(
            f"{redact(url)}: expected a video codec that FFmpeg {av.ffmpeg_version_info} decodes, got another; convert "
            "the file to H.264",
            "codec",
        )
    video.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return video


def _open(url: str, options: dict[str, str], hwaccel: HWAccel | None) -> InputContainer:
    import av

    try:
        container: InputContainer = av.open(url, options=options, hwaccel=hwaccel, **any_titles())
        return container
    except PermissionError as error:
        raise SourceError(
            f"{url}: expected a video file, got no right to read it; change its rights", "unauthorised"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(
            f"{url}: expected a video file, got one that FFmpeg cannot open ({said(error)}); if it should be a "
            "video, it is cut off or damaged: copy or record it again",
            "corrupt",
        ) from error


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"{path}: expected a video file, got nothing there; check the path", "not_found")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or pipe"
        raise SourceError(f"{path}: expected a video file, got {kind}; give a file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: expected a video file, got an empty file; copy or record it again")
