"""A graph that was killed while live ends its open visits when it is started again, in the log and on the bus."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cli.replay_plan
import cli.run
from benchmarks.cameras.clips import read_clip
from benchmarks.cameras.rtsp import RtspCamera
from cli import program
from tests.cli import made_up
from tests.clips import square, write_clip
from tests.processes import running, until
from tests.repository import ROOT

LOG, DURABLE = Path("out/two/door/events.jsonl"), Path("out/two/events.db")
Events = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a graph that reads a camera on the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.plan, "resolve", made_up.resolve)
    monkeypatch.setattr(cli.replay_plan, "resolve", made_up.resolve)
    made_up.write_graph(tmp_path, made_up.GRAPH.replace("read_nothing", "decode_video"), door={"url": "0"})
    return tmp_path


def program_running(*argv: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.cli.made_up", *argv]
    return running(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE)


def logged() -> Events:
    whole = LOG.read_bytes().rpartition(b"\n")[0] if LOG.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def durable() -> Events:
    if not DURABLE.exists():
        return []
    with closing(sqlite3.connect(f"file:{DURABLE}?mode=ro", uri=True)) as db:
        try:
            told = [json.loads(row[0]) for row in db.execute("SELECT data FROM messages ORDER BY position")]
            return [event for event in told if event["type"].startswith("io.gazegraph.look.")]
        except sqlite3.OperationalError:  # it is being made
            return []


def still_open(events: Events) -> dict[str, dict[str, Any]]:
    """Return the last event of each visit that has not ended, in the order of these events."""
    last = {event["data"]["visit"]: event for event in sorted(events, key=lambda event: event["sequence"])}
    left = [event for event in last.values() if event["type"].endswith((".started", ".updated"))]
    return {event["data"]["visit"]: event for event in sorted(left, key=lambda event: event["sequence"])}


def test_visits_that_were_open_when_the_program_was_killed_end_at_its_next_start(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_clip(here / "a.h264", [square(index % 20) for index in range(75)], bf=0, g=10, tune="zerolatency")
    clip = read_clip(video)
    with (
        RtspCamera(clip, recorded=True, silent_after=60) as camera,  # then it goes silent, and stays connected
        program_running("graphs/two.yaml", "--source", f"door={camera.url}", "--record", "rec") as process,
    ):
        until(lambda: bool(still_open(logged()) and still_open(durable())), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = {"log": logged(), "durable": durable()}
    (generation,) = {event["data"]["generation"] for event in before["log"]}

    later = datetime.fromtimestamp(generation + 60, UTC)
    monkeypatch.setattr(cli.run, "datetime", SimpleNamespace(now=lambda zone: later))
    with RtspCamera(clip, recorded=True) as camera:
        assert program.main(["graphs/two.yaml", "--source", f"door={camera.url}", "--max-frames", "70"]) == 0

    for name, after in {"log": logged(), "durable": durable()}.items():
        told, left = before[name], still_open(before[name])
        assert left
        ends = after[len(told) : len(told) + len(left)]
        assert after[: len(told)] == told
        assert [end["data"]["visit"] for end in ends] == list(left)
        for count, (end, last) in enumerate(zip(ends, left.values(), strict=True), start=len(told)):
            assert (end["type"], end["data"]["reason"]) == ("io.gazegraph.look.ended", "interrupted")
            assert end["sequence"] == f"{generation:010d}.{count:010d}"
            same = ("time", "source", "subject")
            assert {key: end[key] for key in same} == {key: last[key] for key in same}
            assert {**end["data"], "reason": None} == {**last["data"], "reason": None}
        rest = after[len(told) + len(left) :]
        assert {event["data"]["generation"] for event in rest} == {generation + 60}
        assert "interrupted" not in {event["data"].get("reason") for event in rest}
        assert still_open(after) == {}

    capsys.readouterr()
    assert program.main(["replay", "rec", "--assert"]) == 1
    assert "live: nothing to compare with: the recorded run was killed or still goes on" in capsys.readouterr().out
    again = [json.loads(line) for line in Path("out/replay/rec/door/events.jsonl").read_bytes().splitlines()]
    assert again[: len(before["log"])] == before["log"]
