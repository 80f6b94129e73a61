"""Runs with a live stream: sinks hold up nothing, what is late or fails is dropped and counted, events are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.frames import FrameBatch
from pipeline.graph import NodeSpec
from pipeline.node import Frame, SourceItem
from pipeline.report import RunReport, Snapshot
from tests.helpers import list_source
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    FakeClock,
    Log,
    Stamps,
    adds_up,
    chain,
    clip,
    copy,
    failing,
    graph,
    node_class,
    runtime,
    source_class,
    spec,
    stream,
)

DROPS = {"sink_policy": "drop"}


def run_live(items: Sequence[SourceItem], out: Path, *specs: NodeSpec, **options: Any) -> RunReport:
    """Run nodes on a camera of which no frame is lost before the graph."""
    whole = graph(*specs, source=list_source({"cam": items}, live=True))
    camera = stream("cam", live=True, when_full="wait", **options.pop("camera", {}))
    return runtime(whole, [camera], out, **options).run(every_s=0.005)


def sink(name: str, log: Log) -> NodeSpec:
    return spec(name, log.cls, frames="frames", stamps="stamps")


def held_until(event: threading.Event) -> Callable[[FrameBatch], None]:
    def wait(frames: FrameBatch) -> None:
        assert event.wait(PATIENCE_S)

    return wait


def test_a_slow_sink_holds_up_nobody_and_loses_frames_if_it_may(tmp_path: Path):
    everything_read = threading.Event()
    video = Log(held_until(everything_read), **DROPS)

    def read(self: Any) -> Any:
        yield from clip(60)

    def look(frames: FrameBatch) -> None:
        if len(frames) and frames.pts_ns[-1] == 59 * STEP_NS:
            everything_read.set()  # while the slow sink still holds its first tick

    events = Log(look)
    whole = graph(*chain(events), sink("video", video), source=source_class(read, is_live=lambda url: True))
    report = runtime(whole, [stream("cam", live=True, when_full="wait")], tmp_path, ticks_in_flight=4).run()

    assert report.status == "done"
    assert events.stamps == [index * STEP_NS for index in range(60)]
    assert video.stamps == sorted(video.stamps)
    assert 0 < len(video.stamps) <= 2 * 4
    assert report.edges["video"]["dropped"] == {"sink_slow": 60 - len(video.stamps)}
    assert adds_up(report.edges)
    assert [log.calls[-1] for log in (events, video)] == ["close", "close"]
    assert "stream_ended cam" in video.calls


def test_a_slow_sink_that_keeps_gets_everything_in_order_after_waiting_on_disk(tmp_path: Path):
    all_through = threading.Event()
    events = Log(held_until(all_through))
    other = Log(lambda frames: all_through.set() if (frames.pts_ns == 49 * STEP_NS).any() else None)

    report = run_live(clip(50), tmp_path, *chain(events), sink("other", other), sink_queue=3)

    assert events.stamps == [index * STEP_NS for index in range(50)]
    assert events.calls[-3:] == ["", "stream_ended cam", "close"]
    assert report.sinks["log"]["spilled"] >= 50 - 4
    assert (report.status, report.dropped, report.frames) == ("done", {}, 50)


def test_a_sink_that_fails_for_a_while_is_tried_again_and_loses_nothing(tmp_path: Path):
    left = iter([1, 1, 1])

    def fail(frames: FrameBatch) -> None:
        if len(frames) and next(left, None):
            raise OSError("unplugged")

    held = threading.Event()

    def read(self: Any) -> Any:
        yield from clip(5)
        assert held.wait(PATIENCE_S)

    events = Log(lambda frames: (fail(frames), held.set() if len(frames) and frames.pts_ns[0] else None))
    whole = graph(*chain(events), source=source_class(read))
    camera = stream("cam", live=True, when_full="wait")
    report = runtime(whole, [camera], tmp_path, clock=FakeClock()).run(every_s=0.005)

    assert (report.status, report.dropped) == ("done", {})
    assert events.stamps == [index * STEP_NS for index in range(5)]
    assert report.sinks == {"log": {"spilled": 0, "failures": 3}}
    assert adds_up(report.edges)


def test_what_a_sink_that_keeps_could_not_keep_fails_the_run(tmp_path: Path):
    def fail(frames: FrameBatch) -> None:
        if len(frames):
            raise OSError("unplugged")

    report = run_live(clip(5), tmp_path, *chain(Log(fail)))

    assert report.status == "failed"
    assert report.error == "node 'log' (type_log): stream 'cam', pts 0.000 s: OSError: unplugged"
    assert report.edges["log"] == {"in": 5, "out": 0, "dropped": {"error:log": 5}, "in_flight": 0}


def test_a_failing_node_costs_its_frames_alone_and_the_run_goes_on(tmp_path: Path):
    def fail_once(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if (frames.pts_ns == 2 * STEP_NS).any():
            raise ValueError("broken")
        return stamps

    log = Log()

    report = run_live(clip(5), tmp_path, *chain(log, ("odd", node_class(fail_once))))

    assert (report.status, report.dropped) == ("done", {"error:odd": 1})
    assert log.stamps == [index * STEP_NS for index in (0, 1, 3, 4)]


def test_a_node_that_fails_after_a_sink_takes_no_frame_of_the_account(tmp_path: Path):
    log, after = Log(), failing(3 * STEP_NS)

    report = run_live(clip(5), tmp_path, *chain(log), spec("after", after, frames="frames", stamps="stamps"))

    assert report.status == "done", report.error
    assert report.edges["log"] == {"in": 3, "out": 3, "dropped": {}, "in_flight": 0}


def test_a_stream_on_which_a_node_keeps_failing_begins_a_new_generation_at_its_sinks(tmp_path: Path):
    seen: list[list[int]] = []

    def fail(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if (frames.pts_ns < 5 * STEP_NS).any():
            raise ValueError("broken")
        return stamps

    log = Log(lambda frames: seen.append(frames.generation.tolist()))

    report = run_live(clip(7), tmp_path, *chain(log, ("odd", node_class(fail)), ("below", node_class(copy))))

    assert seen == [[], [], [], [], [], [], [1], [1], []]
    assert report.dropped == {"error:odd": 5}
    assert adds_up(report.edges)


def test_frames_that_are_late_are_dropped_before_the_graph(tmp_path: Path):
    log = Log()
    taken, offered = threading.Event(), threading.Event()

    def read(self: Any) -> Any:
        yield clip(1)[0]
        assert taken.wait(PATIENCE_S)  # the graph is busy with the first frame while the others come
        yield from clip(6)[1:]
        offered.set()

    def hold(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if len(frames) and not frames.pts_ns[0]:
            taken.set()
            assert offered.wait(PATIENCE_S)
        return stamps

    whole = graph(*chain(log, ("busy", node_class(hold))), source=source_class(read))
    report = runtime(whole, [stream("cam", live=True)], tmp_path, ticks_in_flight=1).run(every_s=0.005)

    assert log.stamps == [0, 5 * STEP_NS]
    assert report.edges["frames"] == {"in": 6, "out": 2, "dropped": {"not_newest": 4}, "in_flight": 0}


def test_the_age_of_live_frames_is_told_when_they_leave(tmp_path: Path):
    clock = FakeClock()

    def age(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        clock.ns += 30_000_000 * len(frames)
        return stamps

    report = run_live(clip(1), tmp_path, *chain(Log(), ("slow", node_class(age))), clock=clock)

    assert report.age_at_sink == report.transit == {"p50_ms": 30.0, "p95_ms": 30.0, "max_ms": 30.0}
    assert "age at sink: median 30 ms, p95 30 ms, worst 30 ms" in report.table()


def test_an_interrupt_empties_the_queues_of_sinks(tmp_path: Path):
    stopped = threading.Event()
    events = Log(held_until(stopped))

    def read(self: Any) -> Any:
        index = 0
        while True:
            yield Frame(clip(1)[0].picture, index * STEP_NS)  # type: ignore[union-attr]
            index += 1

    whole = runtime(
        graph(*chain(events), source=source_class(read)), [stream("cam", live=True, when_full="wait")], tmp_path,
        sink_queue=2,
    )  # fmt: skip

    def observe(snapshot: Snapshot) -> None:
        if snapshot.frames > 10:
            whole.interrupt()
        if whole._stopped:  # type: ignore[attr-defined]
            stopped.set()

    report = whole.run(observe, every_s=0.001)

    assert report.status == "interrupted"
    assert len(events.stamps) == report.frames > 10
    assert events.calls[-3:] == ["", "stream_ended cam", "close"]
    assert adds_up(report.edges)
