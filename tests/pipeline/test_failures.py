"""Runs in which nodes and sources fail: they end, close everything, and account for every frame."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from pipeline.frames import FrameBatch
from pipeline.node import Frame
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    Log,
    Stamps,
    adds_up,
    chain,
    clip,
    copy,
    failing,
    graph,
    node_class,
    run,
    runtime,
    source_class,
    stream,
)

# runs that fail


@pytest.mark.parametrize("stage", ["new", "same"])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_failing_node_stops_the_run_and_every_frame_is_accounted_for(tmp_path: Path, stage: str, batch_size: int):
    log = Log()
    specs = chain(log, ("a", node_class(copy)), ("b", failing(5 * STEP_NS)), ("c", node_class(copy)), stage=stage)

    report = run({"shop": clip(40)}, tmp_path, *specs, batch_size=batch_size)

    begins = 0.04 * (5 // batch_size * batch_size)
    assert report.status == "failed"
    assert report.error == f"node 'b' (type_b): stream 'shop', pts {begins:.3f} s: broken"
    assert adds_up(report.edges)
    assert report.edges["b"]["dropped"]["error:b"] == batch_size
    assert report.edges["c"]["in"] == report.edges["log"]["in"] == report.frames == 5 // batch_size * batch_size
    assert log.stamps == [index * STEP_NS for index in range(report.frames)]
    assert log.calls[-1] == "close"
    assert log.calls.count("close") == 1
    assert not report.bad_input


def test_a_failing_node_does_not_hold_up_a_source_that_waits_for_room(tmp_path: Path):
    report = run({"a": clip(200), "b": clip(200)}, tmp_path, *chain(Log(), ("b", failing(0))), ticks_in_flight=1)

    assert report.status == "failed"
    assert adds_up(report.edges)


def test_several_nodes_that_fail_are_all_told(tmp_path: Path):
    both = threading.Barrier(2)

    def process(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if len(frames) and frames.pts_ns[0] == (STEP_NS if self.context.name == "a" else 0):
            both.wait(PATIENCE_S)
            raise ValueError("broken")
        return stamps

    report = run({"shop": clip(9)}, tmp_path, *chain(Log(), ("a", node_class(process)), ("b", node_class(process))))

    assert sorted((report.error or "").splitlines()) == [
        "node 'a' (type_a): stream 'shop', pts 0.040 s: broken",
        "node 'b' (type_b): stream 'shop', pts 0.000 s: broken",
    ]
    assert adds_up(report.edges)


def test_a_node_that_ends_the_interpreter_stops_the_run_alone(tmp_path: Path):
    report = run({"shop": clip(40)}, tmp_path, *chain(Log(), ("b", failing(0, SystemExit(1)))))

    assert report.error == "node 'b' (type_b): stream 'shop', pts 0.000 s: SystemExit: 1"


def test_a_node_that_cannot_be_closed_fails_the_run_and_all_others_are_closed(tmp_path: Path):
    log = Log()

    def close(self: Any) -> None:
        raise OSError("stuck")

    report = run({"shop": clip(3)}, tmp_path, *chain(log, ("a", node_class(copy, close=close))))

    assert (report.status, report.error) == ("failed", "node 'a' (type_a): cannot be closed: OSError: stuck")
    assert log.calls[-1] == "close"
    assert len(log.stamps) == 3


def test_frames_that_fail_are_dropped_and_the_run_goes_on_when_so_asked(tmp_path: Path):
    log = Log()

    def process(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if (frames.pts_ns == 2 * STEP_NS).any() and "b" in frames.stream_id:
            raise ValueError("broken")
        return stamps

    items = {"a": clip(4), "b": clip(4)}
    report = run(items, tmp_path, *chain(log, ("odd", node_class(process))), on_error="drop", batch_size=2)

    assert (report.status, report.dropped) == ("done", {"error:odd": 1})
    assert log.stamps == [index * STEP_NS for index in (0, 0, 1, 1, 2, 3, 3)]
    assert report.edges["odd"] == {"in": 8, "out": 7, "dropped": {"error:odd": 1}, "in_flight": 0}
    assert report.edges["log"] == {"in": 7, "out": 7, "dropped": {}, "in_flight": 0}


def test_permits_are_given_back_for_ticks_that_lost_all_their_frames(tmp_path: Path):
    report = run(
        {"shop": clip(40)}, tmp_path, *chain(Log(), ("b", failing(0))), on_error="drop", ticks_in_flight=1
    )  # fmt: skip

    assert (report.status, report.dropped, report.frames) == ("done", {"error:b": 40}, 0)


# sources that fail


@pytest.mark.parametrize(("before", "bad_input"), [(0, True), (2, False)])
def test_a_source_that_breaks_ends_its_stream_and_fails_the_run(tmp_path: Path, before: int, bad_input: bool):
    log = Log()

    def read(self: Any) -> Iterator[Frame]:
        yield from clip(before if self.stream.id == "a" else 3)  # type: ignore[misc]
        if self.stream.id == "a":
            raise SourceError("stream 'a': gone; plug it in")

    source = source_class(read)

    report = runtime(graph(*chain(log), source=source), [stream("a"), stream("b")], tmp_path).run()

    assert (report.status, report.error, report.bad_input) == ("failed", "stream 'a': gone; plug it in", bad_input)
    assert report.frames == before + 3
    assert log.calls.count("stream_ended a") == log.calls.count("stream_ended b") == 1
