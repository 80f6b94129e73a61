"""The server begins and ends with its run, and takes nothing from the program."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import pytest

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.server import serving
from pipeline.control.steers import OnlyTells
from pipeline.errors import ConfigError, RefusedError
from tests.pipeline.control.asking import ask
from tests.pipeline.control.fake_run import RUN, FakeRun

ANY_PORT = Access(Address(port=0), None, 10.0)


def test_it_takes_no_signals_and_leaves_no_threads() -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    threads = set(threading.enumerate())

    with serving(FakeRun(), ANY_PORT, "1") as at:
        ask(at, "GET", "/status")
        during = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    assert during == handlers
    assert set(threading.enumerate()) == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((at.host, at.port), timeout=10)


def test_it_ends_with_connections_that_wait_and_when_the_run_fails() -> None:
    with pytest.raises(ZeroDivisionError), serving(FakeRun(), ANY_PORT, "1") as at:
        waiting = socket.create_connection((at.host, at.port), timeout=10)
        waiting.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        waiting.recv(1)
        raise ZeroDivisionError

    waiting.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("http")]


def test_a_port_that_is_taken_is_told_before_anything_begins() -> None:
    with serving(FakeRun(), ANY_PORT, "1") as at:
        threads = set(threading.enumerate())
        with pytest.raises(ConfigError, match="expected a free address"), serving(FakeRun(), Access(at, None, 1), "1"):
            pass

        assert set(threading.enumerate()) == threads


def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"

    with (
        serving(FakeRun(), Access(Address(path=path), None, 10.0), "1"),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking,
    ):
        asking.settimeout(10)
        asking.connect(str(path))
        asking.sendall(b"GET /health/live HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        answered = asking.recv(1 << 16)

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert not path.exists()


def test_changes_wait_for_one_another_and_reading_does_not_wait_for_them() -> None:
    entered, go_on, at_once = threading.Event(), threading.Event(), []

    class Slow(FakeRun):
        def pause(self, stream_id: str) -> None:
            at_once.append(stream_id)
            entered.set()
            assert go_on.wait(10)
            at_once.remove(stream_id)

        def resume(self, stream_id: str) -> None:
            assert at_once == []

    with serving(Slow(), ANY_PORT, "1") as at:
        told: list[int] = []
        asking = [
            threading.Thread(target=lambda verb=verb: told.append(ask(at, "POST", f"/streams/door/{verb}").status))
            for verb in ("pause", "resume")
        ]
        asking[0].start()
        entered.wait(10)
        asking[1].start()
        while_changing = ask(at, "GET", "/health/live").status
        go_on.set()
        for thread in asking:
            thread.join()

    assert (while_changing, told) == (200, [200, 200])


def test_a_run_that_only_tells_refuses_changes() -> None:
    run = OnlyTells(lambda: RUN, "the run: no")

    assert run.status() is RUN
    for change in (
        lambda: run.add("a", {}),
        lambda: run.remove("a"),
        lambda: run.pause("a"),
        lambda: run.resume("a"),
        lambda: run.configure({}),
        lambda: run.reload(),
    ):
        with pytest.raises(RefusedError, match=r"^the run: no$"):
            change()
