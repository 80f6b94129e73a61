import json

import jsonschema
import msgspec
import pytest

from nodes.ops import measure_events
from nodes.types import Measures
from tests.helpers import table
from tests.repository import ROOT

DAY_NS = 86_400 * 10**9
SCHEMA = json.loads((ROOT / "docs/measure.schema.json").read_text("utf-8"))
ORIGINS = {name: ("retail", {"gaze-shop-480": "sha256:0123456789ab"}, "fedcba987654") for name in ("shop", "door")}


def measures(count: int = 1, **columns: object) -> Measures:
    row = {
        "stream_id": "shop",
        "sequence": 7,
        "span": "window",
        "window_start_ns": 60 * 10**9,
        "window_end_ns": 120 * 10**9,
        "known_ns": 122_033_333_333,
        "measure": "watchers.1",
        "target": "coffee",
        "value": 3.0,
        "start_time_ns": 19_844 * DAY_NS,
    }
    given = {name: value if isinstance(value, list) else [value] * count for name, value in {**row, **columns}.items()}
    return table(Measures, **given)


def encoded(one: Measures, form: measure_events.Form = "json") -> bytes:
    (event,) = measure_events.events(one, ORIGINS)
    return measure_events.encode(event, form)


def test_every_byte_of_a_report() -> None:
    rows = measures(
        3,
        measure=["ots.1", "visit_mean_s.1", "transitions.1"],
        target=["", "coffee", "coffee"],
        to=["", "", "tea"],
        value=[9.0, 4 / 3, 2.0],
    )

    assert encoded(rows) == (
        b'{"specversion":"1.0","id":"shop/0/window/60000000000/120000000000/0","source":"retail/shop/measures",'
        b'"type":"io.gazegraph.measure.window","subject":"window","time":"2024-05-01T00:02:02.033333Z",'
        b'"datacontenttype":"application/json","dataschema":"urn:gazegraph:measure:1",'
        b'"sequence":"0000000000.0000000007","data":{"stream":"shop","generation":0,"span":"window",'
        b'"start":"2024-05-01T00:01:00.000000Z","end":"2024-05-01T00:02:00.000000Z","start_s":60.0,"end_s":120.0,'
        b'"revision":0,"known_s":122.033333333,"figures":[{"measure":"ots.1","value":9.0},'
        b'{"measure":"visit_mean_s.1","target":"coffee","value":1.333333333},'
        b'{"measure":"transitions.1","target":"coffee","to":"tea","value":2.0}],'
        b'"models":{"gaze-shop-480":"sha256:0123456789ab"},"config":"fedcba987654"}}'
    )


def test_rows_of_one_report_are_one_event() -> None:
    rows = measures(
        5,
        stream_id=["shop", "shop", "door", "door", "door"],
        sequence=[1, 1, 1, 2, 2],
        span=["window", "window", "whole", "whole", "whole"],
        revision=[3, 3, 0, 0, 0],
        value=[1.0, 2.0, 3.0, 4.0, 5.0],
    )

    reports = measure_events.events(rows, ORIGINS)

    assert [(event.source, [figure.value for figure in event.data.figures]) for event in reports] == [
        ("retail/shop/measures", [1.0, 2.0]),
        ("retail/door/measures", [3.0]),
        ("retail/door/measures", [4.0, 5.0]),
    ]
    assert [event.subject for event in reports] == ["window", "whole", "whole"]
    assert reports[0].id == "shop/0/window/60000000000/120000000000/3"
    assert measure_events.events(Measures.empty(), ORIGINS) == []


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_what_is_written_can_be_read(form: measure_events.Form) -> None:
    line = encoded(measures(target='café "à côté" \\ 日本', window_start_ns=-(10**9), generation=12), form)

    (event,) = measure_events.events(
        measures(target='café "à côté" \\ 日本', window_start_ns=-(10**9), generation=12), ORIGINS
    )
    assert measure_events.decode(line) == event
    assert (event.data.start_s, event.data.start) == (-1.0, "2024-04-30T23:59:59.000000Z")


def test_reports_keep_the_published_schema() -> None:
    line = encoded(measures(2, span="whole", to=["", "tea"], measure=["attention_s.1", "transitions.1"]))

    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(line))
    assert b"\n" not in line


def test_the_published_schema_is_that_of_the_types() -> None:
    assert (ROOT / "docs/measure.schema.json").read_text("utf-8") == measure_events.schema_text(), (
        "docs/measure.schema.json is behind nodes/ops/measure_events.py; write it anew as docs/events.md says"
    )


@pytest.mark.parametrize("change", [{"subject": "week"}, {"type": "io.gazegraph.look.ended"}, {"source": "shop"}])
def test_the_schema_refuses_what_is_no_report(change: dict[str, str]) -> None:
    wrong = {**json.loads(encoded(measures())), **change}

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
    with pytest.raises(msgspec.ValidationError):
        measure_events.decode(json.dumps(wrong).encode())


def test_a_figure_without_its_formula_is_refused() -> None:
    wrong = json.loads(encoded(measures()))
    wrong["data"]["figures"][0]["measure"] = "watchers"

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
