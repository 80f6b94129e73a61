"""A reload makes what runs what is written, or says all that needs a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.control.steering import Steering
from pipeline.errors import GraphError
from pipeline.frames import Stream
from pipeline.node import Node, NodeConfig
from pipeline.streams import StreamConfig
from tests.pipeline.control.desk import CLASSES, LAID_OUT, Desk, Look


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_reload_makes_what_runs_what_is_written(desk: Desk) -> None:
    desk.rewrite('  yard: {url: "rtsp://yard/1"}', '  gate: {url: "rtsp://gate/1"}')
    desk.rewrite("min_look_s: 0.5", "min_look_s: 0.75")
    desk.rewrite("shelf: [[0, 0]", "rack: [[0, 0]")
    desk.rewrite("max_fps: 5", "max_fps: 10")

    assert desk.steering.reload() == [
        "streams.yard", "streams.gate", "streams.door.aois.shelf", "streams.door.aois.rack", "streams.door.max_fps",
        "looks.min_look_s",
    ]  # fmt: skip
    left, come, (_, streams, nodes) = desk.run.asked
    assert left == ("remove", "yard")
    assert come == ("add", Stream("gate", StreamConfig(url="rtsp://gate/1"), True))
    assert nodes == {"looks": {"min_look_s": 0.75}}
    assert streams["door"].start_time is not None
    assert desk.steering.reload() == []


def test_a_reload_of_what_is_written_already_changes_nothing(desk: Desk) -> None:
    assert desk.steering.reload() == []
    assert desk.run.asked == []


def test_a_reload_takes_changes_back_but_leaves_streams_that_were_added(desk: Desk) -> None:
    desk.steering.configure({"looks.min_look_s": 3})
    desk.steering.add("gate", {"url": "rtsp://gate/1"})
    desk.steering.remove("yard")
    desk.run.asked.clear()

    assert desk.steering.reload() == ["streams.yard", "looks.min_look_s"]
    assert desk.run.asked[1:] == [("configure", {}, {"looks": {"min_look_s": 0.5}})]
    assert set(desk.run.streams()) == {"door", "gate", "yard"}


def test_a_stream_that_was_added_and_then_written_goes_when_it_is_written_no_more(desk: Desk) -> None:
    line = '  yard: {url: "rtsp://yard/1"}'
    desk.steering.add("gate", {"url": "rtsp://gate/1"})
    desk.rewrite(line, f'{line}\n  gate: {{url: "rtsp://gate/1"}}')
    assert desk.steering.reload() == []
    desk.rewrite('\n  gate: {url: "rtsp://gate/1"}', "")

    assert desk.steering.reload() == ["streams.gate"]


def test_a_reload_that_needs_a_restart_is_refused_as_a_whole(desk: Desk) -> None:
    desk.rewrite("batch_size: 2", "batch_size: 4")
    desk.rewrite("min_look_s: 0.5", "min_look_s: 0.75, keep_s: 9")
    desk.rewrite("rtsp://yard/1", "rtsp://yard/2")
    desk.rewrite("log:    {type: log,  in: {looks: looks}}", "more: {type: look, in: {frames: frames}, stage: new}")
    desk.rewrite("looks:  {type: look,", "looks:  {stage: new, type: look,")
    desk.rewrite("engine:", "  clip: {url: clip.mp4}\nengine:")

    assert desk.refused(desk.steering.reload) == [
        f"{desk.graph}: log: cannot be taken out while the graph runs, {LAID_OUT}",
        f"{desk.graph}:3: more: cannot be put in while the graph runs, {LAID_OUT}",
        f"{desk.graph}:2: looks.stage: cannot change while the graph runs, {LAID_OUT}",
        f"{desk.config}:5: engine.batch_size: cannot change while the graph runs, {LAID_OUT}",
        f"{desk.config}:4: streams.clip: cannot be added while the graph runs, because files are run one by one before "
        "live streams; run it by itself",
        f"{desk.config}:6: looks.keep_s: cannot change while the graph runs, because it is taken up when a run begins; "
        "restart",
        f"{desk.config}:3: streams.yard.url: cannot change while the graph runs, because what came from elsewhere "
        "would be another stream; remove the stream and add it again",
    ]


def test_a_node_of_another_type_is_refused(desk: Desk) -> None:
    desk.rewrite("looks:  {type: look, in: {frames: frames}}", "looks:  {type: other, in: {frames: frames}}")
    desk.rewrite("looks: {min_look_s: 0.5}", "")
    CLASSES["other"] = type("Other", (Look,), {"process": Look.process, "__orig_bases__": (Node[NodeConfig],)})

    assert desk.refused(desk.steering.reload) == [
        f"{desk.graph}:2: looks.type: cannot change while the graph runs, {LAID_OUT}"
    ]


def test_what_is_written_wrongly_is_told_and_nothing_is_done(desk: Desk) -> None:
    desk.rewrite("min_look_s: 0.5", "min_look_s: -1")
    assert desk.wrong(desk.steering.reload) == [
        f"{desk.config}:5: looks.min_look_s: expected greater than or equal to 0, got -1"
    ]

    def fail() -> Any:
        raise GraphError("graph.yaml:1: broken")

    desk.steering._read = fail
    assert desk.wrong(desk.steering.reload) == ["graph.yaml:1: broken"]


def test_a_file_that_was_run_before_may_stay_but_not_change(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.rewrite("engine:", "  clip: {url: clip.mp4}\nengine:")
    graph, config, streams = desk.read()
    desk.steering = Steering(desk.run, graph, config, desk.read, streams=streams, root=tmp_path)

    assert desk.steering.reload() == []
    desk.rewrite("{url: clip.mp4}", "{url: clip.mp4, hfov_deg: 60}")
    assert desk.refused(desk.steering.reload) == [
        f"{desk.config}:4: streams.clip.hfov_deg: cannot change while the graph runs, because files are run as "
        "configured; change the configuration and run it again"
    ]
