"""Values change in whole runs: at one tick in all stages, in recordings, and for sinks that are behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.frames import FrameBatch
from pipeline.node import SourceItem
from pipeline.streams import StreamConfig
from tests.pipeline.changing import SHELF, Story, line, seen, steered
from tests.pipeline.rig import (
    PATIENCE_S,
    Stamps,
    frame,
    graph,
    node_class,
    runtime,
    source_class,
    spec,
    stamp,
    stream,
)


def test_a_run_whose_values_changed_is_replayed_with_the_changes_at_the_same_ticks(tmp_path: Path) -> None:
    live, again = Story(), Story()
    streams = [stream(id, live=True, when_full="wait", aois={"tea": SHELF}) for id in "ab"]
    made: list[Any] = []

    def areas() -> None:
        changed = {id: one.config.model_copy(update={"hfov_deg": 70.0}) for id, one in made[0].streams().items()}
        changed["a"] = StreamConfig.model_validate(
            {**changed["a"].model_dump(), "aois": {"soap": SHELF, "milk": SHELF}}
        )
        made[0].configure(changed, {})

    steps = {
        3: lambda: made[0].configure({}, {"times": {"factor": 7}}),
        6: areas,
        9: lambda: made[0].configure({}, {"times": {"factor": 2}, "more": {"factor": 5}}),
    }
    edges = {"times": tmp_path}
    made.append(runtime(steered(live, steps), streams, tmp_path, record=edges))
    first = made[0].run()

    def fail() -> None:
        raise AssertionError("a source was read")

    second = runtime(steered(again, {1: fail}), streams, tmp_path, replay=edges).run()

    assert (first.status, second.status) == ("done", "done")
    assert {row[2] // 100 for row in live} == {1, 7, 2} == {row[2] // 100 for row in again}
    assert {row[3] // 100 for row in live} == {1, 5}
    assert {tuple(row[4]) for row in live if row[0] == "a"} == {("tea",), ("soap", "milk")}
    assert {tuple(row[4]) for row in live if row[0] == "b"} == {("tea",)}
    assert {row[5] for row in live if row[0] == "b"} == {None, 70.0}
    assert len({row[6] for row in live if row[0] == "a"}) == 4
    assert again == live


def test_a_stream_that_was_added_is_added_in_the_replay(tmp_path: Path) -> None:
    live, again = Story(), Story()
    made: list[Any] = []
    late = stream("late", live=True, when_full="wait", aois={"milk": SHELF}, start_time="2024-05-01T12:00:00Z")
    streams = [stream("a", live=True, when_full="wait")]
    edges = {"times": tmp_path}
    made.append(runtime(steered(live, {3: lambda: made[0].add_stream(late)}), streams, tmp_path, record=edges))
    made[0].run()

    report = runtime(steered(again, {}), streams, tmp_path, replay=edges).run()

    assert report.status == "done"
    assert {row[0] for row in live} == {"a", "late"}
    assert {tuple(row[4]) for row in live if row[0] == "late"} == {("milk",)}
    assert again == live


def test_a_stream_that_comes_back_begins_when_it_began_then(tmp_path: Path) -> None:
    live, again = Story(), Story()
    made: list[Any] = []
    times = ["2024-05-01T12:00:00.123456Z", "2024-05-01T13:00:00.654321Z"]
    late = [stream("late", live=True, when_full="wait", start_time=time) for time in times]
    streams = [stream("a", live=True, when_full="wait")]
    steps = {
        3: lambda: made[0].add_stream(late[0]),
        5: lambda: (live.wait_for("late", 0), made[0].remove_stream("late"), made[0].add_stream(late[1])),
    }
    edges = {"times": tmp_path}
    made.append(runtime(steered(live, steps), streams, tmp_path, record=edges))
    made[0].run()

    runtime(steered(again, {}), streams, tmp_path, replay=edges).run()

    assert {row[7] for row in live if row[0] == "late"} == {one.config.start_time for one in late}
    assert again == live


def test_values_held_in_a_replay_stay_as_they_are(tmp_path: Path) -> None:
    live, again = Story(), Story()
    made: list[Any] = []
    streams = [stream("a", live=True, when_full="wait")]
    edges = {"times": tmp_path}
    steps = {3: lambda: made[0].configure({}, {"more": {"factor": 5}})}
    made.append(runtime(steered(live, steps), streams, tmp_path, record=edges))
    made[0].run()

    runtime(steered(again, {}), streams, tmp_path, replay=edges, held={("more", "factor")}).run()

    assert {row[3] // 100 for row in live} == {1, 5}
    assert {row[3] // 100 for row in again} == {1}


def test_a_recording_that_is_cut_off_after_a_change_ends_its_streams_alone(tmp_path: Path) -> None:
    live, again = Story(), Story()
    made: list[Any] = []
    streams = [stream("a", live=True, when_full="wait")]
    edges = {"times": tmp_path}
    steps = {3: lambda: made[0].configure({}, {"times": {"factor": 7}})}
    made.append(runtime(steered(live, steps), streams, tmp_path, record=edges))
    made[0].run()
    path = tmp_path / "times.ticks"
    path.write_bytes(path.read_bytes()[:-300])

    report = runtime(steered(again, {}), streams, tmp_path, replay=edges).run()

    assert report.status == "done"
    assert again == live[: len(again)]


def test_what_waits_on_disk_for_a_slow_sink_is_told_the_values_of_its_own_tick(tmp_path: Path) -> None:
    live = Story()
    read_so_far, all_read = threading.Event(), threading.Event()
    made: list[Any] = []
    note = seen(live)

    def slow(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
        assert all_read.wait(PATIENCE_S)
        note(self, frames, times, more)

    def wider() -> None:
        config = made[0].streams()["a"].config.model_copy(update={"hfov_deg": 70.0})
        made[0].configure({"a": config}, {"times": {"factor": 7}})

    def read(self: Any) -> Iterator[SourceItem]:
        for index in range(30):
            if index == 20:
                assert read_so_far.wait(PATIENCE_S)
                wider()
            yield frame(index)

    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        if (frames.frame_index == 19).any():
            read_so_far.set()
        if (frames.frame_index == 29).any():
            all_read.set()

    whole = graph(
        *line(slow).nodes[1:],
        spec("stamps", node_class(stamp), frames="frames"),
        spec("look", node_class(look), frames="frames", stamps="stamps"),
        source=source_class(read, is_live=lambda url: True),
    )
    camera = stream("a", live=True, when_full="wait")
    made.append(runtime(whole, [camera], tmp_path, sink_queue=2))
    report = made[0].run()

    assert report.status == "done"
    assert report.sinks["log"]["spilled"] > 20
    assert [row[1] for row in live] == sorted(row[1] for row in live)
    told = [(row[2] // 100, row[5], row[6]) for row in live]
    assert {one[:2] for one in told} == {(1, None), (7, 70.0)}
    assert len(set(told)) == 2
