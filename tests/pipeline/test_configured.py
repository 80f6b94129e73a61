"""Values that change while a graph runs are taken up by every node at one tick, and say so where values come from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from pipeline.configured import changed, changes_of, configured, with_streams_of, without_held
from pipeline.errors import ConfigError, NodeError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph
from pipeline.ledger import Ledger
from pipeline.lineage import lineage_of
from pipeline.marks import Mark
from pipeline.node import Context, Node, NodeConfig, Source, SourceItem
from pipeline.running import RunningNode
from pipeline.stage import run_stage
from pipeline.streams import StreamConfig
from pipeline.tick import Slot, Tick, no_frames
from tests.helpers import FakeDevice, frames
from tests.pipeline.bench import DROP, STOP
from tests.pipeline.rig import Stamps, frame, graph, node_class, runtime, source_class, spec, stamp, stream

SHELF = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))


class Config(NodeConfig):
    factor: int = Field(default=1, ge=1, json_schema_extra={"live": True})
    """What stamps are multiplied with."""
    name: str = "plain"
    """Another value."""


class Multiply(Node[Config]):
    """Multiply stamps with a factor taken up in `reconfigured()`, and with how often it was called."""

    def open(self) -> None:
        self.calls = 0
        self.reconfigured()

    def reconfigured(self) -> None:
        self.factor = self.config.factor

    def process(self, frames: FrameBatch) -> Stamps:
        self.calls += len(frames)
        return Stamps(np.arange(len(frames)), np.full(len(frames), 100 * self.factor + self.calls))


def running(whole: Graph, name: str, out: Path) -> RunningNode:
    one = whole.node(name)
    made = RunningNode(one, one.cls(one.config, Context(name, FakeDevice(), out, out, whole)))
    made.node.open()
    return made


def line(log: Any) -> Graph:
    """Return frames → times → more → log."""
    return graph(
        spec("times", Multiply, "new", frames="frames"),
        spec("more", Multiply, "new", frames="frames"),
        spec("log", node_class(log), "new", frames="frames", times="times", more="more"),
    )


def keep(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
    """Process: nothing."""


def at(*marks: Mark, count: int = 0) -> Tick:
    shown = frames(count) if count else no_frames(stream())
    return Tick(0, shown, marks, {"frames": Slot(shown)})


# marks


def test_a_mark_holds_all_values_of_streams_but_no_password() -> None:
    config = StreamConfig(url="rtsp://me:secret@door/1", aois={"b": SHELF, "a": SHELF}, max_fps=5)

    mark = configured({"door": config})

    assert (mark.kind, mark.stream_id) == ("configured", "door")
    assert "secret" not in mark.values
    (changes,) = changes_of([Mark("begun", "door"), mark])
    assert list(changes.streams["door"]["aois"]) == ["b", "a"]
    known = {"door": Stream("door", StreamConfig(url=config.url), live=True)}
    assert with_streams_of(known, [changes]) == {"door": Stream("door", config, live=True)}


def test_a_mark_about_several_is_about_no_single_stream() -> None:
    config = StreamConfig(url="a.mp4")

    assert configured({"a": config, "b": config}).stream_id == ""
    assert configured({"a": config}, {"looks": {"min_look_s": 1.0}}).stream_id == ""
    assert configured(nodes={"looks": {"min_look_s": 1.0}}).stream_id == ""


def test_a_stream_that_was_not_known_is_a_live_one() -> None:
    config = StreamConfig(url="rtsp://door", start_time="2024-05-01T12:00:00Z")

    assert with_streams_of({}, changes_of([configured({"door": config})])) == {"door": Stream("door", config, True)}


@pytest.mark.parametrize("values", ["", "[]", '{"streams": {}}', '{"streams": {"a": 1}, "nodes": {}}', "[" * 100_000])
def test_a_mark_that_holds_something_else_is_refused(values: str) -> None:
    with pytest.raises(ConfigError) as refused:
        changes_of([Mark("configured", "", values=values)])

    assert str(refused.value) == (
        f"changed values: expected streams and nodes with their values, got {values!r:.80}; record the run again"
    )


def test_wrong_values_are_told_by_their_dotted_names() -> None:
    with pytest.raises(
        ConfigError, match=r"^changed values: times\.factor: expected greater than or equal to 1, got 0$"
    ):
        changed(Config(), {"factor": 0}, "times")
    with pytest.raises(ConfigError, match=r"^changed values: streams\.a\.max_fps: expected greater than 0, got -1\.0$"):
        with_streams_of({}, changes_of([Mark("configured", "a", values=told(a={"url": "x", "max_fps": -1.0}))]))


def told(**streams: Any) -> str:
    return json.dumps({"streams": streams, "nodes": {}})


# what is held


def test_what_is_held_is_left_alone() -> None:
    tall = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))
    known = {"a": stream("a", aois={"tea": tall, "soap": tall}, hfov_deg=50, masks=(tall,))}
    new = StreamConfig(url="a.mp4", aois={"tea": SHELF, "milk": SHELF}, hfov_deg=60, masks=(SHELF,))
    mark = configured({"a": new}, {"times": {"factor": 2, "name": "other"}, "more": {"factor": 3}})
    held = {("times", "factor"), ("streams", "a", "aois", "soap"), ("streams", "a", "hfov_deg")}

    left = without_held(mark, held, known)

    (changes,) = changes_of([left])
    assert changes.nodes == {"times": {"name": "other"}, "more": {"factor": 3}}
    config = with_streams_of(known, [changes])["a"].config
    assert (config.hfov_deg, config.masks) == (50, (SHELF,))
    assert {name: area.polygon for name, area in config.aois.items()} == {"tea": SHELF, "milk": SHELF, "soap": tall}
    assert without_held(mark, (), known) is mark
    assert without_held(Mark("begun", "a"), held, known) == Mark("begun", "a")
    whole = without_held(mark, {("streams", "a", "aois")}, known)
    assert set(with_streams_of(known, changes_of([whole]))["a"].config.aois) == {"tea", "soap"}


# nodes


def test_a_node_goes_by_new_values_from_the_tick_of_the_mark_on_and_keeps_what_it_holds(tmp_path: Path) -> None:
    one = running(line(keep), "times", tmp_path)

    values = [
        one.call(at(count=1)),
        one.call(at(configured(nodes={"times": {"factor": 3}}), count=1)),
        one.call(at(count=1)),
    ]

    assert [value.stamp_ns.tolist() for value in values] == [[101], [302], [303]]
    assert one.node.config == Config(factor=3)


def test_marks_about_others_change_nothing(tmp_path: Path) -> None:
    one = running(line(keep), "times", tmp_path)
    one.node.reconfigured = None

    one.call(at(configured({"shop": stream().config}, {"more": {"factor": 3}, "unknown": {"x": 1}})))
    one.call(at(configured(nodes={"times": {"factor": 1}})))

    assert one.node.config == Config()


def test_a_tick_that_is_run_again_is_taken_up_once(tmp_path: Path) -> None:
    one = running(line(keep), "times", tmp_path)
    calls: list[int] = []
    one.node.reconfigured = lambda: calls.append(one.node.config.factor)

    for _ in range(2):
        one.call(at(configured(nodes={"times": {"factor": 3}})))

    assert calls == [3]


def test_a_node_that_cannot_take_a_value_up_keeps_the_old_one_and_the_run_goes_on(tmp_path: Path) -> None:
    one = running(line(keep), "times", tmp_path)

    def fail() -> None:
        raise RuntimeError("no")

    one.node.reconfigured = fail
    tick = at(configured(nodes={"times": {"factor": 3}}))

    with pytest.raises(NodeError, match=r"^node 'times' \(type_times\): RuntimeError: no$"):
        run_stage([one], tick, STOP, Ledger())
    done = run_stage([one], tick, DROP, Ledger())

    assert one.node.config == Config()
    assert len(done.slots["times"].value) == 0
    assert not one.failures


def test_lineage_is_that_of_the_new_values_in_all_nodes_below_from_that_tick_on(tmp_path: Path) -> None:
    whole = line(keep)
    log = running(whole, "log", tmp_path)
    context = log.node.context
    before = {port: context.lineage(port) for port in ("times", "more")}

    log.take_up(at(configured(nodes={"times": {"factor": 3}})))

    assert context.lineage("times") is context.lineage("times")
    assert context.lineage("times") != before["times"]
    assert context.lineage("more") == before["more"]
    other = graph(spec("times", Multiply, frames="frames"))
    other = Graph(other.path, (other.nodes[0], replace(other.node("times"), config=Config(factor=3))))
    assert context.lineage("times").nodes == lineage_of(other, "times", tmp_path).nodes


# ticks


def test_a_mark_about_values_is_nothing_that_happens_to_a_stream() -> None:
    tick = at(configured({"shop": stream().config}), count=0)

    assert tick.streams() == []
    assert at(Mark("begun", "a"), configured(nodes={"x": {"y": 1}})).streams() == ["a"]


# whole runs


def seen(story: list[Any]) -> Any:
    def note(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
        origins = self.context.lineage("times").origins(frames.streams)
        for row, stream_id in enumerate(frames.stream_id):
            config = frames.stream(row).config
            story.append((
                stream_id, int(frames.pts_ns[row]), int(times.stamp_ns[row]), int(more.stamp_ns[row]),
                list(config.aois), config.hfov_deg, origins[stream_id].config,
            ))  # fmt: skip

    return note


def steered(story: list[Any], steps: dict[int, Any], count: int = 12) -> Graph:
    """Return a live graph in whose source something is done before certain frames."""

    def read(self: Any) -> Iterator[SourceItem]:
        for index in range(count):
            if self.stream.id == "a" and index in steps:
                steps[index]()
            yield frame(index)

    nodes = line(seen(story)).nodes[1:]
    source: type[Source[Any]] = source_class(read, is_live=lambda url: True)
    return graph(*nodes, source=source)


def test_a_run_whose_values_changed_is_replayed_with_the_changes_at_the_same_ticks(tmp_path: Path) -> None:
    live: list[Any] = []
    again: list[Any] = []
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

    second = runtime(steered(again, {0: fail}), streams, tmp_path, replay=edges).run()

    assert (first.status, second.status) == ("done", "done")
    assert {row[2] // 100 for row in live} == {1, 7, 2} == {row[2] // 100 for row in again}
    assert {row[3] // 100 for row in live} == {1, 5}
    assert {tuple(row[4]) for row in live if row[0] == "a"} == {("tea",), ("soap", "milk")}
    assert {tuple(row[4]) for row in live if row[0] == "b"} == {("tea",)}
    assert {row[5] for row in live if row[0] == "b"} == {None, 70.0}
    assert len({row[6] for row in live if row[0] == "a"}) == 4
    assert again == live


def test_a_stream_that_was_added_is_added_in_the_replay(tmp_path: Path) -> None:
    live: list[Any] = []
    again: list[Any] = []
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


def test_values_held_in_a_replay_stay_as_they_are(tmp_path: Path) -> None:
    live: list[Any] = []
    again: list[Any] = []
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
    live: list[Any] = []
    again: list[Any] = []
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
    live: list[Any] = []
    all_read = threading.Event()
    made: list[Any] = []
    note = seen(live)

    def slow(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
        assert all_read.wait(30)
        note(self, frames, times, more)

    def wider() -> None:
        config = made[0].streams()["a"].config.model_copy(update={"hfov_deg": 70.0})
        made[0].configure({"a": config}, {"times": {"factor": 7}})

    def read(self: Any) -> Iterator[SourceItem]:
        for index in range(30):
            if index == 20:
                wider()
            yield frame(index)

    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
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
