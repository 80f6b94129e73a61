"""Reports of measures as CloudEvents 1.0, the same bytes for files and sockets, in JSON or MessagePack.

The JSON Schema of these types is docs/measure.schema.json; what each figure means stands in docs/events.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nodes.ops.cloud_events import Form, Origin, rfc3339, sequence_text, source

Span = Literal["window", "whole"]
_RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One number."""

    measure: Annotated[
        str, Meta(pattern=r"^[a-z_]+\.[0-9]+$", description="Formula: another number for another definition.")
    ]
    target: Annotated[str, Meta(description="What was looked at; left out for the whole stream.")] = ""
    to: Annotated[str, Meta(description="Of a transition, what was looked at next; left out for other measures.")] = ""
    value: Annotated[float, Meta(description="In the unit of the measure: a count, seconds, or a ratio.")]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The attention paid in one window of a stream. Seconds count from pts 0 of the stream, exact to the nanosecond."""

    stream: str
    generation: Annotated[int, Meta(ge=0, description="Rises when the stream was interrupted.")]
    span: Annotated[Span, Meta(description="window: one of those that follow each other; whole: all of the stream.")]
    start: Annotated[str, Meta(pattern=_RFC3339, description="start_s on the wall clock of the stream.")]
    end: Annotated[str, Meta(pattern=_RFC3339, description="end_s on the wall clock of the stream.")]
    start_s: Annotated[float, Meta(description="The window holds its start; negative where the stream came later.")]
    end_s: Annotated[float, Meta(description="The window does not hold its end.")]
    revision: Annotated[
        int, Meta(ge=0, description="Above 0, the report replaces the one of the same span, start and end before it.")
    ]
    known_s: Annotated[float, Meta(description="Frame at which it was reported.")]
    figures: list[Figure]
    models: Annotated[Mapping[str, str], Meta(description="sha256:<12 digits> of each model's file, by name.")]
    config: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{12}$", description="Changes with any value of graph and stream that decides on figures."
        ),
    ]


class MeasureEvent(msgspec.Struct, frozen=True):
    """One report in its CloudEvents envelope."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, description="The same whenever the same input is processed the same way.")]
    source: Annotated[
        str, Meta(pattern=r"^[^/\s]+/[A-Za-z0-9][A-Za-z0-9_-]*/measures$", description="<graph>/<stream>/measures")
    ]
    type: Literal["io.gazegraph.measure.window"]
    subject: Annotated[Span, Meta(description="The span of the report.")]
    time: Annotated[
        str, Meta(pattern=_RFC3339, description="known_s on the wall clock of the stream, cut to microseconds.")
    ]
    datacontenttype: Literal["application/json"]
    dataschema: Literal["urn:gazegraph:measure:1"]
    """The number rises when a reader of the old `data` would misread the new."""
    sequence: Annotated[
        str,
        Meta(
            pattern=r"^\d{10}\.\d{10}$",
            description="<generation>.<count>: rises as text within a source; the count has no gaps in a generation.",
        ),
    ]
    data: Report


_FROM_JSON = msgspec.json.Decoder(MeasureEvent)
_FROM_MSGPACK = msgspec.msgpack.Decoder(MeasureEvent)


def events(measures: Any, origins: Mapping[str, Origin]) -> list[MeasureEvent]:
    """Return the reports of a table with the columns of `nodes.types.Measures` as events.

    Args:
        measures: the table; the rows of one report stand together.
        origins: what made the figures, by stream id.
    """
    numbers = zip(measures.stream_id, measures.generation.tolist(), measures.sequence.tolist(), strict=True)
    reports = groupby(enumerate(numbers), key=lambda pair: pair[1])
    return [_event(measures, origins, [row for row, _ in pairs]) for _, pairs in reports]


def encode(event: MeasureEvent, form: Form = "json") -> bytes:
    """Return a report as bytes; JSON has no line break and its keys in a fixed order."""
    return msgspec.json.encode(event) if form == "json" else msgspec.msgpack.encode(event)


def decode(event: bytes) -> MeasureEvent:
    """Read a report back, in either form.

    Raises:
        msgspec.DecodeError: it is no report; the message names the place.
    """
    return (_FROM_JSON if event[:1] == b"{" else _FROM_MSGPACK).decode(event)


def schema_text() -> str:
    """Return the JSON Schema of a report as it stands in docs/measure.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(MeasureEvent)}
    return json.dumps(schema, indent=2) + "\n"


def _event(measures: Any, origins: Mapping[str, Origin], rows: list[int]) -> MeasureEvent:
    first = rows[0]
    stream, span = measures.stream_id[first], measures.span[first]
    generation, revision, start_ns, end_ns, known_ns, epoch_ns = (
        int(getattr(measures, name)[first])
        for name in ("generation", "revision", "window_start_ns", "window_end_ns", "known_ns", "start_time_ns")
    )
    graph, models, config = origins[stream]
    return MeasureEvent(
        specversion="1.0",
        id=f"{stream}/{generation}/{span}/{start_ns}/{end_ns}/{revision}",
        source=f"{source(graph, stream)}/measures",
        type="io.gazegraph.measure.window",
        subject=span,
        time=rfc3339(epoch_ns + known_ns),
        datacontenttype="application/json",
        dataschema="urn:gazegraph:measure:1",
        sequence=sequence_text(generation, int(measures.sequence[first])),
        data=Report(
            stream=stream,
            generation=generation,
            span=span,
            start=rfc3339(epoch_ns + start_ns),
            end=rfc3339(epoch_ns + end_ns),
            start_s=start_ns / 10**9,
            end_s=end_ns / 10**9,
            revision=revision,
            known_s=known_ns / 10**9,
            figures=[
                Figure(
                    measure=measures.measure[row],
                    target=measures.target[row],
                    to=measures.to[row],
                    value=round(float(measures.value[row]), 9),
                )
                for row in rows
            ],
            models=models,
            config=config,
        ),
    )
