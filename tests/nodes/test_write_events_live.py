"""Event logs of live streams: what is in them after several runs, some of which were killed."""

from __future__ import annotations

import errno
import json
import os
import resource
from pathlib import Path

import pytest

from nodes.types import Visits
from pipeline.errors import PipelineError
from pipeline.values import concat
from tests.helpers import frames, run_node
from tests.nodes.event_logs import ids, live, node, reports, visits


def test_events_of_a_live_stream_are_added_to_those_of_earlier_runs(tmp_path: Path) -> None:
    file = tmp_path / "shop/events.jsonl"
    run_node(node(tmp_path), [(live(100), visits(0, 1, generation=100))], ["shop"])
    before = file.read_bytes()

    run_node(node(tmp_path), [(live(200), visits(0, generation=200))], ["shop"])

    assert file.read_bytes().startswith(before)
    assert ids(file) == ["shop/100/0", "shop/100/1", "shop/200/0"]


def test_half_a_line_of_a_killed_run_is_cut_off_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "shop/events.jsonl"
    run_node(node(tmp_path), [(live(100), visits(0, 1, generation=100))])
    os.truncate(file, file.stat().st_size - 10)
    torn = file.stat().st_size - len(file.read_bytes().splitlines(keepends=True)[0])

    run_node(node(tmp_path), [(live(200), visits(0, generation=200))])

    assert ids(file) == ["shop/100/0", "shop/200/0"]
    assert caplog.messages == [f"{file}: the last line was cut off; its {torn} bytes are removed"]


def test_visits_that_a_killed_run_left_open_end_with_the_first_frame_of_the_next(tmp_path: Path) -> None:
    file = tmp_path / "shop/events.jsonl"
    first = node(tmp_path)
    first.open()
    first.process(live(100), visits(0, generation=100, kind="started", visit="x", known_s=3))
    first.process(live(100), visits(1, generation=100, kind="started", visit="y", known_s=4))
    first.process(live(100), visits(2, generation=100, kind="updated", visit="x", known_s=5))
    first.process(live(100), visits(3, generation=100, kind="ended", visit="z"))
    first.close()  # without the end of the stream

    second = node(tmp_path)
    second.open()
    second.process(frames(0, live=True), Visits.empty())
    before = ids(file)
    second.process(live(200), Visits.empty())
    after = [json.loads(line) for line in file.read_bytes().splitlines()[len(before) :]]
    second.process(live(200), visits(0, generation=200))
    second.close()

    assert before == [f"shop/100/{number}" for number in range(4)]
    assert [(e["id"], e["sequence"], e["time"][17:22], e["data"]["reason"]) for e in after] == [
        ("y/ended", "0000000100.0000000004", "04.00", "interrupted"),
        ("x/ended", "0000000100.0000000005", "05.00", "interrupted"),
    ]
    assert ids(file)[6:] == ["shop/200/0"]


def test_frames_that_alone_begin_anew_end_no_visit_of_this_run(tmp_path: Path) -> None:
    ticks = [
        (live(100), visits(0, generation=100, kind="started", visit="x")),
        (live(101), Visits.empty()),  # a node that draws failed and began anew, and the frames with it
        (live(101), visits(1, generation=100, visit="x")),
    ]

    run_node(node(tmp_path), ticks)

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/100/0", "shop/100/1"]


def test_visits_open_across_a_discontinuity_of_one_run_end_there(tmp_path: Path) -> None:
    file = tmp_path / "shop/events.jsonl"
    lost = visits(0, generation=0, kind="started", visit="x")  # its end got lost with the node above

    run_node(node(tmp_path), [(frames(1), lost), (frames(1, generation=1), visits(0, generation=1))])

    assert ids(file) == ["shop/0/0", "x/ended", "shop/1/0"]


def test_ends_of_a_generation_stand_before_the_events_of_the_next_in_one_tick(tmp_path: Path) -> None:
    rows = [
        visits(0, kind="started", visit="x"),
        visits(1, kind="started", visit="y"),
        visits(2, visit="x"),
        visits(0, generation=1),
    ]

    run_node(node(tmp_path), [(frames(2, generation=[0, 1]), concat(rows))])

    assert ids(tmp_path / "shop/events.jsonl") == ["shop/0/0", "shop/0/1", "shop/0/2", "y/ended", "shop/1/0"]


def test_a_recording_run_again_in_the_log_of_its_live_run_adds_only_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "shop/events.jsonl"
    ticks = [
        (live(100), visits(0, generation=100)),
        (live(100), visits(1, generation=100, kind="started", visit="x")),
        (live(101), visits(0, generation=101, kind="started", visit="y")),
        (live(101), visits(1, generation=101, visit="y")),
    ]
    run_node(node(tmp_path), ticks)
    whole = file.read_bytes()

    run_node(node(tmp_path), ticks)
    again = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:4]))  # killed before the last event
    run_node(node(tmp_path), [*ticks, ticks[-1]])

    assert again == file.read_bytes() == whole
    assert ids(file) == ["shop/100/0", "shop/100/1", "x/ended", "shop/101/0", "shop/101/1"]


def test_a_tick_with_the_ends_of_a_killed_run_can_be_tried_again(tmp_path: Path) -> None:
    file, limits = tmp_path / "shop/events.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    run_node(node(tmp_path), [(live(100), visits(0, generation=100, kind="started", visit="x"))])
    writer = node(tmp_path)
    writer.open()

    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 9, limits[1]))
    try:
        with pytest.raises(PipelineError, match=os.strerror(errno.EFBIG)):
            writer.process(live(200), visits(0, generation=200))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    broken = ids(file)
    writer.process(live(200), visits(0, generation=200))
    writer.process(live(200), visits(0, generation=200))
    writer.close()

    assert broken == ["shop/100/0"]
    assert ids(file) == ["shop/100/0", "x/ended", "shop/200/0"]


def test_measures_of_a_live_stream_are_added_to_those_of_earlier_runs(tmp_path: Path) -> None:
    for generation in (100, 200):
        tick = live(generation), visits(0, generation=generation, kind="started"), reports(0, generation=generation)
        run_node(node(tmp_path, rotate_mb=1), [tick])

    assert len(ids(tmp_path / "shop/measures.jsonl")) == 2
    assert ids(tmp_path / "shop/events.jsonl") == ["shop/100/0", "shop/100/0/ended", "shop/200/0"]


def test_no_file_stays_open_of_a_camera_that_is_gone_and_one_that_comes_back_goes_on(tmp_path: Path) -> None:
    made = node(tmp_path)
    made.open()
    before = len(list(Path("/proc/self/fd").iterdir()))

    for generation in (5, 6):
        for stream in ("shop", "door"):
            shown = frames(1, stream, live=True, generation=generation)
            made.process(shown, visits(0, 1, stream=stream, generation=generation))
            made.stream_ended(stream)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert ids(tmp_path / "door/events.jsonl") == ["door/5/0", "door/5/1", "door/6/0", "door/6/1"]
    made.close()
