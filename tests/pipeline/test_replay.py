"""Any edge can be recorded, and a run can start from a recording."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.graph import NodeSpec
from pipeline.node import Frame, Node
from pipeline.recording import Recorder
from pipeline.report import Snapshot
from pipeline.runtime import Runtime
from tests.helpers import list_source, table
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    Log,
    Notes,
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
    spec,
    stream,
)


@pytest.mark.parametrize("edge", ["stamps", "frames"])
def test_a_recording_on_a_full_disk_fails_the_run_and_frames_add_up(
    tmp_path: Path, edge: str, monkeypatch: pytest.MonkeyPatch
):
    added: list[Any] = []
    add = Recorder.add

    def add_two(self: Recorder, tick: Any) -> None:
        added.append(tick)
        if len(added) > 3:
            raise PipelineError("disk: expected to write, got a full disk")
        add(self, tick)

    monkeypatch.setattr(Recorder, "add", add_two)
    log = Log()
    report = run({"shop": clip(9)}, tmp_path, *chain(log), record={edge: tmp_path})

    assert (report.status, report.error) == ("failed", "disk: expected to write, got a full disk")
    assert adds_up(report.edges)
    assert len(log.stamps) == 2
    assert log.calls[-1] == "close"


def test_a_recording_that_cannot_be_begun_is_told_before_anything_is_opened(tmp_path: Path):
    log = Log()
    (tmp_path / "stamps.ticks").symlink_to("/dev/full")

    with pytest.raises(PipelineError, match=r"^.*stamps.ticks: expected to write, got a full disk; .*$"):
        run({"shop": clip(1)}, tmp_path, *chain(log), record={"frames": tmp_path, "stamps": tmp_path})

    assert log.calls == []


@pytest.mark.parametrize(
    ("record", "replay", "complaint"),
    [
        ("log", None, "--record log: expected an edge with values, got a sink; record what it reads"),
        (
            "stamps",
            "a",
            "--record stamps: expected a node that is run, got one that a replayed edge stands in for; "
            "record what is below",
        ),
        ("a", "a", "--record a: expected a node that is run, got one that a replayed edge stands in for; "
         "record what is below"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_told(tmp_path: Path, record: str, replay: str | None, complaint: str):
    specs = chain(Log(), ("a", node_class(copy)))
    run({"shop": clip(1)}, tmp_path, *specs, record={"a": tmp_path})

    with pytest.raises(ConfigError) as caught:
        run(
            {"shop": clip(1)}, tmp_path, *specs,
            record={record: tmp_path}, replay={replay: tmp_path} if replay else None,
        )  # fmt: skip

    assert str(caught.value) == complaint


def test_a_run_from_a_recording_reads_no_source_and_gives_the_same(tmp_path: Path):
    first, second = Log(), Log()
    items = {"a": clip(5), "b": clip(3)}
    run(items, tmp_path, *chain(first, ("a", node_class(copy))), record={"a": tmp_path}, batch_size=2)

    def read(self: Any) -> Iterator[Frame]:
        raise AssertionError("a source was read")

    source = source_class(read, open=read)
    whole = graph(*chain(second, ("a", failing(0))), source=source)
    report = runtime(whole, [stream("a"), stream("b")], tmp_path, replay={"a": tmp_path}).run()

    assert (report.status, report.frames) == ("done", 8)
    assert second.calls == first.calls
    assert second.stamps == first.stamps
    assert report.streams == {
        "a": {"frames": 5, "last_pts_s": 0.16, "in": 5, "out": 5, "dropped": {}, "in_flight": 0},
        "b": {"frames": 3, "last_pts_s": 0.08, "in": 3, "out": 3, "dropped": {}, "in_flight": 0},
    }
    assert adds_up(report.edges)


def test_a_replay_beside_pictures_reads_the_source_again(tmp_path: Path):
    seen: list[int] = []

    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        seen.extend(int(frames.bgr(row)[0, 0, 0]) for row in stamps.frame_row)

    def specs(cls: type[Node[Any]]) -> list[NodeSpec]:
        looker = node_class(look, reads_pictures=True)
        return [*chain(Log(), ("a", cls)), spec("look", looker, frames="frames", stamps="a")]

    items = {"shop": clip(4)}
    run(items, tmp_path, *specs(node_class(copy)), record={"a": tmp_path})
    report = run(items, tmp_path, *specs(failing(0)), replay={"a": tmp_path})

    assert report.status == "done"
    assert seen == [0, 1, 2, 3] * 2


def test_a_recording_of_another_input_fails_the_run_and_frames_add_up(tmp_path: Path):
    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        pass

    specs = [
        *chain(Log(), ("a", node_class(copy))),
        spec("look", node_class(look, reads_pictures=True), frames="frames", stamps="a"),
    ]
    run({"shop": clip(4)}, tmp_path, *specs, record={"a": tmp_path})

    report = run({"shop": clip(60, STEP_NS // 2)}, tmp_path, *specs, replay={"a": tmp_path})

    assert report.status == "failed"
    assert report.error == (
        "--replay a: tick 2: expected 'shop' at 0.040 s as recorded, got 'shop' at 0.020 s; "
        "replay with the input, streams and batch size of the recording"
    )
    assert adds_up(report.edges)


def test_a_recording_of_another_stream_is_wrong_input(tmp_path: Path):
    specs = chain(Log(), ("a", node_class(copy)))
    run({"shop": clip(2)}, tmp_path, *specs, record={"a": tmp_path})

    report = run({"bar": clip(2)}, tmp_path, *specs, replay={"a": tmp_path})

    assert (report.status, report.bad_input) == ("failed", True)
    assert report.error == "--replay: expected streams of this run (bar), got recorded shop; add --source shop=..."


def test_a_replay_is_interrupted_like_any_other_run(tmp_path: Path):
    log = Log()
    run({"shop": clip(50)}, tmp_path, *chain(Log(), ("a", node_class(copy))), record={"a": tmp_path})
    whole: Runtime

    def hold(frames: FrameBatch) -> None:
        whole.interrupt()
        stopped.wait(PATIENCE_S)

    stopped = threading.Event()
    slow = Log(hold)
    whole = runtime(
        graph(*chain(slow, ("a", node_class(copy)))), [stream()], tmp_path, replay={"a": tmp_path}, ticks_in_flight=1
    )

    def observe(snapshot: Snapshot) -> None:
        if whole._stopped:  # type: ignore[attr-defined]
            stopped.set()

    report = whole.run(observe, every_s=0.001)

    assert report.status == "interrupted"
    assert report.frames < 50
    assert adds_up(report.edges)
    assert slow.calls[-3:] == ["", "stream_ended shop", "close"]
    assert log.calls == []


def test_a_replay_beside_pictures_is_interrupted_without_complaint(tmp_path: Path):
    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        pass

    def specs(log: Log) -> list[NodeSpec]:
        looker = spec("look", node_class(look, reads_pictures=True), frames="frames", stamps="a")
        return [*chain(log, ("a", node_class(copy))), looker]

    items = {"shop": clip(40)}
    run(items, tmp_path, *specs(Log()), record={"a": tmp_path})
    whole: Runtime
    stopped = threading.Event()

    def hold(frames: FrameBatch) -> None:
        whole.interrupt()
        assert stopped.wait(PATIENCE_S)

    log = Log(hold)
    whole = runtime(
        graph(*specs(log), source=list_source(items)), [stream()], tmp_path, replay={"a": tmp_path}, ticks_in_flight=1
    )
    report = whole.run(lambda snapshot: stopped.set() if whole._stopped else None, every_s=0.001)

    assert (report.status, report.error) == ("interrupted", None)
    assert log.calls[-2:] == ["stream_ended shop", "close"]
    assert adds_up(report.edges)


def test_a_live_stream_is_not_replayed_beside_pictures(tmp_path: Path):
    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        pass

    specs = [*chain(Log()), spec("look", node_class(look, reads_pictures=True), frames="frames", stamps="stamps")]

    with pytest.raises(ConfigError) as caught:
        run({"shop": []}, tmp_path, *specs, replay={"stamps": tmp_path}, live=True)

    assert str(caught.value) == (
        "--replay: expected files or nodes that need no pictures, got a live stream; name files"
    )


def test_rows_that_belong_to_no_frame_reach_the_last_sink(tmp_path: Path):
    got: list[tuple[str, ...]] = []

    def note(self: Any, frames: FrameBatch) -> Notes:
        return Notes.empty()

    def ended(self: Any, stream_id: str) -> Notes:
        return table(Notes, stream_id=[stream_id], text=["last words"])

    def read(self: Any, notes: Notes) -> None:
        got.append(notes.text)

    run(
        {"shop": clip(1)}, tmp_path,
        spec("notes", node_class(note, stream_ended=ended), frames="frames"),
        spec("log", node_class(read), "new", notes="notes"),
    )  # fmt: skip

    assert got == [(), (), ("last words",)]
