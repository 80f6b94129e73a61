import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from nodes.ops import cloud_events
from nodes.types import Visits
from tests.helpers import table
from tests.repository import ROOT

DAY_NS = 86_400 * 10**9
SCHEMA = json.loads((ROOT / "docs/event.schema.json").read_text("utf-8"))


def visits(**columns: object) -> Visits:
    row = {
        "id": "shop/0/3/coffee/1200000000/ended",
        "kind": "ended",
        "stream_id": "shop",
        "track_id": 3,
        "target": "coffee",
        "sequence": 41,
        "start_ns": 1_200_000_000,
        "end_ns": 2_600_000_000,
        "known_ns": 3_133_333_333,
        "dwell_ns": 1_433_333_333,
        "score": 0.9,
        "start_time_ns": 19_844 * DAY_NS,
    }
    return table(Visits, **{name: [value] for name, value in {**row, **columns}.items()})


def test_every_byte_of_an_event() -> None:
    line = cloud_events.encode(visits(), 0)

    assert line == (
        b'{"specversion":"1.0","id":"shop/0/3/coffee/1200000000/ended","source":"gazegraph/shop",'
        b'"type":"gazegraph.look.ended","subject":"track/3","time":"2024-05-01T00:00:03.133333Z",'
        b'"datacontenttype":"application/json","dataschema":"urn:gazegraph:look:1","sequence":"000000.0000000041",'
        b'"data":{"stream":"shop","generation":0,"track":3,"target":"coffee","target_kind":"aoi","start_s":1.2,'
        b'"end_s":2.6,"known_s":3.133333333,"dwell_s":1.433333333,"score":0.9}}'
    )


def test_encode_takes_the_row_asked_for() -> None:
    two = table(Visits, id=["a", "b"], kind=["started", "updated"], stream_id=["x", "y"], track_id=[1, 2], target="pq")

    assert json.loads(cloud_events.encode(two, 1))["id"] == "b"
    assert cloud_events.event(two, 0).type == "gazegraph.look.started"


@pytest.mark.parametrize("kind", ["started", "updated", "ended", "retracted"])
@pytest.mark.parametrize("target", ['café "à côté" \\ 日本', "person:12", "grid:3-1"])
def test_events_keep_the_published_schema(kind: str, target: str) -> None:
    line = cloud_events.encode(visits(kind=kind, target=target, generation=7), 0)

    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(line))
    assert cloud_events.decode(line) == cloud_events.event(visits(kind=kind, target=target, generation=7), 0)
    assert b"\n" not in line


def test_the_published_schema_is_that_of_the_types() -> None:
    assert (ROOT / "docs/event.schema.json").read_text("utf-8") == cloud_events.schema_text(), (
        "docs/event.schema.json is behind nodes/ops/cloud_events.py; write it anew as docs/events.md says"
    )


@pytest.mark.parametrize(
    "change", [{"type": "gazegraph.look.began"}, {"specversion": "0.3"}, {"time": "yesterday"}, {"sequence": "7"}]
)
def test_the_schema_refuses_what_is_no_event(change: dict[str, str]) -> None:
    wrong = {**json.loads(cloud_events.encode(visits(), 0)), **change}

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
    with pytest.raises(msgspec.ValidationError):
        cloud_events.decode(json.dumps(wrong).encode())


def test_examples_in_the_documentation_are_events() -> None:
    blocks = Path(ROOT / "docs/events.md").read_text("utf-8").split("```json\n")[1:]
    events = [cloud_events.decode(block.split("```")[0].encode()) for block in blocks]

    assert [event.type.rsplit(".", 1)[1] for event in events] == ["started", "updated", "ended", "retracted"]


def test_times_are_exact_to_the_nanosecond_for_weeks() -> None:
    late = visits(start_ns=60 * DAY_NS + 1, end_ns=60 * DAY_NS + 2, known_ns=60 * DAY_NS + 3)

    data = json.loads(cloud_events.encode(late, 0))["data"]

    assert [round(data[name] * 10**9) - 60 * DAY_NS for name in ("start_s", "end_s", "known_s")] == [1, 2, 3]


def test_sequence_rises_as_text_across_generations() -> None:
    pairs = [(0, 9), (0, 10), (0, 123456789), (1, 0), (12, 0)]
    numbers = [cloud_events.event(visits(generation=g, sequence=n), 0).sequence for g, n in pairs]

    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("epoch_ns", "expected"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_999, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999Z"),
    ],
)
def test_rfc3339_cuts_to_microseconds(epoch_ns: int, expected: str) -> None:
    assert cloud_events.rfc3339(epoch_ns) == expected
