"""`ctl`: what is typed, what is asked of a graph, and what is printed."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import program
from cli.ctl_values import nested, values_of
from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.server import serving
from pipeline.errors import ConfigError, RefusedError
from tests.pipeline.control.fake_run import DOOR, RUN, FakeRun

RUN_NOW = FakeRun()
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(RUN_NOW, Access(Address(port=0), TOKEN, ready_s=10.0), "1") as address:
        yield str(address)


@pytest.fixture
def ctl(at: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what runs `ctl` on the fake run and returns its exit code, output and complaints."""
    RUN_NOW.begin_again()
    monkeypatch.setenv("GAZEGRAPH_TOKEN", TOKEN)

    def run(*words: str) -> tuple[int, str, str]:
        code = program.main(["ctl", "--at", at, *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_streams_are_listed_as_a_table(ctl: Any) -> None:
    RUN_NOW.told = replace(
        RUN, streams=(DOOR, replace(DOOR, id="till", state="backing_off", state_s=75.0, next_try_s=4.2, dropped={}))
    )

    code, out, err = ctl("streams", "list")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "stream  state        since   in  out  dropped                       connected  "
        "lost                                   url",
        "door    live         0:03   100   80  not_newest 15, error:looks 2          2  "
        "timeout 1, refused 4                   rtsp://me:***@10.0.0.5/live",
        "till    backing_off  1:15   100   80  none                                  2  "
        "timeout 1, refused 4, next try in 4 s  rtsp://me:***@10.0.0.5/live",
    ]


def test_no_streams_are_told(ctl: Any) -> None:
    RUN_NOW.told = replace(RUN, streams=())

    assert ctl("streams", "list") == (0, "no streams\n", "")


@pytest.mark.parametrize(
    ("words", "asked", "out"),
    [
        (
            ["streams", "add", "till", "rtsp://me:secret@h/x", "--set", "max_fps=5", "aois.shelf=[[0,0],[1,0],[1,1]]"],
            ("add", "till", {"url": "rtsp://me:secret@h/x", "max_fps": 5, "aois": {"shelf": [[0, 0], [1, 0], [1, 1]]}}),
            "till: added\n",
        ),
        (["streams", "remove", "door"], ("remove", "door"), "door: removed\n"),
        (["streams", "pause", "door"], ("pause", "door"), "door: paused\n"),
        (["streams", "resume", "door"], ("resume", "door"), "door: resumed\n"),
        (["streams", "remove", "ä b"], ("remove", "ä b"), "ä b: removed\n"),
        (["set", "a.b=0.5", "a.c=x y"], ("configure", {"a.b": 0.5, "a.c": "x y"}), "a.b: changed\na.c: changed\n"),
        (["unset", "a.b"], ("configure", {"a.b": None}), "a.b: changed\n"),
        (["reload"], ("reload",), "streams.till: changed\n"),
    ],
)
def test_changes_are_asked_for(words: list[str], asked: tuple[Any, ...], out: str, ctl: Any) -> None:
    assert ctl(*words) == (0, out, "")
    assert RUN_NOW.asked == [asked]


def test_status_is_told_as_tables(ctl: Any) -> None:
    code, out, err = ctl("status")

    assert (code, err) == (0, "")
    assert out.splitlines()[0] == ("graphs/retail.yaml: running for 0:10, 80 frames out, dropped: error:looks 2")
    assert out.splitlines()[-2:] == [
        "node   frames  rows  ms/frame  cpu ms  waiting",
        "looks      84     6      5.95    2.98  1 of 2",
    ]


def test_health_is_told_with_reasons(ctl: Any) -> None:
    assert ctl("health") == (0, "live: yes\nready: yes\n", "")

    RUN_NOW.told = replace(RUN, streams=(replace(DOOR, last_out_s=12.0, reason=None),))
    reason = "stream door: for 12.0 s no frame has left the graph (live for 3.0 s)"
    assert ctl("health") == (1, f"live: yes\nready: no\n  {reason}\n", "")
    assert ctl("health", "--stream", "door")[0] == 1
    assert ctl("health", "--stream", "till") == (
        1,
        "",
        "streams.till: expected a stream of this run, got none of that id; did you mean 'door'? (streams: door)\n",
    )


@pytest.mark.parametrize(
    "words", [["streams", "list"], ["status"], ["health"], ["reload"], ["streams", "pause", "door"]]
)
def test_json_is_what_the_graph_answered(words: list[str], ctl: Any) -> None:
    code, out, _ = ctl(*words, "--json")

    assert code == 0 and isinstance(json.loads(out), dict)
    assert "secret" not in out


def test_what_a_graph_refuses_is_told_line_by_line(ctl: Any) -> None:
    RUN_NOW.error = RefusedError("a.b: rtsp://me:secret@h\na.c: needs a restart")

    assert ctl("set", "a.b=1") == (1, "", "a.b: rtsp://me:***@h\na.c: needs a restart\n")


def test_a_token_is_asked_for(ctl: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GAZEGRAPH_TOKEN")
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    assert ctl("status") == (
        1,
        "",
        "Authorization: expected 'Bearer' and the token that the graph was started with, got none\n"
        "type: export GAZEGRAPH_TOKEN=..., or name the file that holds the token: ctl --token-file FILE\n",
    )
    assert ctl("--token-file", str(tmp_path / "token"), "reload")[0] == 0
    assert ctl("reload", "--token-file", str(tmp_path / "token"))[0] == 0


def test_an_address_where_nobody_listens_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Address(port=0).listen() as unused:
        port = unused.getsockname()[1]

    for at in (str(port), f"http://127.0.0.1:{port}", f"unix:{tmp_path / 's'}"):
        code = program.main(["ctl", "status", "--at", at])

        told = capsys.readouterr()
        assert (code, told.out, told.err) == (
            1,
            "",
            f"{at}: expected a graph, got nobody who listens; start it with --serve, or say where it is served: "
            "ctl --at HOST:PORT\n",
        )


def test_something_else_that_listens_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://elsewhere.example/")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        code = program.main(["ctl", "--at", str(server.server_port), "status"])
        thread.join()

    assert (code, capsys.readouterr().err) == (
        1,
        f"{server.server_port}: expected a graph, got another HTTP server (status 302); check the address\n",
    )


def test_a_unix_socket_is_asked(tmp_path: Path) -> None:
    at = f"unix:{tmp_path / 's'}"
    with serving(FakeRun(), Access(Address(path=tmp_path / "s"), None, 10.0), "1"):
        assert program.main(["ctl", "--at", at, "health"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "a"], "ctl set a: expected path=value; write for example ctl set max_fps=10"),
        (["set", "a..b=1"], "ctl set a..b=1: expected path=value; write for example ctl set max_fps=10"),
        (["set", "a.b=1", "a.b=2"], "ctl set a.b=2: a.b is given twice; leave one out"),
        (
            ["streams", "add", "a", "u", "--set", "a=1", "a.b=2"],
            "--set a.b: a has a value already; leave one out",
        ),
        (
            ["streams", "add", "a", "u", "--set", "url=rtsp://me:secret@h"],
            "--set url: stands in its place already: ctl streams add ID URL; leave it out",
        ),
        (
            ["--at", "http://me:x@h", "status"],
            "--at: expected http://HOST:PORT, https://HOST:PORT, [HOST:]PORT or unix:PATH, got 'http://me:***@h'",
        ),
        (
            ["--at", "ftp://h", "status"],
            "--at: expected http://HOST:PORT, https://HOST:PORT, [HOST:]PORT or unix:PATH, got 'ftp://h'",
        ),
    ],
)
def test_wrong_words_are_told_before_anything_is_asked(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["ctl", *words]) == 2
    assert capsys.readouterr().err == f"{said}\n"


def test_wrong_options_are_told_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        program.main(["ctl", "streams", "list", "rtsp://me:secret@h/x"])

    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == ("run_graph.py ctl: unrecognized arguments: rtsp://me:***@h/x")


def test_values_are_yaml() -> None:
    assert values_of(["a.b=1", "a.c=", "d=2026-05-01T09:00:00Z", "e={x: [true]}", "f='1'"], "x") == {
        "a.b": 1,
        "a.c": None,
        "d": "2026-05-01T09:00:00+00:00",
        "e": {"x": [True]},
        "f": "1",
    }
    with pytest.raises(ConfigError, match="not YAML"):
        values_of(["a=[1"], "x")
    with pytest.raises(ConfigError, match="given twice"):
        values_of(["a={b: 1, b: 2}"], "x")


def test_dotted_paths_are_blocks() -> None:
    assert nested({"a.b": 1, "a.c.d": 2, "e": 3}, "x") == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    with pytest.raises(ConfigError, match=r"^x a: a has values already; leave one out$"):
        nested({"a.b": 1, "a": 2}, "x")
