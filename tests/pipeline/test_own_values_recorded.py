"""Values of a source are recorded like any other, and a recording can stand in for the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.feed import below_the_cut, needs_source
from pipeline.graph import Graph
from pipeline.node import Frame, Source
from pipeline.replayable import replayable
from tests.pipeline.own_values import Seen, known, source
from tests.pipeline.rig import (
    STEP_NS,
    adds_up,
    copy,
    failing,
    graph,
    node_class,
    runtime,
    spec,
    stream,
)


def with_sinks(made: type[Source[Any]], first: Seen, second: Seen) -> Graph:
    """Return a graph of which one sink reads values of the source, and one what a node makes of them."""
    return graph(
        spec("middle", node_class(copy), frames="frames", stamps="frames"),
        spec("own", first.cls, frames="frames", stamps="frames"),
        spec("made", second.cls, frames="frames", stamps="middle"),
        source=made,
    )


def unread(self: Any) -> Iterator[Frame]:
    raise AssertionError("a source was read")


def recorded(folder: Path) -> tuple[dict[str, list[Any]], Seen]:
    """Record both edges of a run; return what its source yields, and what a sink saw."""
    seen, items = Seen(), {"shop": [known(0, 5), known(1), known(2, 6, 7)]}
    whole = with_sinks(source(items), seen, Seen())
    runtime(whole, [stream()], folder, record={"frames": folder, "middle": folder}, batch_size=2).run()
    return items, seen


def test_a_recording_can_stand_in_for_a_source_with_values_of_its_own(tmp_path: Path) -> None:
    items, before = recorded(tmp_path)
    first, second, made = Seen(), Seen(), source(items)
    made.frames = unread  # type: ignore[assignment]

    report = runtime(with_sinks(made, first, second), [stream()], tmp_path, replay={"frames": tmp_path}).run()

    assert (report.status, report.frames) == ("done", 3)
    assert first.ticks == second.ticks == before.ticks
    assert adds_up(report.edges)


def test_a_source_is_read_again_where_its_values_are_not_recorded(tmp_path: Path) -> None:
    items, before = recorded(tmp_path)
    first, second = Seen(), Seen()
    whole = with_sinks(source(items), first, second)

    report = runtime(whole, [stream()], tmp_path, replay={"middle": tmp_path}, batch_size=2).run()

    assert report.status == "done"
    assert first.ticks == second.ticks == before.ticks


def test_a_source_is_needed_for_values_that_are_not_replayed() -> None:
    whole = with_sinks(source({}), Seen(), Seen())
    without = Graph(whole.path, tuple(one for one in whole.nodes if one.name != "own"))

    def needed(of: Graph, *edges: str) -> bool:
        replay = dict.fromkeys(edges, Path())
        return needs_source(below_the_cut(of, replay), replay)

    assert needed(whole, "middle")
    assert not needed(whole, "frames")
    assert not needed(whole, "frames", "middle")
    assert not needed(without, "middle")


def test_values_of_a_source_are_recorded_for_a_replay_where_they_are_read() -> None:
    whole = with_sinks(source({}), Seen(), Seen())

    cut = replayable(whole)

    assert (cut.above, cut.edges, cut.below) == (("frames",), ("frames",), ("middle", "own", "made"))


def test_a_failure_above_a_recorded_source_stops_the_run(tmp_path: Path) -> None:
    items, _ = recorded(tmp_path)
    nodes = spec("middle", failing(2 * STEP_NS), frames="frames", stamps="frames")

    report = runtime(graph(nodes, source=source(items)), [stream()], tmp_path, replay={"frames": tmp_path}).run()

    assert report.status == "failed"
    assert adds_up(report.edges)
