"""The example of a live graph, with one that decodes and writes video: what it says is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import ROOT
from examples import live
from examples.live import SHOWN, Graph, main, retail, unaccounted
from pipeline.errors import PipelineError

GRAPH = "frames: {type: decode_video}\nvideo: {type: write_video, in: {frames: frames}}\n"


@pytest.fixture
def graph(tmp_path: Path) -> list[str]:
    (tmp_path / "quick.yaml").write_text(GRAPH, "utf-8")
    return [str(tmp_path / "quick.yaml")]


def test_cameras_are_lost_found_added_and_accounted_for(
    tmp_path: Path, graph: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(tmp_path / "example")], graph)

    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    said = told.out.splitlines()
    assert [line.split()[0] for line in said if re.match(r"\S+ {1,8}\S", line[:10])][:5] == [
        "ready",
        "kill",
        "GET",
        "restart",
        "ctl",
    ]
    assert "GET      /health/ready: 503" in said
    assert re.search(
        r"stream door: for \d\.\d s no frame has left the graph \(.*, was lost: (refused|ended)\)", told.out
    )
    assert re.search(r"restart  ready again \d+\.\d s after the server", told.out)
    assert 'gazegraph_stream_state{state="live",stream="yard"} 1.0' in told.out
    assert "GET      /health/ready: 200" in said
    assert "Ctrl-C   exit code 130" in said
    accounts = [re.fullmatch(r"(door|till|yard) +(\d+) = +(\d+) \+ (\d+)( \(.*\))?", line) for line in said]
    sums = {found[1]: [int(found[place]) for place in (2, 3, 4)] for found in accounts if found}
    assert sorted(sums) == ["door", "till", "yard"]
    assert all(came == went + dropped and went for came, went, dropped in sums.values())
    assert said[-1] == "in all   every frame is accounted for"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"error": "node 'video': disk full"}, ["run: expected no error, got node 'video': disk full"]),
        (
            {"edges": {"frames": {"in": 9, "out": 5, "dropped": {"not_newest": 3}}}},
            ["frames: 1 frames are not accounted for"],
        ),
        (
            {"streams": {"door": {"in": 4, "out": 5, "dropped": {}}}},
            [
                "run: expected accounts of door, till and yard, got door",
                "door: -1 frames are not accounted for",
            ],
        ),
    ],
)  # fmt: skip
def test_frames_that_are_missing_are_found(change: dict[str, Any], wrong: list[str], tmp_path: Path) -> None:
    account = {"in": 9, "out": 5, "dropped": {"not_newest": 3, "too_old": 1}, "in_flight": 0}
    streams = dict.fromkeys(("door", "till", "yard"), account)
    summary = {"error": None, "streams": streams, "edges": {"frames": account}, **change}
    (tmp_path / "door").mkdir()
    (tmp_path / "door" / "summary.json").write_text(json.dumps(summary), "utf-8")

    assert unaccounted(tmp_path) == wrong


def test_a_graph_that_fails_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)], ["no_such.yaml"]) == 2
    assert capsys.readouterr().err.startswith("graph: expected frames of two cameras, got exit code 2: ")


def test_what_does_not_come_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WITHIN_S", 0.0)
    monkeypatch.setattr(Graph, "get", lambda self, path: (503, "not yet"))
    idle = Graph.__new__(Graph)
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as idle.process:
        with pytest.raises(PipelineError, match=r"^graph: expected frames within 0 s, got not yet$"):
            idle.wait_for("frames", lambda: False)
        idle.process.kill()


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    assert main([str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"{tmp_path}: expected a new or empty folder, got one with files; give another one\n"
    )
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("gazegraph_frames_out_total 90.0", True),
        ('gazegraph_stream_state{state="live",stream="door"} 1.0', True),
        ('gazegraph_stream_state{state="lost",stream="door"} 0.0', False),
        ('gazegraph_stream_state_seconds{stream="door"} 3.5', False),
        ("# TYPE gazegraph_frames_out_total counter", False),
    ],
)
def test_few_metrics_are_shown(line: str, shown: bool) -> None:
    assert bool(SHOWN.match(line)) is shown


def test_the_shipped_graph_is_the_one_that_is_shown() -> None:
    graph, *values = retail()

    assert (ROOT / graph).is_file()
    assert re.fullmatch(r"--set bus\.endpoint=tcp://127\.0\.0\.1:\d+", " ".join(values))
