"""What the address of a stream tells without opening it: whether it is live, and how it may be shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "***"
LIVE_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtmpt", "rtmpts", "rtp", "srt", "tcp", "udp"})
FILE_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv",
)  # fmt: skip
"""How the names of video files end."""

# Everything to the last @ counts as credentials, so that a password with / or @ in it is hidden, too.
_CREDENTIALS = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^\s:/@]*:)?(?P<rest>[^\s'\"]*)@")
_SECRETS = re.compile(r"(?i)(?P<name>[?&][^=&\s]*(?:pass|pwd|token|secret|auth|key|sig)[^=&\s]*=)[^&\s'\"]+")


def redact(text: str) -> str:
    """Return `text` with the passwords and tokens of all URLs in it replaced by `***`."""
    hidden = _CREDENTIALS.sub(lambda found: f"{found['scheme']}{found['user'] or ''}{HIDDEN}@", text)
    return _SECRETS.sub(lambda found: found["name"] + HIDDEN, hidden)


def redacted(value: Any) -> Any:
    """Return plain data with the passwords and tokens of all URLs in it replaced by `***`."""
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def is_url(url: str) -> bool:
    """Tell whether `url` has a scheme, as opposed to a path or a camera index."""
    return "://" in url


def is_camera(url: str) -> bool:
    """Tell whether `url` names a camera of this machine: an index such as `0`, or `/dev/video0`."""
    return url.isdecimal() or url.startswith("/dev/video")


def is_live(url: str) -> bool:
    """Tell whether `url` names something that does not wait for its reader.

    Cameras and streaming schemes are live; an http(s) URL is unless its path ends like a video file.
    """
    if is_camera(url):
        return True
    if not is_url(url):
        return False
    parts = urlsplit(url)
    if parts.scheme.lower() in LIVE_SCHEMES:
        return True
    return parts.scheme.lower() in {"http", "https"} and not parts.path.lower().endswith(FILE_SUFFIXES)
