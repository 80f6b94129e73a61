"""Whole runs of small graphs: everything arrives, in order, on its thread; what cannot begin says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ModelError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.node import Discontinuity, Dropped
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    Log,
    Stamps,
    chain,
    clip,
    copy,
    frame,
    graph,
    node_class,
    run,
    runtime,
    source_class,
    spec,
    stamp,
    stream,
)

# runs that go well


@pytest.mark.parametrize("stage", ["new", "same"])
def test_every_frame_goes_through_every_node_in_order(tmp_path: Path, stage: str):
    log = Log()

    report = run(
        {"shop": clip(30)}, tmp_path, *chain(log, ("a", node_class(copy)), ("b", node_class(copy)), stage=stage)
    )

    assert log.stamps == [index * STEP_NS for index in range(30)]
    assert log.calls == ["open", "", *["shop"] * 30, "", "stream_ended shop", "close"]
    assert (report.status, report.error, report.frames, report.dropped) == ("done", None, 30, {})
    account = {"in": 30, "out": 30, "dropped": {}, "in_flight": 0}
    assert report.streams == {"shop": {"frames": 30, "last_pts_s": 29 * STEP_NS / 1e9, **account}}
    assert report.edges == {name: account for name in ("frames", "stamps", "a", "b", "log")}


def test_streams_are_merged_by_time_and_end_one_by_one(tmp_path: Path):
    log = Log()

    run({"a": clip(4, STEP_NS), "b": clip(2, 3 * STEP_NS), "c": []}, tmp_path, *chain(log), batch_size=2)

    assert log.calls == [
        "open", "", "", "", "", "stream_ended c", "a,b", "a,a", "a", "", "stream_ended a", "b", "", "stream_ended b",
        "close",
    ]  # fmt: skip


def test_after_a_discontinuity_nodes_begin_anew_and_a_new_generation_follows(tmp_path: Path):
    calls: list[str] = []

    def process(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        calls.append("".join(map(str, frames.generation.tolist())))
        return stamps

    middle = node_class(process, stream_ended=lambda self, stream_id: calls.append("ended"))
    log = Log()

    run({"shop": [frame(5), Discontinuity(), frame(0), frame(1)]}, tmp_path, *chain(log, ("a", middle)), batch_size=4)

    assert calls == ["", "0", "", "ended", "11", "", "ended"]
    assert log.stamps == [5 * STEP_NS, 0, STEP_NS]
    assert log.calls.count("stream_ended shop") == 1


def test_what_a_source_drops_is_part_of_the_account(tmp_path: Path):
    report = run({"shop": [frame(0), Dropped("corrupt", 2), frame(1)]}, tmp_path, *chain(Log()))

    assert report.edges["frames"] == {"in": 4, "out": 2, "dropped": {"corrupt": 2}, "in_flight": 0}
    assert report.dropped == {"corrupt": 2}
    assert report.status == "done"


def test_a_run_without_frames_is_done(tmp_path: Path):
    log = Log()

    report = run({"shop": []}, tmp_path, *chain(log))

    assert (report.status, report.frames, report.fps) == ("done", 0, 0.0)
    assert log.calls == ["open", "", "", "stream_ended shop", "close"]
    assert "done: 0 frames" in report.table()


def test_a_source_alone_is_run_to_its_end(tmp_path: Path):
    assert run({"shop": clip(3)}, tmp_path).frames == 3


def test_only_the_first_frames_of_each_stream_are_run_when_so_asked(tmp_path: Path):
    log = Log()

    report = run({"a": clip(9), "b": clip(2)}, tmp_path, *chain(log), max_frames=1)

    assert (report.status, report.frames) == ("done", 2)
    assert log.stamps == [0, 0]


def test_ticks_inside_the_graph_are_never_more_than_allowed(tmp_path: Path):
    inside: list[int] = []
    most: list[int] = []

    def enter(self: Any, frames: FrameBatch) -> Stamps:
        inside.extend(frames.pts_ns.tolist())
        most.append(len(inside))
        return stamp(self, frames)

    def leave(frames: FrameBatch) -> None:
        del inside[: len(frames)]

    log = Log(leave)
    specs = [
        spec("stamps", node_class(enter), frames="frames"),
        *(spec(name, node_class(copy), "new", frames="frames", stamps="stamps") for name in "abc"),
        spec("log", log.cls, "new", frames="frames", stamps="c"),
    ]

    run({"shop": clip(60)}, tmp_path, *specs, ticks_in_flight=3)

    assert len(log.stamps) == 60
    assert 1 <= max(most) <= 3


def test_a_tick_leaves_room_for_the_next_even_if_there_may_be_only_one(tmp_path: Path):
    log = Log()

    run({"shop": clip(20)}, tmp_path, *chain(log, ("a", node_class(copy))), ticks_in_flight=1)

    assert len(log.stamps) == 20


def test_all_nodes_are_open_before_any_frame_moves(tmp_path: Path):
    order: list[str] = []

    def read(self: Any) -> Iterator[Any]:
        order.append("read")
        yield frame(0)

    source = source_class(read)
    nodes = [
        spec(name, node_class(stamp, open=lambda self: order.append("open")), "new", frames="frames") for name in "abc"
    ]

    runtime(graph(*nodes, source=source), [stream()], tmp_path).run()

    assert order == ["open", "open", "open", "read"]


def test_a_node_is_opened_called_and_closed_by_one_thread(tmp_path: Path):
    threads: dict[str, set[int]] = {}

    def here(name: str) -> Any:
        return lambda self, *args, **kwargs: threads.setdefault(name, set()).add(threading.get_ident())

    def process(self: Any, frames: FrameBatch) -> None:
        here(self.context.name)(self)

    methods = {name: lambda self, *args: here(self.context.name)(self) for name in ("open", "close", "stream_ended")}
    cls = node_class(process, **methods)

    run({"shop": clip(3)}, tmp_path, *(spec(name, cls, "new", frames="frames") for name in "ab"))

    assert {name: len(idents) for name, idents in threads.items()} == {"a": 1, "b": 1}
    assert threads["a"].isdisjoint(threads["b"])


# runs that cannot begin


def test_a_node_that_cannot_be_opened_is_told_and_all_others_are_closed(tmp_path: Path):
    log = Log()
    read: list[str] = []

    def fail(self: Any) -> None:
        raise ModelError("models/a.onnx: expected a model, got nothing; fetch it")

    source = source_class(lambda self: iter(read.append("read") or ()))
    whole = graph(
        *chain(log, ("a", node_class(copy, open=fail, close=lambda self: read.append("closed")))), source=source
    )

    with pytest.raises(ModelError, match=r"^models/a.onnx: expected a model, got nothing; fetch it$"):
        runtime(whole, [stream()], tmp_path).run()

    assert log.calls == ["open", "close"]
    assert read == ["closed"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError("taken"), "OSError: taken"), (SystemExit(2), "SystemExit: 2"), (ValueError("no port"), "no port")],
)
def test_any_failure_to_open_is_a_sentence(tmp_path: Path, error: BaseException, said: str):
    def fail(self: Any) -> None:
        raise error

    with pytest.raises(PipelineError) as caught:
        run({"shop": clip(1)}, tmp_path, *chain(Log(open=fail)))

    assert str(caught.value) == f"node 'log' (type_log): cannot be opened: {said}"
    assert caught.value.__cause__ is error


def test_of_several_nodes_that_cannot_be_opened_the_first_of_the_graph_is_told(tmp_path: Path):
    late = threading.Event()

    def fail_late(self: Any) -> None:
        assert late.wait(PATIENCE_S)
        raise PipelineError("a")

    def fail(self: Any) -> None:
        late.set()
        raise PipelineError("b")

    with pytest.raises(PipelineError, match=r"^a$"):
        run({"shop": clip(1)}, tmp_path, *chain(Log(open=fail), ("a", node_class(copy, open=fail_late))))


def test_a_node_that_cannot_be_opened_is_not_heard_about_closing(tmp_path: Path):
    def fail(self: Any) -> None:
        raise PipelineError("first")

    def close(self: Any) -> None:
        raise AttributeError("nothing was opened")

    with pytest.raises(PipelineError, match=r"^first$"):
        run({"shop": clip(1)}, tmp_path, *chain(Log(open=fail, close=close)))


def test_a_thread_that_cannot_be_made_leaves_none_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = threading.active_count()
    started: list[Any] = []
    start = threading.Thread.start

    def start_three(thread: threading.Thread) -> None:
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    log = Log()
    monkeypatch.setattr(threading.Thread, "start", start_three)

    with pytest.raises(RuntimeError, match=r"^can't start new thread$"):
        run({"a": clip(9), "b": clip(9)}, tmp_path, *chain(log))

    assert threading.active_count() == before
    assert log.calls == ["open", "close"]
