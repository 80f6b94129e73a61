"""Events for people and for files: one line each."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from pipeline.bus.wire import Delivered, WireError

LOOKS = ("started", "updated", "ended", "retracted")
REPORTS = ("window",)
KINDS = (*LOOKS, *REPORTS)
"""What the types of events end in."""


class Head(Struct, frozen=True):
    """What all events have."""

    id: str
    type: str
    time: str


class _Look(Struct, frozen=True):
    stream: str
    track: int
    target: str
    dwell_s: float
    reason: str = ""


class _Report(Struct, frozen=True):
    stream: str
    start_s: float
    end_s: float
    revision: int
    figures: list[msgspec.Raw]


class _LookEvent(Struct, frozen=True):
    data: _Look


class _ReportEvent(Struct, frozen=True):
    data: _Report


def json_of(message: Delivered) -> bytes:
    """Return the event of a message in JSON without a line break: the bytes it has in the log of its stream.

    Raises:
        WireError: it holds something else.
    """
    try:
        if message.headers.contenttype.endswith("+msgpack"):
            return msgspec.json.encode(msgspec.msgpack.decode(message.data))
        if b"\n" in message.data:
            return msgspec.json.encode(msgspec.json.decode(message.data))
    except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as error:
        raise _no_event(message, error) from error
    return message.data


def kind_of(message: Delivered, event: bytes) -> str:
    """Return the last word of the type of a message's event, which is given in JSON: `started`.

    Raises:
        WireError: it is no event.
    """
    try:
        return _kind(msgspec.json.decode(event, type=Head))
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_event(message, error) from error


def line_of(event: bytes) -> str:
    """Return what an event in JSON says, for people; nothing in it can move the cursor of a terminal."""
    head = msgspec.json.decode(event, type=Head)
    when, kind = head.time[:23].replace("T", " "), _kind(head)
    try:
        if kind in REPORTS:
            report = msgspec.json.decode(event, type=_ReportEvent).data
            again = f"  revision {report.revision}" if report.revision else ""
            what = f"{report.stream}  {report.start_s:g} s to {report.end_s:g} s  {len(report.figures)} figures{again}"
        else:
            look = msgspec.json.decode(event, type=_LookEvent).data
            why = f"  {look.reason.replace('_', ' ')}" if look.reason else ""
            what = f"{look.stream}  #{look.track} {kind:<9}  {look.target}  {look.dwell_s:.1f} s{why}"
    except (msgspec.DecodeError, RecursionError):  # of a kind that is newer than this program
        what = f"{head.type}  {head.id}"
    return "".join(letter if letter.isprintable() else "?" for letter in f"{when}  {what}")


def _kind(head: Head) -> str:
    return head.type.rpartition(".")[2]


def _no_event(message: Delivered, error: Exception) -> WireError:
    return WireError(f"message {message.headers.id!r:.200}: expected an event, got: {error}; it is left out")
