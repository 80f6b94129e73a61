"""Why a stream is lost, as one word and one sentence: what no server on this machine can show."""

from __future__ import annotations

import errno
import socket

import av
import pytest

from pipeline.losses import cannot_open, cannot_read, said
from pipeline.secure import Trust


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Let no test ask for names; `known` ones have an address."""

    def look_up(host: str, port: int | None) -> list[object]:
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (av.error.ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (av.error.HTTPNotFoundError(0, "x"), "not_found"),
        (av.error.HTTPForbiddenError(0, "x"), "unauthorised"),
        (av.error.HTTPServerError(0, "x"), "failed"),
        (OSError(errno.EHOSTUNREACH, "x"), "unreachable"),
        (OSError(errno.ENETUNREACH, "x"), "unreachable"),
        (OSError(errno.ECONNRESET, "x"), "ended"),
        (av.error.EOFError(0, "x"), "ended"),
        (av.error.ExitError(0, "x"), "timeout"),
        (av.error.TimeoutError(errno.ETIMEDOUT, "x"), "timeout"),
        (av.error.InvalidDataError(0, "x"), "corrupt"),
        (av.error.DecoderNotFoundError(0, "x"), "codec"),
        (OSError(errno.EIO, "x"), "failed"),
    ],
)
def test_what_ffmpeg_raises_has_a_reason(error, reason):
    assert cannot_open("http://known/x", error, 0.1, 10, Trust()).reason == reason
    assert cannot_read("http://known/x", error).reason == reason


@pytest.mark.parametrize(
    ("url", "error", "message", "reason"),
    [
        (
            "rtsp://me:secret@unknown/x", OSError(errno.EIO, "Input/output error"),
            "rtsp://me:***@unknown/x: expected a way to the sender, got: no address for the host 'unknown'; check the "
            "host in the address and the network", "unreachable",
        ),
        (
            "rtsp://known:99999/x", OSError(errno.EINVAL, "Invalid argument"),
            "rtsp://known:99999/x: expected a stream, got: Port out of range 0-65535; check that the address is right "
            "and the sender runs", "failed",
        ),
        (
            "rtsp://known/x", av.error.InvalidDataError(0, "Invalid data found"),
            "rtsp://known/x: expected a stream, got: no answer that makes sense; check that the address is right and "
            "the sender runs", "failed",
        ),
        (
            "rtsp://known/x", av.error.EOFError(0, "End of file"),
            "rtsp://known/x: expected a stream, got: End of file; check that the sender works and takes one more "
            "reader",
            "ended",
        ),
        (
            "srt://known/x", av.error.ProtocolNotFoundError(0, "Protocol not found"),
            "srt://known/x: expected a stream, got: Protocol not found; check that the address is right and the sender "
            "runs", "failed",
        ),
        (
            "/dev/video0", OSError(errno.EACCES, "Permission denied"),
            "/dev/video0: expected to be let in, got Permission denied; check user and password in the address",
            "unauthorised",
        ),
    ],
)  # fmt: skip
def test_vague_errors_are_looked_into(url, error, message, reason):
    found = cannot_open(url, error, 0.1, 10, Trust())

    assert (str(found), found.reason) == (message, reason)


def test_an_error_after_the_whole_limit_is_one_because_of_it():
    assert cannot_open("rtsp://known/x", av.error.InvalidDataError(0, "x"), 10.0, 10, Trust()).reason == "timeout"


def test_what_ffmpeg_says_holds_no_address_and_no_password():
    assert said(av.error.OSError(5, "Input/output error", "rtsp://me:secret@cam/x")) == "Input/output error"
    assert said(ValueError("rtsp://me:secret@cam/x")) == "rtsp://me:***@cam/x"
