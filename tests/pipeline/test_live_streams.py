"""Streams are added, removed, paused and resumed while the graph runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, RefusedError, UnknownStreamError
from tests.pipeline.cameras import (
    Camera,
    Marks,
    during,
    endless,
    frames_of,
    live_run,
    status,
    until,
)
from tests.pipeline.rig import (
    PATIENCE_S,
    Log,
    chain,
    frame,
    graph,
    runtime,
    stream,
)


def test_streams_are_added_and_removed_while_the_graph_runs(tmp_path: Path) -> None:
    run, marks = live_run(Camera(*[endless] * 9), tmp_path, clock=None)

    def change() -> None:
        until(lambda: "cam 0" in marks.story)
        run.add_stream(stream("door", live=True, when_full="wait"))
        until(lambda: any(one.startswith("door ") for one in marks.story))
        assert [one.id for one in run.status().streams] == ["cam", "door"]
        run.remove_stream("door")
        until(lambda: "ended door" in marks.story)
        until(lambda: run.status().removed["in"] > 0)
        assert [one.id for one in run.status().streams] == ["cam"]
        run.add_stream(stream("door", live=True, when_full="wait"))
        until(lambda: status(run, "door").frames_out > 0)
        until(lambda: len({one for one in marks.story if one.startswith("door ")}) == 2)  # of another generation

    report = during(run, change)

    assert report.status == "interrupted"
    assert report.removed["in"] == report.removed["out"] + sum(report.removed["dropped"].values()) > 0
    assert f"(removed)  {report.removed['in']:>8} = {report.removed['out']:>8} + " in report.table()


def test_what_a_removed_stream_says_at_last_is_not_said_of_the_next_of_its_id(tmp_path: Path) -> None:
    asked, answers = threading.Event(), threading.Event()

    def slow() -> Iterator[Any]:
        yield frame(0)
        asked.set()
        assert answers.wait(PATIENCE_S)
        yield frame(1)

    run, marks = live_run(Camera(endless, slow, endless), tmp_path, clock=None)

    def change() -> None:
        until(lambda: "cam 0" in marks.story)
        run.add_stream(stream("door", live=True, when_full="wait"))
        until(lambda: asked.is_set() and status(run, "door").frames_out == 1)
        old = next(thread for thread in threading.enumerate() if thread.name == "source-door")
        run.remove_stream("door")
        until(lambda: run.status().removed["in"] == 1)
        run.add_stream(stream("door", live=True, when_full="wait"))
        answers.set()
        old.join(PATIENCE_S)
        so_far = status(run, "door").frames_out
        until(lambda: status(run, "door").frames_out > so_far + 20)  # of more than waited when the old one was over

    report = during(run, change)

    assert report.removed == {"in": 1, "out": 1, "dropped": {}, "in_flight": 0}


def test_what_cannot_be_added_or_removed_is_refused(tmp_path: Path) -> None:
    run, marks = live_run(Camera(endless), tmp_path, clock=None)

    def change() -> None:
        until(lambda: bool(marks.story))
        with pytest.raises(ConfigError, match="stream 'cam': expected another id, got one that is taken"):
            run.add_stream(stream("cam", live=True))
        for verb in (run.remove_stream, run.pause_stream, run.resume_stream):
            with pytest.raises(
                UnknownStreamError, match="'till': expected a stream of this run, got none; streams: cam"
            ):
                verb("till")

    during(run, change)
    with pytest.raises(RefusedError, match="expected a run that goes on, got one that ends"):
        run.add_stream(stream("late", live=True))


def test_a_run_of_files_takes_no_streams(tmp_path: Path) -> None:
    run = runtime(graph(*chain(Log())), [stream("shop")], tmp_path)

    with pytest.raises(RefusedError, match="expected a run of live streams, got one of files"):
        run.add_stream(stream("cam", live=True))


def test_a_paused_stream_lets_go_of_its_source_and_goes_on_in_a_new_generation(tmp_path: Path) -> None:
    camera = Camera(endless, endless)
    run, marks = live_run(camera, tmp_path, clock=None)

    def change() -> None:
        until(lambda: "cam 0" in marks.story)
        run.pause_stream("cam")
        assert status(run).state == "paused"
        until(lambda: status(run).in_flight == 0)
        assert camera.opened == ["cam"]
        run.resume_stream("cam")
        until(lambda: marks.story[-1] in ("cam 1", "cam 2"))  # 2: one more was being read
        until(lambda: status(run).state == "live")

    during(run, change)


def test_a_run_that_others_may_add_to_waits_for_them(tmp_path: Path) -> None:
    marks = Marks()
    whole = graph(*chain(marks), source=Camera(frames_of(0, 1)).cls)
    run = runtime(whole, [], tmp_path, keep_open=True)

    def change() -> None:
        run.add_stream(stream("late", live=True, when_full="wait"))
        until(lambda: bool(marks.stamps))

    assert during(run, change).frames == 1


def test_a_run_that_others_may_add_to_outlives_its_last_stream(tmp_path: Path) -> None:
    marks = Marks()
    whole = graph(*chain(marks), source=Camera(endless, frames_of(0, 1)).cls)
    run = runtime(whole, [stream("cam", live=True, when_full="wait")], tmp_path, keep_open=True)

    def change() -> None:
        until(lambda: bool(marks.stamps))
        run.remove_stream("cam")
        until(lambda: "ended cam" in marks.story)
        assert run.status().running
        run.add_stream(stream("late", live=True, when_full="wait"))
        until(lambda: "ended late" in marks.story)
        until(lambda: not run.status().running)  # it ended by itself, and so does the run

    assert during(run, change).status in ("done", "interrupted")


def test_a_frame_that_was_being_read_when_a_stream_was_paused_is_of_no_later_generation(tmp_path: Path) -> None:
    reading, paused = threading.Event(), threading.Event()

    def slow() -> Iterator[Any]:
        yield frame(0)
        reading.set()
        assert paused.wait(PATIENCE_S)
        yield frame(1)

    run, marks = live_run(Camera(slow, endless), tmp_path, clock=None)

    def change() -> None:
        assert reading.wait(PATIENCE_S)
        until(lambda: marks.story == ["cam 0"])
        run.pause_stream("cam")
        paused.set()
        until(lambda: run._readers.here()[0].meter.frames == 2)
        run.resume_stream("cam")
        until(lambda: status(run).state == "live" and len(marks.story) > 9)
        assert marks.story[-1] == "cam 2"

    during(run, change)
