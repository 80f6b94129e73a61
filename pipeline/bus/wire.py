"""What travels between a publisher and its subscribers: frames and their meaning, in full in docs/zeromq.md.

A published message is three frames: topic, `Headers` in JSON, data. A heartbeat is two: `HEARTBEAT_TOPIC`, `Heartbeat`
in JSON. A request is one frame, an `Ask` in JSON; the reply is a `Reply` in JSON and then three frames a message.
What came over a socket is not trusted: sizes, types and ranges are checked here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pipeline.errors import PipelineError

HEARTBEAT_TOPIC = b"log/"
HEARTBEAT_S = 1.0
"""Longest time between two heartbeats of a publisher that is there."""
LEVELS = 3
"""Segments of a topic that can be subscribed to without missing a gap."""
MOST_MESSAGES = 1000
"""Messages that one reply to `events` may hold."""
MOST_HELD = 10_000
"""Messages that one reply to `snapshot` may hold."""
REQUEST_BYTES = 64 * 1024
TOPIC_BYTES = 512
HEADERS_BYTES = 16 * 1024
DATA_BYTES = 4 * 1024 * 1024
REPLY_BYTES = 4 * 1024 * 1024
"""Bytes of messages after which a reply to `events` ends, at the earliest after its first message."""

TOPIC = re.compile(r"(?:[^/\0]+/){1,8}")
TCP = re.compile(r"tcp://(?P<host>\*|\[[0-9A-Fa-f:.%\w]+\]|[\w.-]+):(?P<port>\d{1,5})")
IPC = re.compile(r"ipc://\S[^\0]*")

Position = Annotated[int, Meta(ge=1)]
Prefix = Annotated[str, Meta(max_length=TOPIC_BYTES)]
LogId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class WireError(PipelineError):
    """What came over a socket is not what docs/zeromq.md promises."""


class Headers(Struct, frozen=True, gc=False):
    """What is said of a message beside its data."""

    log: LogId | None
    """Of the durable log it stands in; None where it is not, or not yet, in one."""
    position: Position | None
    """1, 2, 3, … in the log without gaps; None with `log`."""
    previous: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]
    """Position of the message before this one whose topic begins with the same 1, 2, 3 segments; 0 for none."""
    recordedtime: Annotated[str, Meta(max_length=40)]
    """RFC 3339: when it was put in the log, or sent where there is none. Never runs backwards within a log."""
    contenttype: Annotated[str, Meta(max_length=100)]
    id: Annotated[str, Meta(min_length=1, max_length=4096)]
    """Of the event. The same event always has the same one."""


class Heartbeat(Struct, frozen=True):
    """Sent every `HEARTBEAT_S`, to a new subscription at once, and after the last message of a run."""

    log: LogId | None
    position: Annotated[int, Meta(ge=0)] | None
    """Of the last message; a subscriber that has checked less asks for what is between. None with `log`."""
    requests: Annotated[str, Meta(max_length=1024)]
    """Where requests are answered, as the publisher sees it; see `reachable()`."""
    ended: bool
    """The run is over: nothing more comes until another one begins."""


class AskEvents(Struct, frozen=True, tag_field="ask", tag="events", forbid_unknown_fields=True):
    """Messages after a position, oldest first."""

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    prefix: Prefix = ""
    """Of topics; "" for all."""
    most: Annotated[int, Meta(ge=1, le=MOST_MESSAGES)] = MOST_MESSAGES
    tag: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Comes back in the reply, so that a late reply is not taken for another one."""


class AskSnapshot(Struct, frozen=True, tag_field="ask", tag="snapshot", forbid_unknown_fields=True):
    """The last message of each key that is held, oldest first."""

    prefix: Prefix = ""
    tag: Annotated[int, Meta(ge=0, le=2**53)] = 0


class AskFind(Struct, frozen=True, tag_field="ask", tag="find", forbid_unknown_fields=True):
    """Position of the message with an id."""

    id: Annotated[str, Meta(min_length=1, max_length=4096)]
    tag: Annotated[int, Meta(ge=0, le=2**53)] = 0


class AskSince(Struct, frozen=True, tag_field="ask", tag="since", forbid_unknown_fields=True):
    """Position of the first message recorded at a time or after it."""

    time: Annotated[str, Meta(max_length=40)]
    """RFC 3339 with a time zone."""
    tag: Annotated[int, Meta(ge=0, le=2**53)] = 0


Ask = AskEvents | AskSnapshot | AskFind | AskSince


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first frame of a reply."""

    log: LogId | None
    """None where nothing is kept, or the log cannot be used at the moment."""
    first: Annotated[int, Meta(ge=0)]
    """Oldest position kept; `last` + 1 where none is. What lies before it is gone."""
    last: Annotated[int, Meta(ge=0)]
    """Newest position; 0 where there is none."""
    upto: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    """To `events` and `snapshot`: the reply is complete up to here for its prefix. Less than `last`: ask again."""
    position: Position | UnsetType | None = UNSET
    """To `find` and `since`; None where there is none."""
    error: str | UnsetType = UNSET
    """Where: expected, got; what to do. Nothing else in the reply counts then."""
    tag: int = 0


class Delivered(NamedTuple):
    """One message as a subscriber gets it."""

    topic: str
    headers: Headers
    data: bytes


_EPOCH = datetime(1970, 1, 1)
_CURE = "see docs/zeromq.md, and update the older of the two programs"
_encode = msgspec.json.Encoder().encode
_headers = msgspec.json.Decoder(Headers)
_heartbeat = msgspec.json.Decoder(Heartbeat)
_ask = msgspec.json.Decoder(Ask)
_reply = msgspec.json.Decoder(Reply)


def encode(content: Headers | Heartbeat | Ask | Reply) -> bytes:
    """Return the JSON of one frame."""
    return _encode(content)


def decode_message(frames: Sequence[bytes]) -> Delivered | Heartbeat:
    """Read what came from a PUB socket.

    Raises:
        WireError: it is neither a message nor a heartbeat.
    """
    if len(frames) == 2 and frames[0] == HEARTBEAT_TOPIC:
        heartbeat: Heartbeat = _decoded("heartbeat", _heartbeat, frames[1], HEADERS_BYTES)
        return heartbeat
    if len(frames) != 3:
        raise WireError(f"message: expected 3 frames (topic, headers, data), got {len(frames)}; {_CURE}")
    return _delivered(frames)


def decode_ask(frames: Sequence[bytes]) -> Ask:
    """Read a request.

    Raises:
        WireError: it asks for nothing that can be answered.
    """
    if len(frames) != 1:
        raise WireError(f"request: expected 1 frame of JSON, got {len(frames)} frames; {_CURE}")
    ask: Ask = _decoded("request", _ask, frames[0], REQUEST_BYTES)
    return ask


def decode_reply(frames: Sequence[bytes]) -> tuple[Reply, list[Delivered]]:
    """Read a reply and the messages in it.

    Raises:
        WireError: it is not a reply.
    """
    if len(frames) % 3 != 1 or len(frames) > 1 + 3 * MOST_HELD:
        raise WireError(f"reply: expected 1 frame and 3 for each message, got {len(frames)} frames; {_CURE}")
    reply = _decoded("reply", _reply, frames[0], HEADERS_BYTES)
    return reply, [_delivered(frames[at : at + 3]) for at in range(1, len(frames), 3)]


@lru_cache(10_000)
@lru_cache(maxsize=4096)  # asked for each message, of few topics at a time
def prefixes(topic: str) -> tuple[str, ...]:
    """Return the topic's beginnings of 1, 2, … segments: `look/`, `look/shop/`, `look/shop/3/`."""
    parts = topic.split("/")[:-1][:LEVELS]
    return tuple("/".join(parts[: count + 1]) + "/" for count in range(len(parts)))


def rfc3339(epoch_ns: int) -> str:
    """Return nanoseconds since 1970 as UTC with six decimals; what is finer is cut off."""
    return (_EPOCH + timedelta(microseconds=epoch_ns // 1000)).isoformat(timespec="microseconds") + "Z"


def epoch_ns(time: str) -> int:
    """Return a time of RFC 3339, which has a time zone, in nanoseconds since 1970.

    Raises:
        WireError: it is no such time.
    """
    try:
        moment = datetime.fromisoformat(time)
        return (moment - _EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    except (ValueError, TypeError, OverflowError) as error:
        raise WireError(
            f"time: expected a time with a zone such as 2026-05-04T09:30:00Z, got {time!r}; write it like that"
        ) from error


def check_endpoint(endpoint: str) -> str:
    """Return an endpoint that can be bound or connected to.

    Raises:
        ValueError: it is of no kind that is understood.
    """
    tcp = TCP.fullmatch(endpoint)
    if not (tcp and 0 < int(tcp["port"]) < 65536) and not IPC.fullmatch(endpoint):
        raise ValueError(
            f"expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH, got {endpoint!r}; "
            "for example tcp://127.0.0.1:5570"
        )
    return endpoint


def default_requests(endpoint: str) -> str:
    """Return where requests about what an endpoint publishes are answered unless told otherwise: one port up."""
    tcp = TCP.fullmatch(endpoint)
    if not tcp:
        return f"{endpoint}-requests"
    return f"tcp://{tcp['host']}:{int(tcp['port']) % 65535 + 1}"


def reachable(endpoint: str, told: str) -> str:
    """Return where a subscriber of `endpoint` sends requests when a heartbeat told the publisher's own address.

    A publisher does not know by which name it is reached, so of a TCP address only the port is taken.
    """
    own, theirs = TCP.fullmatch(endpoint), TCP.fullmatch(told)
    if own and theirs:
        return f"tcp://{own['host']}:{theirs['port']}"
    return told if IPC.fullmatch(told) and IPC.fullmatch(endpoint) else default_requests(endpoint)


def _delivered(frames: Sequence[bytes]) -> Delivered:
    topic, headers, data = frames
    text = topic.decode("utf-8", "replace") if len(topic) <= TOPIC_BYTES else ""
    if not TOPIC.fullmatch(text):
        raise WireError(f"topic: expected segments that each end with '/', got {_short(topic)}; {_CURE}")
    if len(data) > DATA_BYTES:
        raise WireError(f"message {text!r}: expected at most {DATA_BYTES} bytes of data, got {len(data)}; {_CURE}")
    return Delivered(text, _decoded("headers", _headers, headers, HEADERS_BYTES), bytes(data))


def _decoded(what: str, decoder: msgspec.json.Decoder[Any], frame: bytes, most: int) -> Any:
    if len(frame) > most:
        raise WireError(f"{what}: expected at most {most} bytes, got {len(frame)}; {_CURE}")
    try:
        return decoder.decode(frame)
    except (msgspec.DecodeError, RecursionError) as error:  # its text holds expected and got
        raise WireError(f"{what}: {error} in {_short(frame)}; {_CURE}") from error


def _short(frame: bytes) -> str:
    return repr(frame if len(frame) <= 80 else frame[:80] + b"...")
