"""Event logs: what is in the files of a stream after a run, and after one that went wrong."""

from __future__ import annotations

import errno
import json
import os
import resource
from pathlib import Path

import pytest

from nodes.types import Visits
from pipeline.errors import PipelineError
from pipeline.line_log import LineLog
from tests.helpers import frames, run_node, table
from tests.nodes.event_logs import ids, node, reports, visits


def test_events_are_lines_in_the_file_of_their_stream(tmp_path: Path) -> None:
    batch = frames(2, stream=["bar", "shop"])
    both = table(
        Visits,
        id="abc",
        visit="abc",
        kind=["ended"] * 3,
        stream_id=["shop", "bar", "shop"],
        track_id=[1] * 3,
        target="xyz",
        sequence=[0, 0, 1],
    )

    run_node(node(tmp_path), [(batch, both), (batch, visits(2))], ["bar", "shop"])

    assert ids(tmp_path / "shop/events.jsonl") == ["a", "c", "shop/0/2"]
    assert ids(tmp_path / "bar/events.jsonl") == ["b"]


def test_the_file_is_there_from_the_first_tick_and_lines_from_theirs(tmp_path: Path) -> None:
    writer, file = node(tmp_path), tmp_path / "shop/events.jsonl"
    writer.open()

    writer.process(frames(0), Visits.empty())
    empty = ids(file)
    writer.process(frames(1), visits(0))
    first = ids(file)
    writer.close()

    assert (empty, first) == ([], ["shop/0/0"])


def test_the_name_of_the_file_can_be_chosen(tmp_path: Path) -> None:
    run_node(node(tmp_path, file="looks.jsonl"), [(frames(1), visits(0))])

    assert ids(tmp_path / "shop/looks.jsonl") == ["shop/0/0"]


def test_a_second_run_replaces_the_file_with_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "shop/events.jsonl"
    run_node(node(tmp_path), [(frames(1), visits(0, 1, 2))])
    before = file.read_bytes()

    run_node(node(tmp_path), [(frames(1), visits(0)), (frames(1), visits(1, 2))])

    assert file.read_bytes() == before


def test_a_stream_that_comes_back_goes_on_in_its_file(tmp_path: Path) -> None:
    writer = node(tmp_path)
    writer.open()
    for generation in (0, 1, 0):  # a discontinuity; then a later stream of the same name, which counts anew
        writer.process(frames(1), visits(0, 1, generation=generation))
        writer.stream_ended("shop")
    writer.close()

    assert ids(tmp_path / "shop/events.jsonl") == [f"shop/{g}/{n}" for g in (0, 1, 0) for n in (0, 1)]


def test_a_tick_run_again_writes_no_line_twice(tmp_path: Path) -> None:
    run_node(node(tmp_path), [(frames(1), visits(0, 1)), (frames(1), visits(0, 1)), (frames(1), visits(1, 2))])

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/0/0", "shop/0/1", "shop/0/2"]


def test_a_stream_without_any_tick_ends_quietly(tmp_path: Path) -> None:
    assert run_node(node(tmp_path), [], ["shop"]) == [None]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/events.jsonl").symlink_to("/dev/full")
    writer = node(tmp_path)
    writer.open()

    with pytest.raises(PipelineError) as error:
        writer.process(frames(1), visits(0))

    writer.close()
    assert str(error.value) == (
        f"{tmp_path}/shop/events.jsonl: expected to write, got a full disk; free space or give another folder with "
        "--out; what was written stays readable"
    )


def test_lines_stay_whole_when_a_write_breaks_off_and_go_on_after_it(tmp_path: Path) -> None:
    file, limits = tmp_path / "shop/events.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = node(tmp_path)
    writer.open()
    writer.process(frames(1), visits(0, 1))

    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size * 2, limits[1]))
    try:
        with pytest.raises(PipelineError, match=os.strerror(errno.EFBIG)):
            writer.process(frames(1), visits(2, 3, 4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    broken = ids(file)
    writer.process(frames(1), visits(2, 3, 4))
    writer.close()

    assert broken == ["shop/0/0", "shop/0/1"]
    assert ids(file) == [f"shop/0/{number}" for number in range(5)]


def test_a_file_that_cannot_be_opened_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "shop/events.jsonl").mkdir(parents=True)
    writer = node(tmp_path)
    writer.open()

    with pytest.raises(PipelineError) as error:
        writer.process(frames(1), Visits.empty())

    writer.close()
    assert str(error.value) == (
        f"{tmp_path}/shop/events.jsonl: expected to write, got Is a directory; check the path or give another folder "
        "with --out"
    )


def test_a_pipe_can_take_the_events(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    os.mkfifo(tmp_path / "shop/events.jsonl")
    reader = os.open(tmp_path / "shop/events.jsonl", os.O_RDONLY | os.O_NONBLOCK)

    run_node(node(tmp_path), [(frames(1), visits(0))])
    line = os.read(reader, 10_000)
    os.close(reader)

    assert json.loads(line)["id"] == "shop/0/0"


def test_measures_have_a_file_of_their_own(tmp_path: Path) -> None:
    ticks = [(frames(1), visits(0), reports(0)), (frames(1), Visits.empty(), reports(0, 1))]

    run_node(node(tmp_path), ticks, ["shop"])
    run_node(node(tmp_path / "without"), [(frames(1), visits(0))])

    lines = [json.loads(line) for line in (tmp_path / "shop/measures.jsonl").read_bytes().splitlines()]
    assert [(line["source"], line["sequence"]) for line in lines] == [
        ("retail/shop/measures", "0000000000.0000000000"),
        ("retail/shop/measures", "0000000000.0000000001"),
    ]
    assert [len(line["data"]["figures"]) for line in lines] == [2, 2]
    assert ids(tmp_path / "shop/events.jsonl") == ["shop/0/0"]
    assert os.listdir(tmp_path / "without/shop") == ["events.jsonl"]


@pytest.mark.parametrize(("fsync", "calls"), [("tick", [2, 2, 3, 4]), ("end", [0, 0, 1, 2]), ("never", [0, 0, 0, 0])])
def test_events_are_brought_to_the_disk_when_asked(
    fsync: str, calls: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    writer = node(tmp_path, fsync=fsync)
    writer.open()
    counts = []

    for sequences in ((0, 1), (2,), ()):
        writer.process(frames(1), visits(*sequences))
    counts.append(len(synced))
    writer.process(frames(1), visits(2))  # again
    counts.append(len(synced))
    writer.stream_ended("shop")
    counts.append(len(synced))
    writer.close()
    counts.append(len(synced))

    assert counts == calls


def test_a_file_that_could_not_be_begun_is_begun_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = LineLog.clear

    def fails_once(self: LineLog) -> None:
        monkeypatch.setattr(LineLog, "clear", clear)
        raise PipelineError("no right")

    monkeypatch.setattr(LineLog, "clear", fails_once)
    writer = node(tmp_path)
    writer.open()
    with pytest.raises(PipelineError, match="no right"):
        writer.process(frames(1), visits(0))
    writer.process(frames(1), visits(0))
    writer.close()

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/0/0"]
