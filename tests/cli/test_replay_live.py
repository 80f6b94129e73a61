"""What live streams did, lost and were told is replayed to the same bytes; runs that follow each other stay apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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

NOON = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
EPOCH = datetime.fromtimestamp(0, UTC)
BEGAN_S = 1_714_564_800


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder; runs begin at noon, and each an hour after the one before."""
    times: Iterator[datetime] = (NOON + timedelta(hours=hours) for hours in range(9))
    monkeypatch.setattr(cli.run, "datetime", SimpleNamespace(now=lambda zone: next(times)))
    monkeypatch.setattr(cli.plan, "resolve", made_up.resolve)
    monkeypatch.setattr(cli.replay_plan, "resolve", made_up.resolve)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    """Run what succeeds and return what is told of event logs."""
    capsys.readouterr()
    assert program.main(argv) == 0, capsys.readouterr()
    return [line for line in capsys.readouterr().out.splitlines() if "jsonl:" in line]


def same(*names: str) -> list[str]:
    """Return what is told when replays of streams give the same events and measures."""
    logs = [f"{name}/{log}.jsonl" for name in names for log in ("events", "measures")]
    return [f"{log}: {len(events(f'out/two/{log}'))} events, the same bytes" for log in logs]


def events(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def moment(began: datetime, event: dict[str, Any]) -> str:
    """Return when an event became known, in a stream that began then."""
    return f"{began + timedelta(seconds=event['data']['known_s']):%Y-%m-%dT%H:%M:%S.%fZ}"


def test_two_cameras_one_of_which_is_cut_and_one_fails_are_replayed_to_the_same_bytes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.write_graph(here, a={"url": "live://6?cut=25"}, b={"url": "live://5"})

    run(capsys, "graphs/two.yaml", "--record", "rec", "--set", "gaze.fails_s=[1.2,2.4]", "engine.batch_size=3")

    assert sorted(path.name for path in Path("rec").iterdir()) == ["live", "recording.json"]
    assert run(capsys, "replay", "rec", "--assert") == same("a", "b")

    a, b = events("out/two/a/events.jsonl"), events("out/two/b/events.jsonl")
    assert min(len(a), len(b)) >= 10
    assert {event["data"]["generation"] - BEGAN_S for event in a} == {0, 1}
    assert {event["data"].get("reason") for event in a + b} >= {"discontinuity", "stream_ended"}, a
    assert a[0]["time"] == moment(NOON, a[0])
    assert a[0]["sequence"] == f"{BEGAN_S}.0000000000"
    assert a[0]["id"] == f"a/{BEGAN_S}/1/right/0/started"


def test_a_camera_that_loses_frames_at_the_door_is_replayed_as_it_was_seen(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.write_graph(here, a={"url": "live://20", "when_full": "keep_newest"}, b={"url": "live://3"})

    run(capsys, "graphs/two.yaml", "--record", "rec")

    summary = json.loads(Path("out/two/a/summary.json").read_text("utf-8"))
    assert summary["dropped"]["not_newest"] > 0
    assert summary["streams"]["a"]["frames"] < 200
    assert run(capsys, "replay", "rec", "--assert") == same("a", "b")


def test_failures_of_what_draws_reach_no_event(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up.write_graph(here, a={"url": "live://5"})

    run(capsys, "graphs/two.yaml", "--record", "rec", "--set", "drawn.fails_s=[0.2,4]")

    a = events("out/two/a/events.jsonl")
    assert len(a) > 10
    assert {event["data"].get("reason") for event in a} == {None, "looked_away", "stream_ended"}
    assert run(capsys, "replay", "rec", "--assert") == same("a")


def test_of_a_log_that_goes_on_only_what_the_recorded_run_added_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.write_graph(here, a={"url": "live://4"})
    rotated = "log.rotate_mb=0.005"
    run(capsys, "graphs/two.yaml", "--set", rotated)
    parts = sorted(Path("out/two/a").glob("events*.jsonl"))
    killed = parts[-1]  # as a killed run leaves it: nobody ended the last visits
    killed.write_bytes(b"".join(line for line in killed.read_bytes().splitlines(keepends=True) if b"ended" not in line))

    run(capsys, "graphs/two.yaml", "--record", "rec", "--set", rotated)

    kept = events("rec/live/logs/a/events.jsonl")
    assert {event["data"]["generation"] for event in kept} == {BEGAN_S + 3600}
    assert len(sorted(Path("out/two/a").glob("events*.jsonl"))) > len(parts) > 1
    assert run(capsys, "replay", "rec", "--assert") == [
        f"a/events.jsonl: {len(kept)} events, the same bytes", "a/measures.jsonl: 2 events, the same bytes"
    ]  # fmt: skip


def test_with_another_configuration_a_camera_still_begins_when_it_did(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.write_graph(here, a={"url": "live://2"})
    run(capsys, "graphs/two.yaml", "--record", "rec")

    assert run(capsys, "replay", "rec", "--assert", "--config", "configs/two.yaml") == same("a")


def test_a_file_and_a_camera_in_one_recording(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up.write_graph(here, a={"url": "live://3"}, clip={"url": "made://4"})

    run(capsys, "graphs/two.yaml", "--record", "rec")

    assert sorted(path.name for path in Path("rec").iterdir()) == ["clip", "live", "recording.json"]
    assert run(capsys, "replay", "rec", "--assert") == same("clip", "a")
    first = events("out/two/clip/events.jsonl")[0]
    assert first["data"]["generation"] == 0
    assert first["time"] == moment(EPOCH, first)


def test_a_camera_on_the_network_is_replayed_across_a_hang_up(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up.write_graph(here, made_up.GRAPH.replace("read_nothing", "decode_video"), door={"url": "0"})
    video = write_clip(here / "a.h264", [square(index % 20) for index in range(40)], bf=0, g=10, tune="zerolatency")

    with RtspCamera(read_clip(video), user="me", password="secret", recorded=True) as camera:
        at_once = "engine.back_off_first_s=0.01"
        source = ["--source", f"door={camera.url}", "--max-frames", "60", "--set", at_once]
        assert program.main(["graphs/two.yaml", *source, "--record", "rec"]) == 0

    assert "secret" not in capsys.readouterr().err
    assert b"secret" not in b"".join(path.read_bytes() for path in Path("rec").rglob("*") if path.is_file())
    door = events("out/two/door/events.jsonl")
    assert {event["data"]["generation"] for event in door} == {BEGAN_S, BEGAN_S + 1}
    assert run(capsys, "replay", "rec", "--assert") == same("door")


def test_a_recording_holds_no_password(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up.write_graph(here, clip={"url": "made://1"})

    run(capsys, "graphs/two.yaml", "--source", "a=live://me:secret@1", "b=live://1?token=secret", "--record", "rec")

    text = Path("rec/recording.json").read_text("utf-8")
    assert "secret" not in text
    assert {name: stream["config"]["url"] for name, stream in json.loads(text)["streams"].items()} == {
        "a": "live://me:***@1",
        "b": "live://1?token=***",
    }
    assert run(capsys, "replay", "rec", "--assert") == same("a", "b")
