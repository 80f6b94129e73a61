"""The parts of the live benchmark with real cameras, small: they find what is there and what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cameras.clips import make_clip, read_number
from benchmarks.cameras.commands import FAULTS as KNOWN
from benchmarks.cameras.process import CameraProcess
from benchmarks.graph_runs import shipped_graph
from benchmarks.live_churn import QUICK, churn, fail_to_connect, refusing_url
from benchmarks.live_faults import FAULTS, measure_faults
from benchmarks.live_run import LiveRun, live_stream, not_added_up
from benchmarks.live_sink import Eye
from benchmarks.live_tally import Clock
from pipeline.errors import PipelineError

FPS = 25.0


def test_faults_happen_and_pass() -> None:
    found = measure_faults(1, ["connection_dropped", "time_jump"])

    dropped, jumped = found["faults"]["connection_dropped"], found["faults"]["time_jump"]
    assert (dropped["reasons"], dropped["false_ends"]) == (["ended"], 0)
    assert dropped["states"][0] == dropped["states"][-1] == "live"
    assert 0 < dropped["back_off_s"] < dropped["recovered_s"]
    assert (jumped["recovered_s"] is not None, jumped["generations"], jumped["false_ends"]) == (True, 1, 0)
    assert found["violations"] == []


def test_there_are_as_many_faults_as_asked_for_and_each_can_be_asked_of_a_camera() -> None:
    steps = {what for fault in FAULTS.values() for what, _ in [*fault.begin, *fault.end]}
    assert len(FAULTS) >= 12
    assert steps <= {*KNOWN, "start", "stop"}


def test_cameras_come_and_go_and_are_not_there(tmp_path: Path) -> None:
    graph, settings = shipped_graph(["frames"], QUICK)
    clip = make_clip(tmp_path, (160, 90), frames=50, fps=FPS, gop=5, source=None)
    eye = Eye(read_number)
    eye.clocks["host"] = Clock(FPS, len(clip.units))
    with CameraProcess(clip.path, fps=FPS) as cameras:
        streams = [live_stream("host", cameras.urls["cam0"]), live_stream("nobody", refusing_url())]
        with LiveRun(graph, settings, streams, eye, tmp_path) as run:
            came = churn(run, cameras.urls["cam0"], cycles=24, since=0)
            failed = fail_to_connect(run, ["nobody"], connects=30, since=0)
            run.wait_until(lambda: eye.first_sent("host", 0.0) is not None, 5.0, "a frame")

    assert (came["cycles"], came["first"]["cycle"], came["last"]["cycle"]) == (24, 20, 24)
    assert failed["connects"] >= 30
    assert failed["reasons"] == ["refused"]
    assert run.violations == []
    assert run.report
    assert run.report.removed["in"] > 0
    assert 0 < (eye.first_sent("host", 0.0) or eye.between(0.0)[0]).age_s < 1  # type: ignore[operator]

    report = run.report
    host = report.streams["host"]
    told = "node 'a': 3 frames came, 1 are missing"
    less = replace(report, streams={"host": {**host, "out": host["out"] - 1}}, error=told)
    assert not_added_up(less) == [
        f"stream 'host': {host['in']} frames came, 1 of them neither went nor were dropped",
        told,
    ]


def test_a_run_that_cannot_begin_is_said(tmp_path: Path) -> None:
    graph, settings = shipped_graph(["people"], ["people.model=people-shop-480"])
    people = graph.node("people")
    broken = replace(people, config=people.config.model_copy(update={"model": str(tmp_path / "none.onnx")}))
    graph = replace(graph, nodes=(*graph.nodes[:-1], broken))

    run = LiveRun(graph, settings, [live_stream("host", refusing_url())], Eye(read_number), tmp_path)
    with pytest.raises(PipelineError, match=r"none\.onnx"), run:
        pass


def test_what_does_not_come_is_said_with_the_state_of_the_streams(tmp_path: Path) -> None:
    graph, settings = shipped_graph(["frames"], QUICK)
    with LiveRun(graph, settings, [live_stream("host", refusing_url())], Eye(read_number), tmp_path) as run:
        run.wait_until(lambda: (status := run.stream("host")) is not None and bool(status.losses), 5.0, "a loss")
        with pytest.raises(PipelineError) as error:
            run.wait_until(lambda: False, 0.0, "rain")

    assert str(error.value).startswith("live run: expected rain within 0 s, got none; host ")
    assert "Connection refused" in str(error.value)
