"""Write looked-at events as CloudEvents 1.0 in JSON: the same bytes for files and sockets.

Ref: CloudEvents 1.0.2 with its `sequence` extension (CNCF). The JSON Schema of these types is docs/event.schema.json.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

TargetKind = Literal["aoi", "person", "grid"]
EventType = Literal[
    "gazegraph.look.started", "gazegraph.look.updated", "gazegraph.look.ended", "gazegraph.look.retracted"
]
TYPES: dict[str, EventType] = {
    "started": "gazegraph.look.started",
    "updated": "gazegraph.look.updated",
    "ended": "gazegraph.look.ended",
    "retracted": "gazegraph.look.retracted",
}


class Look(msgspec.Struct, frozen=True):
    """Who looked at what, and for how long. Times are seconds of the stream, exact to the nanosecond."""

    stream: str
    generation: Annotated[int, Meta(ge=0, description="Rises by one when the stream was interrupted.")]
    track: Annotated[int, Meta(ge=1, description="The person; unique within stream and generation.")]
    target: Annotated[str, Meta(min_length=1, description="Name of the area, person:<track>, or grid:<row>-<column>.")]
    target_kind: TargetKind
    start_s: Annotated[float, Meta(description="First look of the visit.")]
    end_s: Annotated[float, Meta(description="Last look of the visit so far.")]
    known_s: Annotated[float, Meta(description="Frame that made the event known; never before end_s.")]
    dwell_s: Annotated[float, Meta(ge=0, description="Time spent looking since start_s, gaps left out.")]
    score: Annotated[float, Meta(ge=0, le=1, description="Mean belief, over the looks, that the target is looked at.")]


class LookEvent(msgspec.Struct, frozen=True):
    """One looked-at event in its CloudEvents envelope."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, description="The same whenever the same input is processed the same way.")]
    source: Annotated[str, Meta(pattern="^gazegraph/[a-z0-9][a-z0-9_-]*$", description="gazegraph/<stream>")]
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
    dataschema: Literal["urn:gazegraph:look:1"]
    """The number rises when a reader of the old `data` would misread the new."""
    sequence: Annotated[
        str,
        Meta(
            pattern=r"^\d{6}\.\d{10}$",
            description="<generation>.<count>: rises as text within a source; the count has no gaps in a generation.",
        ),
    ]
    data: Look


def event(looks: Any, row: int) -> LookEvent:
    """Return one row of a table with the columns of `nodes.types.Visits` as an event."""
    stream, track, target = looks.stream_id[row], int(looks.track_id[row]), looks.target[row]
    generation, known_ns = int(looks.generation[row]), int(looks.known_ns[row])
    return LookEvent(
        specversion="1.0",
        id=looks.id[row],
        source=f"gazegraph/{stream}",
        type=TYPES[looks.kind[row]],
        subject=f"track/{track}",
        time=rfc3339(int(looks.start_time_ns[row]) + known_ns),
        datacontenttype="application/json",
        dataschema="urn:gazegraph:look:1",
        sequence=f"{generation:06d}.{int(looks.sequence[row]):010d}",
        data=Look(
            stream=stream,
            generation=generation,
            track=track,
            target=target,
            target_kind=target_kind(target),
            start_s=int(looks.start_ns[row]) / 10**9,
            end_s=int(looks.end_ns[row]) / 10**9,
            known_s=known_ns / 10**9,
            dwell_s=int(looks.dwell_ns[row]) / 10**9,
            score=round(float(looks.score[row]), 4),
        ),
    )


def encode(looks: Any, row: int) -> bytes:
    """Return one row of a table of visits as an event in JSON, without a line break; keys in a fixed order."""
    return msgspec.json.encode(event(looks, row))


def decode(line: bytes) -> LookEvent:
    """Read an event back.

    Raises:
        msgspec.ValidationError: it does not keep the schema; the message names the place.
    """
    return msgspec.json.decode(line, type=LookEvent)


def target_kind(target: str) -> TargetKind:
    """Tell what a target is; names of areas hold no colon."""
    if target.startswith("person:"):
        return "person"
    return "grid" if target.startswith("grid:") else "aoi"


def rfc3339(epoch_ns: int) -> str:
    """Return nanoseconds since 1970 as UTC with six decimals; what is finer is cut off."""
    moment = datetime(1970, 1, 1) + timedelta(microseconds=epoch_ns // 1000)
    return moment.isoformat(timespec="microseconds") + "Z"


def schema_text() -> str:
    """Return the JSON Schema of an event as it stands in docs/event.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(LookEvent)}
    return json.dumps(schema, indent=2) + "\n"
