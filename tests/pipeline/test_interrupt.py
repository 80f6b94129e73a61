"""Runs that are interrupted finish what is inside, and the sinks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.node import Frame, Source
from pipeline.report import Snapshot
from tests.pipeline.rig import (
    PATIENCE_S,
    Log,
    adds_up,
    chain,
    copy,
    frame,
    graph,
    node_class,
    runtime,
    source_class,
    stream,
)


def endless() -> type[Source[Any]]:
    """Return a source without end."""

    def read(self: Any) -> Iterator[Frame]:
        index = 0
        while True:
            yield frame(index)
            index += 1

    return source_class(read)


def test_an_interrupt_lets_what_is_inside_finish_and_ends_the_streams(tmp_path: Path):
    log = Log()
    whole = runtime(graph(*chain(log, ("a", node_class(copy))), source=endless()), [stream("a"), stream("b")], tmp_path)

    report = whole.run(lambda snapshot: whole.interrupt() if snapshot.frames > 20 else None, every_s=0.001)

    assert (report.status, report.error) == ("interrupted", None)
    assert adds_up(report.edges)
    assert report.edges["frames"]["dropped"].keys() <= {"interrupted"}
    assert len(log.stamps) == report.frames > 20
    assert log.stamps == sorted(log.stamps)
    ends = [call for call in log.calls if call.startswith("stream_ended")]
    assert sorted(ends) == ["stream_ended a", "stream_ended b"]
    assert log.calls[-1] == "close"


def test_a_run_that_is_interrupted_before_it_begins_ends_at_once(tmp_path: Path):
    log = Log()
    whole = runtime(graph(*chain(log), source=endless()), [stream()], tmp_path)
    whole.interrupt()

    report = whole.run(every_s=0.001)

    assert report.status == "interrupted"
    assert adds_up(report.edges)
    assert log.calls[-3:] == ["", "stream_ended shop", "close"]


def test_an_interrupt_takes_no_lock(tmp_path: Path):
    whole: Any = runtime(graph(*chain(Log())), [stream()], tmp_path)

    with whole._ledger._lock, whole._admission._changed:
        thread = threading.Thread(target=whole.interrupt)
        thread.start()
        thread.join(PATIENCE_S)

    assert not thread.is_alive()


def test_an_interrupt_waits_for_a_source_until_it_returns(tmp_path: Path):
    asked, go_on = threading.Event(), threading.Event()

    def read(self: Any) -> Iterator[Frame]:
        asked.set()
        assert go_on.wait(PATIENCE_S)
        yield frame(0)

    source = source_class(read)
    whole = runtime(graph(*chain(Log()), source=source), [stream()], tmp_path)
    seen: list[bool] = []

    def observe(snapshot: Snapshot) -> None:
        if asked.is_set() and not seen:
            whole.interrupt()
        if whole._stopped:  # type: ignore[attr-defined]
            seen.append(True)
            go_on.set()

    report = whole.run(observe, every_s=0.001)

    assert report.status == "interrupted"
    assert report.edges["frames"] == {"in": 1, "out": 0, "dropped": {"interrupted": 1}, "in_flight": 0}


def test_what_the_observer_raises_ends_the_run_in_order(tmp_path: Path):
    log, before = Log(), threading.active_count()

    def observe(snapshot: Snapshot) -> None:
        if snapshot.frames:
            raise BrokenPipeError

    whole = runtime(
        graph(*chain(log), source=endless()), [stream()], tmp_path, record={"stamps": tmp_path}
    )  # fmt: skip

    with pytest.raises(BrokenPipeError):
        whole.run(observe, every_s=0.001)

    assert threading.active_count() == before
    assert log.calls[-2:] == ["stream_ended shop", "close"]
    assert all(recorder._file.closed for recorder in whole._edges._recorders.values())
