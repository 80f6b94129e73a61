"""The HTTP API of a run, asked over a real connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.server import serving
from pipeline.errors import ConfigError, RefusedError, UnknownStreamError
from tests.pipeline.control.asking import ask, problem
from tests.pipeline.control.fake_run import DOOR, RUN, FakeRun

RUN_NOW = FakeRun()


@pytest.fixture(scope="module")
def at() -> Iterator[Address]:
    with serving(RUN_NOW, Access(Address(port=0), None, ready_s=10.0), "1.2.3") as address:
        yield address


@pytest.fixture
def run() -> FakeRun:
    RUN_NOW.begin_again()
    return RUN_NOW


def test_streams_are_listed_without_passwords(at: Address, run: FakeRun) -> None:
    told = ask(at, "GET", "/streams")

    assert (told.status, told.headers["content-type"]) == (200, "application/json")
    assert [stream["id"] for stream in told.json["streams"]] == ["door"]
    assert told.json["streams"][0]["url"] == "rtsp://me:***@10.0.0.5/live"
    assert told.json["streams"][0]["config"]["url"] == "rtsp://me:***@10.0.0.5/live"


@pytest.mark.parametrize("path", ["/streams", "/streams/door", "/status", "/metrics", "/health/ready", "/health/live"])
def test_nothing_tells_a_password(path: str, at: Address, run: FakeRun) -> None:
    run.told = replace(RUN, streams=(replace(DOOR, last_out_s=None),))

    told = ask(at, "GET", path)

    assert told.status in (200, 503) and b"secret" not in told.body


@pytest.mark.parametrize("path", ["/metrics", "/health/ready", "/health/live", "/health/ready?stream=door"])
def test_health_and_metrics_tell_no_address(path: str, at: Address, run: FakeRun) -> None:
    run.told = replace(RUN, streams=(replace(DOOR, last_out_s=None),))

    assert b"://" not in ask(at, "GET", path).body


def test_a_stream_is_told_of_by_its_id(at: Address, run: FakeRun) -> None:
    assert ask(at, "GET", "/streams/door").json["frames_out"] == 80
    assert problem(ask(at, "GET", "/streams/dor")) == (
        404,
        "Not Found",
        ["streams.dor: expected a stream of this run, got none of that id; did you mean 'door'? (streams: door)"],
    )


def test_a_stream_is_added_with_its_values(at: Address, run: FakeRun) -> None:
    told = ask(at, "POST", "/streams", {"id": "till", "url": "rtsp://me:secret@h/x", "max_fps": 5})

    assert run.asked == [("add", "till", {"url": "rtsp://me:secret@h/x", "max_fps": 5})]
    assert (told.status, told.headers["location"], told.json["id"]) == (201, "/streams/till", "till")


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        ({"url": "x.mp4"}, ["id: expected text, got nothing"]),
        ({"id": 1}, ["id: expected text, got something else", "url: expected text, got nothing"]),
        ([1], ["body: expected an object, got a list"]),
        (True, ["body: expected an object, got true or false"]),
    ],
)
def test_a_stream_needs_id_and_url(content: Any, reasons: list[str], at: Address, run: FakeRun) -> None:
    assert problem(ask(at, "POST", "/streams", content)) == (422, "Unprocessable Entity", reasons)
    assert run.asked == []


def test_a_stream_is_removed_paused_and_resumed(at: Address, run: FakeRun) -> None:
    paused = ask(at, "POST", "/streams/door/pause")
    resumed = ask(at, "POST", "/streams/door/resume")
    removed = ask(at, "DELETE", "/streams/door")

    assert (paused.status, paused.json["state"]) == (200, "paused")
    assert (resumed.status, removed.status, removed.body) == (200, 204, b"")
    assert run.asked == [("pause", "door"), ("resume", "door"), ("remove", "door")]


def test_a_stream_that_is_gone_at_once_is_told_by_its_id(at: Address, run: FakeRun) -> None:
    run.told = replace(RUN, streams=())

    assert ask(at, "POST", "/streams/door/resume").json == {"id": "door"}


def test_values_are_changed_by_dotted_path(at: Address, run: FakeRun) -> None:
    values = {"looks.min_look_s": 0.5, "streams.door.aois.shelf": None}

    told = ask(at, "PATCH", "/config", values)

    assert (told.status, told.json) == (200, {"changed": list(values)})
    assert run.asked == [("configure", values)]


def test_no_values_are_no_change(at: Address, run: FakeRun) -> None:
    assert problem(ask(at, "PATCH", "/config", {})) == (
        422,
        "Unprocessable Entity",
        ['body: expected values by dotted path, such as {"looks.min_look_s": 0.5}, got none'],
    )


def test_reload_tells_what_changed(at: Address, run: FakeRun) -> None:
    assert ask(at, "POST", "/reload").json == {"changed": ["streams.till"]}


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (ConfigError, 400, "Bad Request"),
        (UnknownStreamError, 404, "Not Found"),
        (RefusedError, 409, "Conflict"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/streams", {"id": "till", "url": "x"}),
        ("DELETE", "/streams/door", None),
        ("POST", "/streams/door/pause", None),
        ("POST", "/streams/door/resume", None),
        ("PATCH", "/config", {"a.b": 1}),
        ("POST", "/reload", None),
    ],
)
def test_what_a_run_refuses_is_told_line_by_line(
    error: type[Exception], status: int, title: str, method: str, path: str, content: Any, at: Address, run: FakeRun
) -> None:
    run.error = error("a.b: rtsp://me:secret@h is none\na.c: needs a restart")

    assert problem(ask(at, method, path, content)) == (
        status,
        title,
        ["a.b: rtsp://me:***@h is none", "a.c: needs a restart"],
    )


def test_a_mistake_of_ours_is_told_without_its_inside(
    at: Address, run: FakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    run.error = ZeroDivisionError("inside")

    assert problem(ask(at, "POST", "/reload")) == (
        500,
        "Internal Server Error",
        ["the graph goes on, but this could not be answered; its log says why"],
    )
    assert [(each.message, each.exc_info is not None) for each in caplog.records] == [("POST /reload: failed", True)]


def test_changes_are_logged(at: Address, run: FakeRun, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        ask(at, "DELETE", "/streams/door")
        ask(at, "GET", "/streams")
        ask(at, "PATCH", "/config", {"a.b": 1, "a.c": 2})

    assert [each.message for each in caplog.records] == [
        "DELETE /streams/door: done",
        "changed: a.b, a.c",
        "PATCH /config: done",
    ]


def test_paths_and_methods_that_are_not_there(at: Address, run: FakeRun) -> None:
    assert problem(ask(at, "GET", "/stream")) == (
        404,
        "Not Found",
        ["/stream: expected a path of this API, got none of them; GET /openapi.json lists them"],
    )
    assert problem(ask(at, "GET", "/streams/"))[0] == 404
    wrong = ask(at, "PUT", "/streams")
    assert problem(wrong) == (405, "Method Not Allowed", ["/streams: does not know PUT"])
    assert sorted(wrong.headers["allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_head_is_get_without_a_body(at: Address, run: FakeRun) -> None:
    told = ask(at, "HEAD", "/health/live")

    assert (told.status, told.body) == (200, b"")


@pytest.mark.parametrize(
    ("changes", "path", "status"),
    [
        ({}, "/health/live", 200),
        ({"failed": "no space"}, "/health/live", 503),
        ({}, "/health/ready", 200),
        ({"last_out_s": 11.0}, "/health/ready", 503),
        ({"last_out_s": 11.0}, "/health/ready?stream=door", 503),
        ({}, "/health/ready?stream=till", 404),
    ],
)
def test_health_is_a_status(changes: dict[str, Any], path: str, status: int, at: Address, run: FakeRun) -> None:
    of_stream = {name: value for name, value in changes.items() if name != "failed"}
    run.told = replace(RUN, failed=changes.get("failed"), streams=(replace(DOOR, **of_stream),))

    assert ask(at, "GET", path).status == status


def test_pages_of_others_are_refused(at: Address, run: FakeRun) -> None:
    rebound = ask(at, "GET", "/streams", Host="evil.example:8700")
    foreign = ask(at, "POST", "/streams/door/pause", Origin="http://evil.example")
    unnamed = ask(at, "POST", "/streams/door/pause", Origin="null")

    assert problem(rebound) == (
        400,
        "Bad Request",
        ["Host: expected this machine, such as 127.0.0.1, got 'evil.example:8700'"],
    )
    assert problem(foreign) == (
        403,
        "Forbidden",
        [f"Origin: expected none, or '127.0.0.1:{at.port}', got 'http://evil.example'"],
    )
    assert unnamed.status == 403
    assert run.asked == []
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8700", "127.8.8.8:80"])
def test_this_machine_has_several_names(host: str, at: Address, run: FakeRun) -> None:
    assert ask(at, "GET", "/health/live", Host=host, Origin=f"http://{host}").status == 200


def test_metrics_are_the_text_format(at: Address, run: FakeRun) -> None:
    told = ask(at, "GET", "/metrics")

    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'gazegraph_build_info{python="' in told.body and b'version="1.2.3"' in told.body
