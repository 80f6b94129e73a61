"""Recordings that are damaged, not whole, or no longer fit the program: what can be decided is; the rest is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli import program
from nodes import write_events
from tests.cli import made_up
from tests.cli.replays import change, count, run, same
from tests.repository import ROOT


def test_a_run_that_was_killed_is_replayed_and_not_compared(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(runs={"shop": {"streams": ["shop"]}})
    for edge in ("people", "gaze"):
        ticks = Path(f"rec/shop/{edge}.ticks")
        ticks.write_bytes(ticks.read_bytes()[: -20_000 if edge == "gaze" else -1])
    told = [
        "shop: nothing to compare with: the recorded run was killed or still goes on, so its events may not be complete"
    ]

    code, lines, err = run(capsys, "replay", "rec", "--assert")
    assert (code, lines) == (1, told)
    assert err == []
    again = Path("out/replay/rec/shop/events.jsonl").read_bytes().splitlines()
    assert 5 < len(again) < count()
    assert run(capsys, "replay", "rec")[:2] == (0, told)


@pytest.mark.usefixtures("made_up_nodes")
def test_a_run_that_was_killed_before_anything_was_recorded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, a={"url": "made://1"}, b={"url": "made://1"})
    assert program.main(["graphs/two.yaml", "--record", "rec"]) == 0
    runs = json.loads(Path("rec/recording.json").read_text("utf-8"))["runs"]
    change(runs={**runs, "b": {"streams": ["b"]}})
    Path("rec/b/gaze.ticks").write_bytes(b"")

    code, lines, err = run(capsys, "replay", "rec", "--assert")

    assert (code, err) == (1, [])
    assert lines == [
        f"a/events.jsonl: {count('out/two/a/events.jsonl')} events, the same bytes",
        "a/measures.jsonl: 2 events, the same bytes",
        "b: nothing to compare with: the recorded run was killed or still goes on, so its events may not be complete",
    ]


def test_without_events_there_is_no_proof(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(runs={"shop": {"streams": ["shop"], "ended": "done", "logs": []}})
    told = ["shop: nothing to compare with: the recorded run wrote no events but to others"]

    assert run(capsys, "replay", "rec", "--assert") == (1, told, [])
    assert run(capsys, "replay", "rec") == (0, told, [])


def test_values_cannot_stand_in_for_streams(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]
    change(values={**values, "streams": {"other": {}}})

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])


@pytest.mark.usefixtures("made_up_nodes")
def test_a_run_that_failed_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, b={"url": "made://4"})
    why = "node 'gaze' (see_gaze): stream 'b', pts 3.000 s: nothing to be seen"

    assert run(capsys, "graphs/two.yaml", "--record", "rec", "--set", "gaze.fails_s=[3,4]") == (1, [], [why])
    assert run(capsys, "replay", "rec", "--assert")[:2] == (
        1, [f"b: nothing to compare with: the recorded run failed ({why}), so its events may not be complete"]
    )  # fmt: skip


def test_events_that_were_changed_are_no_proof(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path("rec/shop/logs/shop/events.jsonl")
    lines = kept.read_text("utf-8").splitlines(keepends=True)
    before = json.loads(lines[2])["data"]["dwell_s"]
    lines[2] = lines[2].replace(f'"dwell_s":{before}', '"dwell_s":7.5')
    kept.write_text("".join(lines), "utf-8")

    assert run(capsys, "replay", "rec", "--assert") == (
        2,
        [],
        [
            f"{kept}: expected the log as it was recorded, got a changed one; record the run again",
            "compared with the replay, line 3 is the first that differs",
            f"  data.dwell_s: recorded 7.5, replayed {before}",
        ],
    )
    kept.unlink()
    assert run(capsys, "replay", "rec")[2] == [
        f"{kept}: cannot be read (No such file or directory); record the run again"
    ]


def test_a_recording_that_was_changed_gives_other_events(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two, five = (np.array([1, id], np.int64).tobytes() for id in (2, 5))
    for ticks in Path("rec/shop").glob("*.ticks"):
        ticks.write_bytes(ticks.read_bytes().replace(two, five))

    code, lines, _ = run(capsys, "replay", "rec", "--assert")

    assert code == 1
    assert re.fullmatch(r"shop/.* [1-9]\d* tell the same, 0 changed, .*; line 2 is the first that differs", lines[0])
    assert lines[1:3] == ["  recorded: shop/0/2/left/0/started", "  replayed: shop/0/5/left/0/started"]


def test_a_missing_edge_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rec/shop/gaze.ticks").unlink()

    assert run(capsys, "replay", "rec")[::2] == (
        2,
        [
            "--replay gaze=rec/shop: expected the recording rec/shop/gaze.ticks, got: No such file or directory; "
            "record it again with --record"
        ],
    )
    change(edges=["people"])
    assert run(capsys, "replay", "rec")[::2] == (
        2, ["rec/recording.json: expected a recording of people, gaze, got none of gaze; record it again"]
    )  # fmt: skip


def test_a_graph_that_no_longer_fits_the_program_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(graph_text=made_up.GRAPH.replace("hit_aoi", "hit_target"))

    code, _, err = run(capsys, "replay", "rec")

    assert code == 2
    assert err[0].startswith("rec/recording.json/two.yaml:7: hits.type: unknown node type 'hit_target'; did you mean '")


def test_files_that_nodes_below_need_must_be_there(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks: Any = lambda self, root: {"file": [f"expected a folder in {root}, got none"]}  # noqa: E731
    monkeypatch.setattr(write_events.Config, "problems", lacks)

    assert run(capsys, "replay", "rec") == (
        2, [], [f"rec/recording.json: log.file: expected a folder in {ROOT}, got none"]
    )  # fmt: skip


def test_recorded_values_that_the_program_no_longer_takes_are_told(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads(Path("rec/recording.json").read_text("utf-8"))
    manifest["values"]["looks"]["min_gap_s"] = 1
    manifest["values"]["engine"]["speed"] = 1
    manifest["streams"]["shop"]["config"]["max_fps"] = -1
    change(**manifest)

    code, _, err = run(capsys, "replay", "rec")

    assert code == 2
    assert [line.split(";")[0] for line in err] == [
        "rec/recording.json: streams.shop.max_fps: expected greater than 0, got -1",
        "rec/recording.json: engine.speed: unknown key",
        "rec/recording.json: looks.min_gap_s: unknown key",
    ]


def test_recorded_values_are_checked_even_if_others_are_taken(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads(Path("rec/recording.json").read_text("utf-8"))
    manifest["values"]["gaze"]["fails_s"] = 1
    manifest["values"]["looks"]["min_gap_s"] = 1  # of a node that is run again, with the other configuration
    manifest["streams"]["shop"]["config"]["max_fps"] = -1
    change(**manifest)

    code, _, err = run(capsys, "replay", "rec", "--config", "configs/two.yaml")

    assert code == 2
    assert [line.split(" (")[0] for line in err] == [
        "rec/recording.json: gaze.fails_s: expected a list, got 1",
        "rec/recording.json: streams.shop.max_fps: expected greater than 0, got -1",
    ]
