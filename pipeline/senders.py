"""Open what sends by itself, cameras and network addresses, with deadlines and with limits on where they may lead."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pipeline.containers import FILE_FORMATS, any_titles
from pipeline.errors import SourceError
from pipeline.losses import cannot_open
from pipeline.secure import Trust, is_secure
from pipeline.urls import is_camera, redact

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer

_FORMATS = f"{FILE_FORMATS},rtsp,sdp,rtp,hls,dash,live_flv,srt,webvtt"
# No `file`: what comes over the network must not name what lies on the disk.
_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,rtmpts,srt,crypto,data"


@dataclass(frozen=True)
class Link:
    """How to reach a sender."""

    open_timeout_s: float = 10.0
    """Seconds that it may take to answer, and again to send the first data."""
    read_timeout_s: float = 5.0
    """Seconds that one read may take."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTP travels to us in an RTSP session."""
    trust: Trust = field(default_factory=Trust)
    hwaccel: HWAccel | None = None
    """Of PyAV, what decodes the video; None: the CPU."""


def open_sender(url: str, link: Link) -> InputContainer:
    """Open a camera of this machine or a network address for reading.

    FFmpeg waits for no more than a frame or two before it tells what there is, so the first frame comes soon; none of
    them is lost.

    Args:
        url: a camera index, a device, or an address; passwords in it never reach a message.
        link: how to reach it; deadlines do not hold for cameras of this machine, whose driver we wait for.

    Raises:
        SourceError: there is nothing there, or it is no video; its reason tells which, the message names the cure.
    """
    if is_camera(url):
        return _open(url, _device(url), {}, link, kind="v4l2")
    options = {
        "protocol_whitelist": _PROTOCOLS,
        "format_whitelist": _FORMATS,
        # 0 would stand for FFmpeg's own five seconds.
        "analyzeduration": "1",
        "probesize": "1000000",
        "fpsprobesize": "0",
        **link.trust.options(url),
    }
    if urlsplit(url).scheme.lower() in ("rtsp", "rtsps"):
        # Sound would only be carried here; and next to it, reports of the sender would shift the times of the video.
        options |= {"rtsp_transport": link.transport, "allowed_media_types": "video"}
    checked = link.trust.verify and is_secure(url)
    if checked and urlsplit(url).path.lower().endswith((".m3u8", ".mpd")):
        raise _unchecked(url)
    container = _open(url, url, options, link)
    if checked and container.format.name in ("hls", "dash"):
        container.close()
        raise _unchecked(url)
    return container


def _open(url: str, where: str, options: dict[str, str], link: Link, kind: str | None = None) -> InputContainer:
    import av

    limits = None if kind else (link.open_timeout_s, link.read_timeout_s)
    began_s = time.monotonic()
    try:
        container: InputContainer = av.open(
            where, format=kind, options=options, timeout=limits, hwaccel=link.hwaccel, **any_titles()
        )
        return container
    except (av.error.FFmpegError, OSError) as error:
        took_s = time.monotonic() - began_s
        # FFmpeg's own error holds the address with its password, and a traceback would show it.
        raise cannot_open(url, error, took_s, link.open_timeout_s, link.trust) from None


def _unchecked(url: str) -> SourceError:
    # Options for certificates reach the first connection only: of the others FFmpeg 8 checks none, and 9 trusts none.
    return SourceError(
        f"{redact(url)}: expected a stream in one connection whose certificate can be checked, got a playlist, whose "
        "parts FFmpeg fetches without; use rtsps, or trust the network with verify_tls: false (PyAV 18 or older)",
        "tls",
    )


def _device(url: str) -> str:
    if not sys.platform.startswith("linux"):
        raise SourceError(
            f"camera {url!r}: expected Linux, whose cameras can be read by index, got {sys.platform!r}; serve the "
            "camera as an rtsp:// or http:// address"
        )
    device = f"/dev/video{url}" if url.isdecimal() else url
    if not Path(device).exists():
        known = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
        raise SourceError(
            f"camera {url!r}: expected the device {device}, got none; cameras here: {', '.join(known) or 'none'}",
            "not_found",
        )
    return device
