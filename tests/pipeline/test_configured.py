"""Values that change while a graph runs are taken up by every node at one tick, and say so where values come from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.configured import changed, changes_of, configured, with_streams_of, without_held
from pipeline.errors import ConfigError, NodeError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.ledger import Ledger
from pipeline.lineage import lineage_of
from pipeline.marks import Mark
from pipeline.stage import run_stage
from pipeline.streams import StreamConfig
from pipeline.tick import Slot, Tick, no_frames
from tests.helpers import frames
from tests.pipeline.bench import DROP, STOP
from tests.pipeline.changing import SHELF, Config, Multiply, keep, line, running
from tests.pipeline.rig import graph, spec, stream


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
    known = {"door": Stream("door", StreamConfig(url=config.url, start_time="2024-05-01T12:00:00Z"), live=True)}
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
