"""Looked-at events as CloudEvents 1.0, the same bytes for files and sockets, in JSON or MessagePack.

Ref: CloudEvents 1.0.2 with its `sequence` extension (CNCF). The JSON Schema of these types is docs/event.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

Form = Literal["json", "msgpack"]
TargetKind = Literal["aoi", "grid", "object", "person"]
EventType = Literal[
    "io.gazegraph.look.started",
    "io.gazegraph.look.updated",
    "io.gazegraph.look.ended",
    "io.gazegraph.look.retracted",
]
TYPES: dict[str, EventType] = {
    "started": "io.gazegraph.look.started",
    "updated": "io.gazegraph.look.updated",
    "ended": "io.gazegraph.look.ended",
    "retracted": "io.gazegraph.look.retracted",
}
OPEN: frozenset[EventType] = frozenset({TYPES["started"], TYPES["updated"]})
"""Types after which a visit still lasts."""
Reason = Literal["", "looked_away", "stream_ended", "discontinuity", "interrupted", "too_short", "identity"]
MEDIA_TYPES: dict[Form, str] = {"json": "application/cloudevents+json", "msgpack": "application/cloudevents+msgpack"}


Origin = tuple[str, Mapping[str, str], str]
"""What made the events of a stream: graph, checksums of models by name, checksum of the configuration."""


class Look(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who looked at what, and for how long. Times are seconds of the stream, exact to the nanosecond."""

    stream: str
    generation: Annotated[int, Meta(ge=0, description="Rises when the stream was interrupted.")]
    track: Annotated[int, Meta(ge=1, description="The person; unique within stream and generation.")]
    target: Annotated[
        str,
        Meta(
            min_length=1,
            description="Name of the area, person:<track>, object:<label>:<number>, or grid:<row>-<column>.",
        ),
    ]
    target_kind: TargetKind
    visit: Annotated[str, Meta(min_length=1, description="The visit that this event is of; all its events name it.")]
    start_s: Annotated[float, Meta(description="First look of the visit.")]
    end_s: Annotated[float, Meta(description="When the last look so far was over.")]
    known_s: Annotated[float, Meta(description="Frame that made the event known; never before end_s.")]
    dwell_s: Annotated[float, Meta(ge=0, description="Time spent looking since start_s, gaps left out.")]
    fixations: Annotated[int, Meta(ge=0, description="Looks without a gap that were long enough to be fixations.")]
    fixation_s: Annotated[float, Meta(ge=0, description="Time spent in fixations.")]
    attention: Annotated[Literal["fixation", "glance"], Meta(description="glance: a visit without fixations so far.")]
    confidence: Annotated[
        float, Meta(ge=0, le=1, description="Mean probability, over the looks, that the target is looked at.")
    ]
    reason: Annotated[Reason, Meta(description="Why it ended or is retracted; left out for other types.")] = ""
    replaces: Annotated[
        list[str],
        Meta(description="Visits, retracted before, in whose place this one is told; left out when there are none."),
    ] = []
    models: Annotated[Mapping[str, str], Meta(description="sha256:<12 digits> of each model's file, by name.")]
    config: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{12}$", description="Changes with any value of graph and stream that decides on events."
        ),
    ]


class LookEvent(msgspec.Struct, frozen=True):
    """One looked-at event in its CloudEvents envelope."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, description="The same whenever the same input is processed the same way.")]
    source: Annotated[str, Meta(pattern=r"^[^/\s]+/[A-Za-z0-9][A-Za-z0-9_-]*$", description="<graph>/<stream>")]
    type: EventType
    subject: Annotated[str, Meta(pattern="^track/[0-9]+$", description="track/<track>")]
    time: Annotated[
        str,
        Meta(
            pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
            description="known_s on the wall clock of the stream: its start_time plus pts, cut to microseconds.",
        ),
    ]
    datacontenttype: Literal["application/json"]
    dataschema: Literal["urn:gazegraph:look:2"]
    """The number rises when a reader of the old `data` would misread the new."""
    sequence: Annotated[
        str,
        Meta(
            pattern=r"^\d{10}\.\d{10}$",
            description="<generation>.<count>: rises as text within a source; the count has no gaps in a generation.",
        ),
    ]
    data: Look


_JSON = msgspec.json.Encoder()
_MSGPACK = msgspec.msgpack.Encoder()
_FROM_JSON = msgspec.json.Decoder(LookEvent)
_FROM_MSGPACK = msgspec.msgpack.Decoder(LookEvent)


def events(looks: Any, origins: Mapping[str, Origin], rows: Iterable[int] | None = None) -> list[LookEvent]:
    """Return rows of a table with the columns of `nodes.types.Visits` as events.

    Args:
        looks: the table.
        origins: what made the events, by stream id.
        rows: which rows; None for all.
    """
    columns = zip(
        looks.id,
        looks.visit,
        looks.kind,
        looks.reason,
        looks.replaces,
        looks.stream_id,
        looks.generation.tolist(),
        looks.track_id.tolist(),
        looks.target,
        looks.sequence.tolist(),
        looks.start_ns.tolist(),
        looks.end_ns.tolist(),
        looks.known_ns.tolist(),
        looks.dwell_ns.tolist(),
        looks.fixations.tolist(),
        looks.fixation_ns.tolist(),
        looks.score.tolist(),
        looks.start_time_ns.tolist(),
        strict=True,
    )
    if rows is None:
        return [_event(origins, *row) for row in columns]
    table = list(columns)
    return [_event(origins, *table[row]) for row in rows]


def encode(event: LookEvent, form: Form = "json") -> bytes:
    """Return an event as bytes; JSON has no line break and its keys in a fixed order."""
    return (_JSON if form == "json" else _MSGPACK).encode(event)


def encode_rows(
    looks: Any, origins: Mapping[str, Origin], rows: Iterable[int] | None = None, form: Form = "json"
) -> list[bytes]:
    """Return rows of a table of visits as encoded events; arguments as for `events` and `encode`."""
    encode = _JSON.encode if form == "json" else _MSGPACK.encode
    return [encode(event) for event in events(looks, origins, rows)]


def decode(event: bytes) -> LookEvent:
    """Read an event back, in either form.

    Raises:
        msgspec.DecodeError: it is no event; the message names the place.
    """
    return (_FROM_JSON if event[:1] == b"{" else _FROM_MSGPACK).decode(event)


def interrupted(last_event: bytes, sequence: int) -> bytes:
    """Return the end of a visit that nobody ended, because the run was killed: it lasted as long as it was last told.

    Args:
        last_event: the last event of the visit, which has not ended, in either form; the answer has the same.
        sequence: the next number of the visit's generation.

    Raises:
        msgspec.DecodeError: it is no event.
    """
    last = decode(last_event)
    ended = msgspec.structs.replace(
        last,
        id=f"{last.data.visit}/ended",
        type=TYPES["ended"],
        sequence=sequence_text(last.data.generation, sequence),
        data=msgspec.structs.replace(last.data, reason="interrupted"),
    )
    return (_JSON if last_event[:1] == b"{" else _MSGPACK).encode(ended)


@lru_cache(1024)
def source(graph: str, stream: str) -> str:
    """Return the source of a stream's events."""
    return f"{quote(graph, safe='')}/{stream}"


def sequence_text(generation: int, count: int) -> str:
    """Return a place in a source's order as text that sorts like it."""
    return f"{generation:010d}.{count:010d}"


def sequence_numbers(text: str) -> tuple[int, int]:
    """Return generation and count of a sequence."""
    generation, _, count = text.partition(".")
    return int(generation), int(count)


def target_kind(target: str) -> TargetKind:
    """Tell what a target is; names of areas hold no colon."""
    head, colon, _ = target.partition(":")
    if not colon:
        return "aoi"
    return "person" if head == "person" else "object" if head == "object" else "grid"


def rfc3339(epoch_ns: int) -> str:
    """Return nanoseconds since 1970 as UTC with six decimals; what is finer is cut off."""
    seconds, rest_ns = divmod(epoch_ns, 10**9)
    return f"{_second(seconds)}.{rest_ns // 1000:06d}Z"


def schema_text() -> str:
    """Return the JSON Schema of an event as it stands in docs/event.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(LookEvent)}
    return json.dumps(schema, indent=2) + "\n"


@lru_cache(64)
def _second(seconds: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()


def _event(
    origins: Mapping[str, Origin],
    id: str,
    visit: str,
    kind: str,
    reason: Any,
    replaces: str,
    stream: str,
    generation: int,
    track: int,
    target: str,
    sequence: int,
    start_ns: int,
    end_ns: int,
    known_ns: int,
    dwell_ns: int,
    fixations: int,
    fixation_ns: int,
    score: float,
    start_time_ns: int,
) -> LookEvent:
    graph, models, config = origins[stream]
    return LookEvent(
        specversion="1.0",
        id=id,
        source=source(graph, stream),
        type=TYPES[kind],
        subject=f"track/{track}",
        time=rfc3339(start_time_ns + known_ns),
        datacontenttype="application/json",
        dataschema="urn:gazegraph:look:2",
        sequence=sequence_text(generation, sequence),
        data=Look(
            stream=stream,
            generation=generation,
            track=track,
            target=target,
            target_kind=target_kind(target),
            visit=visit,
            start_s=start_ns / 10**9,
            end_s=end_ns / 10**9,
            known_s=known_ns / 10**9,
            dwell_s=dwell_ns / 10**9,
            fixations=fixations,
            fixation_s=fixation_ns / 10**9,
            attention="fixation" if fixations else "glance",
            confidence=round(score, 4),
            reason=reason,
            replaces=replaces.split("\n") if replaces else [],
            models=models,
            config=config,
        ),
    )
