import json

import jsonschema
import msgspec
import numpy as np
import pytest

from nodes.ops import cloud_events
from nodes.types import Visits
from pipeline.values import concat
from tests.helpers import table
from tests.repository import ROOT

DAY_NS = 86_400 * 10**9
SCHEMA = json.loads((ROOT / "docs/event.schema.json").read_text("utf-8"))
ORIGINS = {"shop": ("retail", {"gaze": "sha256:0123456789ab"}, "ba9876543210"), "door": ("my graph", {}, "0" * 12)}


def visits(**columns: object) -> Visits:
    row = {
        "id": "shop/0/3/coffee/1200000000/ended",
        "visit": "shop/0/3/coffee/1200000000",
        "kind": "ended",
        "reason": "looked_away",
        "stream_id": "shop",
        "track_id": 3,
        "target": "coffee",
        "sequence": 41,
        "start_ns": 1_200_000_000,
        "end_ns": 2_600_000_000,
        "known_ns": 3_133_333_333,
        "dwell_ns": 1_366_666_667,
        "fixations": 2,
        "fixation_ns": 1_100_000_000,
        "score": 0.9,
        "start_time_ns": 19_844 * DAY_NS,
    }
    return table(Visits, **{name: [value] for name, value in {**row, **columns}.items()})


def event(**columns: object) -> cloud_events.LookEvent:
    return cloud_events.events(visits(**columns), ORIGINS)[0]


def line(**columns: object) -> bytes:
    return cloud_events.encode_rows(visits(**columns), ORIGINS)[0]


def test_every_byte_of_an_event() -> None:
    assert line() == (
        b'{"specversion":"1.0","id":"shop/0/3/coffee/1200000000/ended","source":"retail/shop",'
        b'"type":"io.gazegraph.look.ended","subject":"track/3","time":"2024-05-01T00:00:03.133333Z",'
        b'"datacontenttype":"application/json","dataschema":"urn:gazegraph:look:2",'
        b'"sequence":"0000000000.0000000041","data":{"stream":"shop","generation":0,"track":3,"target":"coffee",'
        b'"target_kind":"aoi","visit":"shop/0/3/coffee/1200000000","start_s":1.2,"end_s":2.6,"known_s":3.133333333,'
        b'"dwell_s":1.366666667,"fixations":2,"fixation_s":1.1,"attention":"fixation","confidence":0.9,'
        b'"reason":"looked_away","models":{"gaze":"sha256:0123456789ab"},"config":"ba9876543210"}}'
    )


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    told = json.loads(line(kind="updated", reason="", fixations=0, fixation_ns=0))["data"]
    corrected = json.loads(line(kind="started", reason="", replaces="shop/0/1/coffee/0\nshop/0/2/coffee/9"))["data"]

    assert "reason" not in told and "replaces" not in told
    assert (told["fixations"], told["attention"]) == (0, "glance")
    assert corrected["replaces"] == ["shop/0/1/coffee/0", "shop/0/2/coffee/9"]


def test_rows_are_encoded_in_the_order_asked_for_each_with_its_own_origin() -> None:
    two = concat([visits(), visits(id="b", stream_id="door", kind="started", reason="")])

    both = [json.loads(line) for line in cloud_events.encode_rows(two, ORIGINS)]
    swapped = [json.loads(line) for line in cloud_events.encode_rows(two, ORIGINS, [1, 0])]

    assert [each["source"] for each in both] == ["retail/shop", "my%20graph/door"]
    assert [each["data"]["config"] for each in both] == ["ba9876543210", "000000000000"]
    assert swapped == both[::-1]
    assert cloud_events.encode_rows(two, ORIGINS, []) == cloud_events.encode_rows(Visits.empty(), ORIGINS) == []


@pytest.mark.parametrize("kind", ["started", "updated", "ended", "retracted"])
@pytest.mark.parametrize("target", ['café "à côté" \\ 日本', "person:12", "object:bottle:3", "grid:3-1"])
def test_events_keep_the_published_schema_in_both_forms(kind: str, target: str) -> None:
    row = {"kind": kind, "target": target, "generation": 1_753_000_000}
    packed = cloud_events.encode_rows(visits(**row), ORIGINS, form="msgpack")[0]

    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(line(**row)))
    jsonschema.Draft202012Validator(SCHEMA).validate(msgspec.msgpack.decode(packed))
    assert cloud_events.decode(line(**row)) == cloud_events.decode(packed) == event(**row)
    assert b"\n" not in line(**row)


def test_the_published_schema_is_that_of_the_types() -> None:
    assert (ROOT / "docs/event.schema.json").read_text("utf-8") == cloud_events.schema_text(), (
        "docs/event.schema.json is behind nodes/ops/cloud_events.py; write it anew as docs/events.md says"
    )


@pytest.mark.parametrize(
    ("change", "inside"),
    [
        ({"type": "io.gazegraph.look.began"}, {}),
        ({"specversion": "0.3"}, {}),
        ({"time": "yesterday"}, {}),
        ({"sequence": "7"}, {}),
        ({"source": "shop"}, {}),
        ({}, {"attention": "stare"}),
        ({}, {"reason": "tired"}),
        ({}, {"confidence": 1.2}),
        ({}, {"config": "?"}),
    ],
)
def test_the_schema_refuses_what_is_no_event(change: dict[str, str], inside: dict[str, object]) -> None:
    right = json.loads(line())
    wrong = {**right, **change, "data": {**right["data"], **inside}}

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
    with pytest.raises(msgspec.ValidationError):
        cloud_events.decode(json.dumps(wrong).encode())


@pytest.mark.parametrize(("target", "kind"), [("tea", "aoi"), ("person:1", "person"), ("object:a:2", "object")])
def test_target_kind_is_told_by_the_name(target: str, kind: str) -> None:
    assert cloud_events.target_kind(target) == kind


def test_an_interrupted_visit_ends_as_it_was_last_told() -> None:
    row = {"id": "shop/0/3/coffee/1200000000/updated/2", "kind": "updated", "reason": ""}
    last = line(**row)

    ended = json.loads(cloud_events.interrupted(last, 77))

    before = json.loads(last)
    after = {
        "id": "shop/0/3/coffee/1200000000/ended",
        "type": "io.gazegraph.look.ended",
        "sequence": "0000000000.0000000077",
        "data": {**before["data"], "reason": "interrupted"},
    }
    assert ended == {**before, **after}
    packed = cloud_events.encode_rows(visits(**row), ORIGINS, form="msgpack")[0]
    assert msgspec.msgpack.decode(cloud_events.interrupted(packed, 77)) == ended
    with pytest.raises(msgspec.DecodeError):
        cloud_events.interrupted(last[:-1], 77)


def test_times_are_exact_to_the_nanosecond_for_weeks() -> None:
    late = line(start_ns=60 * DAY_NS + 1, end_ns=60 * DAY_NS + 2, known_ns=60 * DAY_NS + 3)

    data = json.loads(late)["data"]

    assert [round(data[name] * 10**9) - 60 * DAY_NS for name in ("start_s", "end_s", "known_s")] == [1, 2, 3]


def test_sequence_rises_as_text_across_generations() -> None:
    pairs = [(0, 9), (0, 10), (0, 123456789), (1, 0), (12, 0), (1_753_000_000, 3)]
    texts = [event(generation=g, sequence=n).sequence for g, n in pairs]

    assert texts == sorted(texts)
    assert [cloud_events.sequence_numbers(text) for text in texts] == pairs


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


def test_columns_of_any_integer_dtype_and_no_copy_of_the_table() -> None:
    frozen = visits()
    for name in ("generation", "track_id", "score"):
        getattr(frozen, name).flags.writeable = False

    assert cloud_events.encode_rows(frozen, ORIGINS, np.array([0])) == [line()]
