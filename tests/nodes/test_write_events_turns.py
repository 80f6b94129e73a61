"""Event logs of several files: where one ends and the next begins, and that nothing is lost there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodes.types import Visits
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch
from pipeline.line_log import LineLog
from tests.helpers import frames, run_node
from tests.nodes.event_logs import NOON_NS, ids, live, node, visits


def test_a_file_put_aside_when_it_is_full_holds_whole_events(tmp_path: Path) -> None:
    run_node(node(tmp_path / "a"), [(frames(1), visits(0))])
    size = (tmp_path / "a/shop/events.jsonl").stat().st_size
    rows = visits(*range(7), start_time_ns=NOON_NS)

    run_node(node(tmp_path, rotate_mb=(3 * size + 1) / 1e6), [(frames(1), rows)])

    folder = tmp_path / "shop"
    assert [ids(folder / f"events-00000{n}-20240501T120000Z.jsonl") for n in (1, 2)] == [
        ["shop/0/0", "shop/0/1", "shop/0/2"],
        ["shop/0/3", "shop/0/4", "shop/0/5"],
    ]
    assert ids(folder / "events.jsonl") == ["shop/0/6"]


def test_an_event_larger_than_a_file_may_be_has_one_of_its_own(tmp_path: Path) -> None:
    run_node(node(tmp_path, rotate_mb=0.0001), [(frames(1), visits(0, 1))])

    parts = sorted(os.listdir(tmp_path / "shop"))
    assert [ids(tmp_path / "shop" / name) for name in parts] == [["shop/0/0"], ["shop/0/1"]]


def test_a_new_file_begins_with_the_hour_of_the_events(tmp_path: Path) -> None:
    def at(count: int, known_s: float) -> tuple[FrameBatch, Visits]:
        return live(100), visits(count, generation=100, start_time_ns=NOON_NS, known_s=known_s)

    run_node(node(tmp_path, rotate_s=3600), [at(0, 10), at(1, 3599.9)])
    run_node(node(tmp_path, rotate_s=3600), [at(2, 3599.95), at(3, 3600), at(4, 11_000)])

    found = {name: ids(tmp_path / "shop" / name) for name in sorted(os.listdir(tmp_path / "shop"))}
    assert found == {
        "events-000001-20240501T120010Z.jsonl": ["shop/100/0", "shop/100/1", "shop/100/2"],
        "events-000002-20240501T130000Z.jsonl": ["shop/100/3"],
        "events.jsonl": ["shop/100/4"],
    }


def test_visits_are_ended_that_began_in_a_file_put_aside(tmp_path: Path) -> None:
    ticks = [(live(100), visits(n, generation=100, kind="started" if n < 2 else "ended")) for n in range(9)]
    run_node(node(tmp_path, rotate_mb=0.001), ticks)
    assert len(os.listdir(tmp_path / "shop")) == 9

    run_node(node(tmp_path, rotate_mb=1), [(live(200), Visits.empty())])

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/100/8", "shop/100/0/ended", "shop/100/1/ended"]


def test_a_second_run_of_a_file_replaces_what_was_put_aside_too(tmp_path: Path) -> None:
    run_node(node(tmp_path, rotate_mb=0.001), [(frames(1), visits(*range(5)))])
    before = sorted(os.listdir(tmp_path / "shop"))

    run_node(node(tmp_path, rotate_mb=0.001), [(frames(1), visits(0, 1))])

    assert len(before) == 5
    assert sorted(os.listdir(tmp_path / "shop")) == ["events-000001-19700101T000000Z.jsonl", "events.jsonl"]


def test_nothing_is_lost_or_doubled_when_a_file_cannot_be_begun_at_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = node(tmp_path, rotate_mb=0.0015)
    writer.open()
    writer.process(frames(1), visits(0))
    turn = LineLog.turn

    def fails_once(self: LineLog, label: str) -> None:
        monkeypatch.setattr(LineLog, "turn", turn)
        raise PipelineError("no room")

    monkeypatch.setattr(LineLog, "turn", fails_once)
    with pytest.raises(PipelineError, match="no room"):
        writer.process(frames(1), visits(1, 2, 3, 4))
    writer.process(frames(1), visits(1, 2, 3, 4))
    writer.close()

    written = [name for path in sorted(os.listdir(tmp_path / "shop")) for name in ids(tmp_path / "shop" / path)]
    assert written == [f"shop/0/{number}" for number in range(5)]


def test_a_write_that_failed_does_not_count_for_the_size_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LineLog.append

    def fails_once(self: LineLog, lines: bytes) -> None:
        monkeypatch.setattr(LineLog, "append", append)
        raise PipelineError("no room")

    monkeypatch.setattr(LineLog, "append", fails_once)
    writer = node(tmp_path, rotate_mb=0.0025)
    writer.open()
    with pytest.raises(PipelineError, match="no room"):
        writer.process(frames(1), visits(0, 1, 2))
    writer.process(frames(1), visits(0, 1, 2))
    writer.close()

    assert os.listdir(tmp_path / "shop") == ["events.jsonl"]


def test_events_told_later_of_an_earlier_time_begin_no_file(tmp_path: Path) -> None:
    def at(count: int, known_s: float, **row: str) -> tuple[FrameBatch, Visits]:
        return live(100), visits(count, generation=100, start_time_ns=NOON_NS, known_s=known_s, **row)

    run_node(node(tmp_path, rotate_s=60), [at(0, 59, kind="started", visit="x"), at(1, 61)])
    run_node(node(tmp_path, rotate_s=60), [(live(200), Visits.empty())])

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/100/1", "x/ended"]
