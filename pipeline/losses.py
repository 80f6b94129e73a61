"""Why a live stream cannot be opened or read on: one word for whoever counts, one sentence for whoever mends it."""

from __future__ import annotations

import errno
import re
import socket
from urllib.parse import urlsplit

from pipeline.errors import Reason, SourceError
from pipeline.secure import Trust, is_secure
from pipeline.urls import is_url, redact

_BY_ERRNO: dict[int, Reason] = {
    errno.ECONNREFUSED: "refused",
    errno.ENOENT: "not_found",
    errno.ENODEV: "not_found",
    errno.ENXIO: "not_found",
    errno.EACCES: "unauthorised",
    errno.EPERM: "unauthorised",
    errno.EHOSTUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "ended",
    errno.ECONNABORTED: "ended",
    errno.EPIPE: "ended",
}
_OPENING: dict[Reason, tuple[str, str]] = {
    "refused": ("a stream, got: {}", "check that the address is right and the sender runs"),
    "not_found": ("a stream, got: {}", "check the path in the address"),
    "unauthorised": ("to be let in, got {}", "check user and password in the address"),
    "unreachable": ("a way to the sender, got: {}", "check the host in the address and the network"),
    "timeout": ("an answer, got none in time", "check address and network, or raise open_timeout_s"),
    "tls": (
        "a secure connection, got: {}",
        "give the certificate of the authority as ca_file, or trust whoever answers with verify_tls: false",
    ),
    "corrupt": ("a stream, got: {}", "check what is served at the address"),
    "ended": ("a stream, got: {}", "check that the sender works and takes one more reader"),
}
_LISTENS = "check that it still runs and the network holds"


def said(error: Exception) -> str:
    """Return what FFmpeg says without the address, which may hold a password."""
    from av.error import ExitError

    if isinstance(error, ExitError):
        return "no data in time"
    text = getattr(error, "strerror", None) or re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    return redact(text)


def cannot_open(url: str, error: Exception, took_s: float, limit_s: float, trust: Trust) -> SourceError:
    """Return the error for an address or a camera of this machine that could not be opened.

    FFmpeg says the same of a host without an address, of a certificate that it does not trust, and of much else. Where
    it is vague the host is looked up, and shaken hands with, once more.

    Args:
        url: of the stream.
        error: what FFmpeg raised.
        took_s: seconds that it tried; an error after the limit is one because of it.
        limit_s: seconds that it was allowed.
        trust: who may answer.
    """
    reason, text = _reason(error), said(error)
    if took_s >= limit_s and is_url(url):
        reason = "timeout"
    elif reason in ("failed", "ended", "corrupt") and is_url(url):
        found = _looked_up(url, limit_s - took_s, trust)
        if found:
            reason, text = found
        elif reason == "corrupt" and urlsplit(url).scheme.lower().startswith("rtsp"):
            # A sender that hangs up and one that talks nonsense look the same.
            reason, text = "failed", "no answer that makes sense"
    expected, cure = _OPENING.get(reason, _OPENING["refused"])
    return SourceError(f"{redact(url)}: expected {expected.format(text)}; {cure}", reason)


def cannot_read(url: str, error: Exception) -> SourceError:
    """Return the error for a live stream that broke while it was read."""
    reason = _reason(error)
    return SourceError(f"{redact(url)}: expected to read on, got: {said(error)}; {_LISTENS}", reason)


def silent(url: str) -> SourceError:
    """Return the error for a live stream from which nothing came within the limit."""
    return SourceError(f"{redact(url)}: expected to read on, got: no data in time; {_LISTENS}", "timeout")


def hung_up(url: str) -> SourceError:
    """Return the error for a live stream that came to an end."""
    return SourceError(
        f"{redact(url)}: expected frames without end, got the end: the sender is gone; {_LISTENS}", "ended"
    )


def _reason(error: Exception) -> Reason:
    from av import error as av

    if isinstance(error, av.ExitError | TimeoutError):
        return "timeout"
    if isinstance(error, av.HTTPUnauthorizedError | av.HTTPForbiddenError):
        return "unauthorised"
    if isinstance(error, av.HTTPNotFoundError):
        return "not_found"
    if isinstance(error, EOFError):
        return "ended"
    if isinstance(error, av.InvalidDataError):
        return "corrupt"
    if isinstance(error, av.DecoderNotFoundError):
        return "codec"
    return _BY_ERRNO.get(getattr(error, "errno", None) or 0, "failed")


def _looked_up(url: str, limit_s: float, trust: Trust) -> tuple[Reason, str] | None:
    """Return what is wrong with the host of an address or with its certificate; None when nothing is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        return "failed", str(error)
    if not host:
        return None
    try:
        socket.getaddrinfo(host, port)
    except (OSError, UnicodeError):
        return "unreachable", f"no address for the host {host!r}"
    fault = trust.fault(url, limit_s) if is_secure(url) else None
    return None if fault is None else ("tls", fault)
