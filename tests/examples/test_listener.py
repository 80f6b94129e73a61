"""The listener that is made to be copied gets every event once, whatever happens to it and to the publisher."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples import listener
from examples.listener import Listener, last_ids, line_of
from tests import processes
from tests.pipeline.bus.fake_publisher import OTHER_LOG, FakePublisher
from tests.repository import ROOT


@contextmanager
def listening(folder: Path, prefix: str = "look/") -> Iterator[Listener]:
    ear = Listener(f"ipc://{folder}/bus", prefix)
    try:
        yield ear
    finally:
        ear.live.close()
        ear.context.term()


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[FakePublisher]:
    with FakePublisher(f"ipc://{tmp_path}/bus") as publisher:
        yield publisher


def until(ear: Listener, last: bytes, *had: str) -> list[bytes]:
    """Return all events up to one."""
    got: list[bytes] = []
    for event in ear.events(list(had)):
        got.append(event)
        if event == last:
            break
    return got


def event(number: int, kind: str = "ended") -> bytes:
    look = {"stream": "shop", "track": 3, "target": "coffee", "dwell_s": 1.5}
    what = {"id": f"e{number}", "type": f"io.gazegraph.look.{kind}", "time": "2026-05-01T12:00:00.120000Z"}
    return json.dumps({**what, "data": look}).encode()


@pytest.mark.parametrize("prefix", ["", "look/", "look/shop/", "look/shop/3/"])
def test_what_was_lost_is_asked_for(tmp_path: Path, publisher: FakePublisher, prefix: str) -> None:
    publisher.log_and_send("a", sent=False)
    with listening(tmp_path, prefix) as ear:
        publisher.meet()
        publisher.log_and_send("b")
        publisher.log_and_send("c", sent=False)
        publisher.log_and_send("d", "e")
        publisher.send(-1)
        publisher.log_and_send("f", sent=False)
        publisher.beat()

        assert until(ear, b"f") == [b"a", b"b", b"c", b"d", b"e", b"f"]


def test_a_publisher_that_comes_again_is_heard_again(tmp_path: Path, publisher: FakePublisher) -> None:
    with listening(tmp_path) as ear, ThreadPoolExecutor() as pool:
        got = pool.submit(until, ear, b"d")
        publisher.meet()
        publisher.log_and_send("a")
        publisher.log_and_send("b", "c", sent=False)
        publisher.kill()
        with FakePublisher(f"ipc://{tmp_path}/bus", kept=publisher.kept) as again:
            again.meet()
            again.log_and_send("d")

            assert got.result() == [b"a", b"b", b"c", b"d"]


def test_a_request_without_an_answer_is_sent_again(
    tmp_path: Path, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ANSWER_MS", 20)
    publisher.answers = [[], []]
    publisher.log_and_send("a")
    with listening(tmp_path) as ear:
        publisher.meet()

        assert until(ear, b"a") == [b"a"]


@pytest.mark.parametrize("had", [[], ["a"]])
def test_a_publisher_that_cannot_answer_yet_is_asked_again(
    tmp_path: Path, publisher: FakePublisher, capsys: pytest.CaptureFixture[str], had: list[str]
) -> None:
    publisher.answers = 2 * [[json.dumps({"log": None, "error": "log: ask again later"}).encode()]]
    publisher.log_and_send("a", "b", sent=False)
    with listening(tmp_path) as ear:
        publisher.meet()
        publisher.beat()
        publisher.beat()

        assert until(ear, b"b", *had) == [b"a", b"b"][len(had) :]
    assert capsys.readouterr().err == f"ipc://{tmp_path}/bus-requests: log: ask again later\n"


def test_an_event_that_could_not_be_logged_comes_once(tmp_path: Path, publisher: FakePublisher) -> None:
    with listening(tmp_path) as ear:
        publisher.meet()
        publisher.send_unlogged("a")
        publisher.send_unlogged("a")
        publisher.log_and_send("a", "b")

        assert until(ear, b"b") == [b"a", b"b"]


def test_another_log_is_said_and_read_from_its_start(
    tmp_path: Path, publisher: FakePublisher, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(tmp_path) as ear:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(ear, b"a") == [b"a"]
        publisher.log, publisher.kept = OTHER_LOG, []
        publisher.log_and_send("x", "y")

        assert until(ear, b"y") == [b"x", b"y"]
    assert capsys.readouterr().err == (
        f"ipc://{tmp_path}/bus: the log is another one than before; taking all that it holds\n"
    )


def test_events_that_are_gone_are_counted(
    tmp_path: Path, publisher: FakePublisher, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(tmp_path) as ear:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(ear, b"a") == [b"a"]
        publisher.log_and_send("b", "c", "d", sent=False)
        publisher.first = 4
        publisher.beat()

        assert until(ear, b"d") == [b"d"]
    assert capsys.readouterr().err == f"ipc://{tmp_path}/bus: up to 2 events were removed before we asked\n"


def test_it_goes_on_after_the_last_event_that_is_in_the_log(tmp_path: Path, publisher: FakePublisher) -> None:
    publisher.log_and_send("a", "b", "c", sent=False)
    with listening(tmp_path) as ear:
        publisher.meet()
        assert until(ear, b"c", "a", "b", "early") == [b"c"]
        publisher.log_and_send("early", "d")

        assert until(ear, b"d") == [b"d"]


def test_a_log_without_the_last_events_is_taken_whole(
    tmp_path: Path, publisher: FakePublisher, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.log_and_send("a", "b", sent=False)
    with listening(tmp_path) as ear:
        publisher.meet()

        assert until(ear, b"b", "x", "y") == [b"a", b"b"]
    assert capsys.readouterr().err == (
        f"ipc://{tmp_path}/bus: the log holds none of the last events; taking all that it holds\n"
    )


def test_lines_for_people() -> None:
    report = {"type": "io.gazegraph.measure.window", "time": "2026-05-01T12:00:00.12Z", "data": {"stream": "shop"}}

    assert line_of(event(1)) == "2026-05-01T12:00:00  shop  #3 ended     coffee 1.5 s"
    assert line_of(json.dumps(report).encode()) == "2026-05-01T12:00:00  shop  window"


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert last_ids(path) == []
    path.write_bytes(event(1) + b"\n" + event(2) + b"\n" + event(3)[:20])

    assert last_ids(path) == ["e1", "e2"]
    assert path.read_bytes() == event(1) + b"\n" + event(2) + b"\n"


def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("milk\neggs")

    with pytest.raises(SystemExit) as raised:
        last_ids(path)
    assert str(raised.value) == f"{path}: expected events, one a line, got something else; give another file"
    assert path.read_text() == "milk\neggs"


def test_a_killed_listener_goes_on_in_its_file(tmp_path: Path, publisher: FakePublisher) -> None:
    path = tmp_path / "events.jsonl"
    command = [sys.executable, "examples/listener.py", f"ipc://{tmp_path}/bus", "look/", str(path)]
    for numbers in ((1, 2), (3, 4), (5, 6)):
        with processes.running(command, cwd=ROOT) as process:
            publisher.meet()
            for number in numbers:
                publisher.log_and_send(f"e{number}", data=event(number))
            processes.until(lambda last=numbers[-1]: path.exists() and path.read_bytes().count(b"\n") >= last, process)

    assert path.read_bytes() == b"".join(event(number) + b"\n" for number in range(1, 7))
