"""`listen`: what its words stand for, what it prints, and that it goes on where its file ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli import listen, program
from cli.event_text import LOOKS
from nodes.ops import cloud_events
from pipeline.bus.starts import After, AfterEvent, Resume, Since, Snapshot, Start
from pipeline.bus.wire import Delivered, Headers
from pipeline.errors import ConfigError
from tests.pipeline.bus.fake_publisher import FakePublisher
from tests.processes import running
from tests.repository import ROOT

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def event(number: int = 0, kind: str = "ended", **look: Any) -> bytes:
    data = {"stream": "shop", "track": 3, "target": "coffee", "dwell_s": 1.5, "reason": "looked_away", **look}
    return json.dumps(
        {"id": f"e{number}", "type": f"io.gazegraph.look.{kind}", "time": "1970-01-01T00:00:02.500000Z", "data": data},
        separators=(",", ":"),
    ).encode()


REPORT = json.dumps({
    "id": "r", "type": "io.gazegraph.measure.window", "time": "2026-05-01T12:01:00.000000Z",
    "data": {"stream": "shop", "start_s": 0.0, "end_s": 60.0, "revision": 1, "figures": [{}, {}]},
}).encode()  # fmt: skip


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return what makes `listen` hear messages and end; it returns what the subscriber was asked for."""

    def hear(*events: bytes, contenttype: str = "application/cloudevents+json") -> dict[str, Any]:
        asked: dict[str, Any] = {}

        class Heard:
            def __init__(self, address: str, **options: Any) -> None:
                asked.update(options, address=address)

            def __enter__(self) -> Iterator[Delivered]:
                headers = Headers("a" * 32, 1, (0, 0, 0), "", contenttype, "id")
                return iter([Delivered("look/shop/3/", headers, data) for data in events])

            def __exit__(self, *_: object) -> None:
                pass

        monkeypatch.setattr(listen, "Subscriber", Heard)
        return asked

    return hear


def test_kinds_are_those_of_the_events() -> None:
    assert tuple(cloud_events.TYPES) == LOOKS


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (event(), "1970-01-01 00:00:02.500  shop  #3 ended      coffee  1.5 s  looked away"),
        (event(kind="started", reason=""), "1970-01-01 00:00:02.500  shop  #3 started    coffee  1.5 s"),
        (event(target="\x1b[2J\n", reason=""), "1970-01-01 00:00:02.500  shop  #3 ended      ?[2J?  1.5 s"),
        (event(track="x"), "1970-01-01 00:00:02.500  io.gazegraph.look.ended  e0"),
        (REPORT, "2026-05-01 12:01:00.000  shop  0 s to 60 s  2 figures  revision 1"),
    ],
)
def test_events_are_lines_for_people(
    data: bytes, line: str, heard: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    heard(data)

    assert listen.main([]) == 0
    assert capsys.readouterr().out == f"{line}\n"


def test_json_is_the_bytes_of_the_event(heard: Callable[..., Any], capfdbinary: Any) -> None:
    heard(event(1), event(2).replace(b",", b",\n"))

    listen.main(["--json"])

    assert capfdbinary.readouterr().out == event(1) + b"\n" + event(2) + b"\n"


def test_messagepack_becomes_json(heard: Callable[..., Any], capfdbinary: Any) -> None:
    heard(msgspec.msgpack.encode(json.loads(event())), contenttype="application/cloudevents+msgpack")

    listen.main(["--json"])

    assert capfdbinary.readouterr().out == event() + b"\n"


def test_what_is_no_event_is_said_and_left_out(
    heard: Callable[..., Any], capfdbinary: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard(b"[]", event())

    listen.main(["--json"])

    assert capfdbinary.readouterr().out == event() + b"\n"
    assert [record.getMessage() for record in caplog.records] == [
        "message 'id': expected an event, got: Expected `object`, got `array`; it is left out"
    ]


def test_only_the_kinds_asked_for_are_told(heard: Callable[..., Any], capfdbinary: Any) -> None:
    heard(event(1, "started"), event(2, "ended"), event(3, "later"), event(4, "retracted"))

    listen.main(["--json", "--type", "ended,retracted"])

    assert capfdbinary.readouterr().out == event(2, "ended") + b"\n" + event(4, "retracted") + b"\n"


def test_options_reach_the_subscriber(heard: Callable[..., dict[str, Any]]) -> None:
    asked = heard()

    listen.main(["ipc://x", "--requests", "ipc://y", "--keys", "k", "--stream", "shop", "--since", "start"])

    assert asked == {
        "address": "ipc://x",
        "requests": "ipc://y",
        "keys": Path("k"),
        "prefixes": ["look/shop/"],
        "start": After(),
    }


@pytest.mark.parametrize(
    ("streams", "tracks", "kinds", "prefixes"),
    [
        ([], [], [], ["look/"]),
        ([], [], ["ended", "window"], ["look/", "measure/"]),
        (["shop", "door"], [], [], ["look/shop/", "look/door/"]),
        (["shop"], [], ["window"], ["measure/shop/"]),
        (["door"], ["shop/3"], [], ["look/door/", "look/shop/3/"]),
    ],
)
def test_prefixes(streams: list[str], tracks: list[str], kinds: list[str], prefixes: list[str]) -> None:
    assert listen.prefixes_of(streams, tracks, kinds) == prefixes


@pytest.mark.parametrize(
    ("since", "start"),
    [
        (None, Snapshot()),
        ("start", After()),
        ("-90s", Since("2026-05-01T11:58:30.000000Z")),
        ("-2d", Since("2026-04-29T12:00:00.000000Z")),
        ("2026-05-01T09:00:00+02:00", Since("2026-05-01T07:00:00.000000Z")),
        ("shop/0/3/coffee/1200000000/started", AfterEvent("shop/0/3/coffee/1200000000/started")),
    ],
)
def test_starts(since: str | None, start: Start) -> None:
    assert listen.start_of(since, NOON) == start


def test_an_age_is_no_option(heard: Callable[..., dict[str, Any]]) -> None:
    asked = heard()

    listen.main(["--since", "-1h", "--json"])

    assert isinstance(asked["start"], Since)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["--type", "end"],
            "--type: expected a kind of event, got 'end'; did you mean 'ended'? (kinds: started, updated, ended, "
            "retracted, window)",
        ),
        (["--stream", "a/b"], "--stream: expected the name of a stream, got 'a/b'; write for example shop"),
        (["--track", "3"], "--track: expected the name of a track, got '3'; write for example shop/3"),
        (
            ["--track", "shop/3", "--type", "window"],
            "--type: expected some of started, updated, ended, retracted beside --track, got 'window'; add one",
        ),
        (
            ["--since", "yesterday"],
            "--since: expected start, a time with its zone, an age or the id of an event, got 'yesterday'; write for "
            "example 2026-05-01T09:00:00Z or -1h",
        ),
        (
            ["--since", "-1w"],
            "--since: expected start, a time with its zone, an age or the id of an event, got '-1w'; write for example "
            "2026-05-01T09:00:00Z or -1h",
        ),
        (
            ["--since", "2026-05-01T09:00:00"],
            "--since: expected start, a time with its zone, an age or the id of an event, got '2026-05-01T09:00:00'; "
            "write for example 2026-05-01T09:00:00Z or -1h",
        ),
        (
            ["nowhere"],
            "address: expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH, got 'nowhere'; for example "
            "tcp://127.0.0.1:5570",
        ),
    ],
)
def test_wrong_words_are_told(options: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        listen.main(options)
    assert str(raised.value) == complaint


def test_a_file_is_gone_on_with_after_its_last_whole_line(heard: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "new" / "events.jsonl"
    asked = heard(event(1), event(2))
    listen.main(["--since", "start", "--append", str(path)])
    assert asked["start"] == After()
    with path.open("ab") as file:
        file.write(event(3)[:40])  # as a killed process leaves it

    asked = heard(event(3))
    listen.main(["--since", "start", "--append", str(path)])

    assert asked["start"] == Resume((("e1", event(1)), ("e2", event(2))), listen.json_of)
    assert path.read_bytes() == b"".join(event(number) + b"\n" for number in (1, 2, 3))


@pytest.mark.parametrize("text", ["milk\n", "milk", "milk\neggs", event().decode() + "\nmilk\n"])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)

    with pytest.raises(ConfigError) as raised:
        listen.main(["--append", str(path)])
    assert str(raised.value) == (
        f"{path}: expected an event in each line, got b'milk' (JSON is malformed: invalid character (byte 0)); give "
        "another file"
    )
    assert path.read_text() == text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        listen.main(["--append", str(tmp_path)])
    assert str(raised.value) == (
        f"{tmp_path}: expected a file to write events to, got a folder; give the name of a file in it"
    )


def listening(*argv: str, stdout: int = subprocess.PIPE) -> AbstractContextManager[subprocess.Popen[bytes]]:
    command = [sys.executable, "run_graph.py", "listen", *argv]
    return running(command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE)


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/bus"
    with FakePublisher(endpoint) as publisher, listening(endpoint, "--json", "--since", "start") as process:
        publisher.meet()
        publisher.log_and_send("e1", data=event(1))
        assert process.stdout and process.stdout.readline() == event(1) + b"\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(10) == program.INTERRUPTED
        assert process.stderr and process.stderr.read() == b""


def test_a_reader_that_is_gone_ends_it(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/bus"
    reading, writing = os.pipe()
    with FakePublisher(endpoint) as publisher, listening(endpoint, "--json", stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        publisher.held = ["e1"]
        publisher.log_and_send("e1", data=event(1), sent=False)
        publisher.meet()

        assert process.wait(10) == program.DONE
        assert process.stderr and process.stderr.read() == b""
