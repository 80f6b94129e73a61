"""A file is run in two passes: to the nodes that know better at its end, and from there on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.node import Discontinuity, Dropped, SourceItem
from pipeline.report import Snapshot
from pipeline.second_pass import second_pass
from tests.helpers import list_source
from tests.pipeline.counted import CountDown, Seen, run, two
from tests.pipeline.rig import (
    adds_up,
    clip,
    graph,
    runtime,
    stream,
)


def test_what_is_below_the_cut_sees_what_was_known_at_the_end_and_what_is_above_runs_once(tmp_path: Path) -> None:
    seen = Seen()
    CountDown.opened.clear()

    report = run(seen, tmp_path, clip(5))

    assert (report.status, report.frames, report.dropped) == ("done", 5, {})
    assert seen.detected == [0, 1, 2, 3, 4]
    assert seen.looked == [(0, 0, 4), (1, 1, 3), (2, 2, 2), (3, 3, 1), (4, 4, 0)]
    assert seen.logged == [4, 3, 2, 1, 0]
    assert seen.ended == ["shop"]
    assert CountDown.opened == ["count"]
    assert not (tmp_path / "passes").exists()


def test_frames_are_accounted_for_once_and_costs_are_those_of_both_passes(tmp_path: Path) -> None:
    report = run(Seen(), tmp_path, [*clip(3), Dropped("corrupt", 2)])

    assert [(node.name, node.frames, node.rows) for node in report.nodes] == [
        ("frames", 3, 3), ("stamps", 3, 3), ("count", 3, 3), ("look", 3, 0), ("log", 3, 0)
    ]  # fmt: skip
    assert report.edges["frames"] == {"in": 5, "out": 3, "dropped": {"corrupt": 2}, "in_flight": 0}
    assert report.dropped == {"corrupt": 2}
    assert adds_up(report.edges)
    assert list(report.edges) == ["frames", "stamps", "count", "look", "log"]
    assert list(report.passes_s) == ["first", "revising", "second"]
    assert report.elapsed_s == pytest.approx(sum(report.passes_s.values()), abs=0.01)
    assert report.to_dict()["passes_s"]["first"] > 0
    assert "two passes: first 0." in report.table()
    account = {"in": 5, "out": 3, "dropped": {"corrupt": 2}, "in_flight": 0}
    assert report.streams == {"shop": {"frames": 3, "last_pts_s": 0.08, **account}}


def test_where_no_picture_is_looked_at_below_the_source_is_read_once(tmp_path: Path) -> None:
    seen, reads = Seen(), []
    source = list_source({"shop": [*clip(3), Dropped("corrupt", 2)]})
    source.open = lambda self: reads.append("once")  # type: ignore[method-assign]

    report = two(graph(*seen.nodes(looks=False), source=source), tmp_path).run()

    assert reads == ["once"]
    assert seen.logged == [2, 1, 0]
    assert report.edges["frames"] == {"in": 5, "out": 3, "dropped": {"corrupt": 2}, "in_flight": 0}
    assert (report.frames, report.dropped, adds_up(report.edges)) == (3, {"corrupt": 2}, True)


def test_generations_batches_and_several_streams_come_back_as_they_were(tmp_path: Path) -> None:
    seen = Seen()
    items: dict[str, Sequence[SourceItem]] = {"a": [*clip(2), Discontinuity(), *clip(3)[2:]], "b": clip(3)}

    report = two(graph(*seen.nodes(), source=list_source(items)), tmp_path, ("a", "b"), batch_size=2).run()

    assert (report.status, report.frames) == ("done", 6)
    assert seen.logged == [5, 4, 3, 2, 1, 0]
    assert sorted(seen.ended) == ["a", "b"]
    assert len(seen.looked) == 6
    assert all(pixel == stamped for pixel, stamped, _ in seen.looked)


def test_who_asks_for_fewer_frames_gets_the_end_of_those(tmp_path: Path) -> None:
    seen = Seen()

    report = run(seen, tmp_path, clip(9), max_frames=4)

    assert (report.frames, seen.logged) == (4, [3, 2, 1, 0])


def test_passes_are_told_apart(tmp_path: Path) -> None:
    snapshots: list[Snapshot] = []

    two(graph(*Seen().nodes(), source=list_source({"shop": clip(3)})), tmp_path).run(snapshots.append)

    assert list(dict.fromkeys(snapshot.passes for snapshot in snapshots)) == [(1, 2), (2, 2)]


def test_a_recording_holds_what_was_revised_and_gives_the_same_again(tmp_path: Path) -> None:
    first, second = Seen(), Seen()
    record = {"count": tmp_path / "rec", "stamps": tmp_path / "rec"}

    run(first, tmp_path, clip(4), record=record)
    whole = graph(*second.nodes(), source=list_source({"shop": clip(4)}))
    runtime(whole, [stream()], tmp_path, replay=record).run()

    assert second.looked == first.looked
    assert second.logged == [3, 2, 1, 0]
    assert second.detected == []
    assert second_pass(whole, replayed=record) is None


def test_edges_above_can_be_replayed(tmp_path: Path) -> None:
    first, second = Seen(), Seen()
    run(first, tmp_path, clip(4), record={"stamps": tmp_path / "rec"})

    report = run(second, tmp_path, clip(4), replay={"stamps": tmp_path / "rec"})

    assert (report.status, second.detected) == ("done", [])
    assert second.looked == first.looked
