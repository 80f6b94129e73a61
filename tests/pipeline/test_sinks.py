"""Sinks of a live graph run by themselves: events wait on disk, pictures are dropped, failures are tried again."""

from __future__ import annotations

import os
import threading
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pipeline.sinks
from pipeline.errors import GraphError
from pipeline.frames import FrameBatch
from pipeline.sinks import BACK_OFF_S
from pipeline.tick import Slot, Tick
from pipeline.values import equal
from tests.helpers import frames
from tests.pipeline.lane import ENDED, Sink, tick
from tests.pipeline.rig import PATIENCE_S, Notes, graph, node_class, runtime, spec, stream


def told(logs: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in logs.records]


# keep


def test_a_sink_that_keeps_gets_everything_in_order_however_slow_it_is():
    sink = Sink(room=2)
    sink.offer(*range(7))

    sink.run_to_the_end()

    assert sink.got == [(str(number),) for number in range(7)]
    assert sink.lane.spilled == 5
    assert sink.account == {"in": 7, "out": 7, "dropped": {}, "in_flight": 0}


def test_what_waited_on_disk_is_what_was_handed_over_without_its_pictures():
    sink = Sink(room=1)
    given = tick(5, count=2)
    sink.offer(0)
    sink.lane.offer(given)

    sink.run_to_the_end()

    assert equal(sink.ticks[1], given.frames)
    assert sink.ticks[1].streams == given.frames.streams
    assert [each.pictures for each in sink.ticks] == [(), ()]


def test_a_tick_knows_its_own_streams_after_waiting_on_disk():
    sink = Sink(room=1)
    batches = [frames(1, name) for name in ("shop", "bar", "door")]
    for number, batch in enumerate(batches):
        notes = Slot(Notes.empty())
        sink.lane.offer(Tick(number, batch, (), {"frames": Slot(batch), "notes": notes}))

    sink.run_to_the_end()

    assert [list(each.streams) for each in sink.ticks] == [["shop"], ["bar"], ["door"]]


def test_marks_arrive_in_their_places_after_waiting_on_disk():
    sink = Sink(room=1)
    sink.offer(0, 1)
    sink.lane.offer(tick(2, ENDED, count=0))

    sink.run_to_the_end()

    assert sink.got == [("0",), ("1",), ("2",)]
    assert sink.ended == ["shop"]


@pytest.mark.parametrize("room", [1, 2, 3])
def test_order_is_kept_between_memory_and_disk_whoever_is_faster(room: int):
    sink = Sink(room=room)
    lane: Any = sink.lane
    offers = np.random.default_rng(room).random(400) < 0.52
    offered = 0
    for offer in offers:
        if offer:
            sink.offer(offered)
            offered += 1
        elif len(sink.got) < offered:
            lane._feed(lane._next())

    sink.run_to_the_end()

    assert sink.got == [(str(number),) for number in range(offered)]


def test_the_file_on_disk_shrinks_when_the_sink_has_caught_up():
    sink = Sink(room=1)
    lane: Any = sink.lane
    for first in (0, 5):
        sink.offer(*range(first, first + 5))
        for _ in range(5):
            lane._feed(lane._next())

        assert os.fstat(lane._spill._file.fileno()).st_size == 0
    sink.run_to_the_end()

    assert sink.got == [(str(number),) for number in range(10)]


def test_a_disk_that_is_full_costs_what_cannot_wait_and_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(pipeline.sinks.tempfile, "TemporaryFile", lambda **_: FileIO("/dev/full", "r+"))
    monkeypatch.setattr(pipeline.sinks.tempfile, "gettempdir", lambda: "/scratch")
    sink = Sink(room=1)
    sink.offer(0, 1, 2)

    sink.run_to_the_end()

    assert sink.got == [("0",)]
    assert str(sink.lane.error) == (
        "node 'sink' (type_sink): what waits in /scratch: expected to write, got a full disk; free space or give "
        "another folder with --out; what was written stays readable"
    )
    assert sink.account == {"in": 3, "out": 1, "dropped": {"spill_failed": 2}, "in_flight": 0}


def test_a_sink_that_keeps_is_tried_again_with_growing_pauses_until_it_works(caplog: pytest.LogCaptureFixture):
    sink = Sink()
    failures = iter([True] * 8)
    sink.failing = lambda: next(failures, False)
    sink.offer(0)
    began_ns = sink.clock.ns
    lane: Any = sink.lane

    lane._feed(lane._next())

    assert sink.got == [("0",)]
    assert sink.clock.ns - began_ns == sum((*BACK_OFF_S, 30, 30)) * 1e9
    assert sink.lane.failures == 8
    assert sink.lane.error is None
    assert sink.account == {"in": 1, "out": 1, "dropped": {}, "in_flight": 0}
    assert told(caplog)[:2] == [
        "node 'sink' (type_sink): stream 'shop', pts 0.000 s: broken; the sink is set aside and tried again in 1 s",
        "node 'sink' (type_sink): stream 'shop', pts 0.000 s: broken; the sink is set aside and tried again in 2 s",
    ]


def test_pauses_begin_anew_after_a_success():
    sink = Sink()
    failures = iter([True, True, False, True, False])
    sink.failing = lambda: next(failures)
    sink.offer(0, 1)
    lane: Any = sink.lane
    pauses = []
    for _ in range(2):
        began_ns = sink.clock.ns
        lane._feed(lane._next())
        pauses.append((sink.clock.ns - began_ns) / 1e9)

    assert pauses == [1 + 2, 1]


def test_what_a_failing_sink_could_not_keep_at_the_end_is_an_error(caplog: pytest.LogCaptureFixture):
    sink = Sink()
    sink.failing = lambda: True
    sink.offer(0, 1, 2)
    sink.lane.offer(tick(3, ENDED, count=0))

    sink.run_to_the_end()

    assert str(sink.lane.error) == "node 'sink' (type_sink): stream 'shop', pts 0.000 s: broken"
    assert sink.lane.failures == 4
    assert sink.ended == ["shop"]
    assert sink.account == {"in": 3, "out": 0, "dropped": {"error:sink": 3}, "in_flight": 0}
    assert told(caplog) == []


def test_closing_ends_a_pause():
    sink = Sink()
    sink.failing = lambda: True
    sink.offer(0)

    def close_instead(condition: threading.Condition, timeout_s: float | None) -> None:
        sink.lane.close()

    sink.clock.wait = close_instead  # type: ignore[method-assign]
    sink.lane.run()

    assert sink.lane.failures == 1
    assert sink.account["dropped"] == {"error:sink": 1}


# drop


def test_a_sink_that_drops_loses_what_it_is_too_slow_for():
    sink = Sink("drop", room=2)
    sink.offer(*range(5))

    sink.run_to_the_end()

    assert sink.got == [("0",), ("1",)]
    assert [len(each.pictures) for each in sink.ticks] == [1, 1]
    assert sink.account == {"in": 5, "out": 2, "dropped": {"sink_slow": 3}, "in_flight": 0}


def test_marks_reach_a_sink_that_drops_even_when_it_is_full():
    sink = Sink("drop", room=1)
    sink.offer(0, 1)
    sink.lane.offer(tick(2, ENDED, count=0))

    sink.run_to_the_end()

    assert sink.got == [("0",), ("2",)]
    assert sink.ended == ["shop"]


def test_a_sink_that_drops_is_set_aside_and_goes_on_with_the_next_tick(caplog: pytest.LogCaptureFixture):
    sink = Sink("drop", room=4)
    failures = iter([True])
    sink.failing = lambda: next(failures, False)
    sink.offer(0, 1)
    lane: Any = sink.lane
    began_ns = sink.clock.ns

    lane._feed(lane._next())
    sink.run_to_the_end()

    assert sink.clock.ns - began_ns == 1_000_000_000
    assert sink.got == [("1",)]
    assert sink.lane.error is None
    assert sink.account == {"in": 2, "out": 1, "dropped": {"error:sink": 1}, "in_flight": 0}
    assert told(caplog) == [
        "node 'sink' (type_sink): stream 'shop', pts 0.000 s: broken; the sink is set aside and tried again in 1 s"
    ]


def test_a_stream_ends_for_a_sink_that_fails_on_its_last_tick(caplog: pytest.LogCaptureFixture):
    sink = Sink("drop")
    sink.failing = lambda: True
    sink.lane.offer(tick(0, ENDED, count=0))

    sink.run_to_the_end()

    assert sink.ended == ["shop"]


# both


def test_a_lane_waits_for_ticks_on_its_own_thread():
    sink = Sink()
    thread = threading.Thread(target=sink.lane.run)
    thread.start()

    sink.offer(*range(20))
    sink.lane.close()
    thread.join(PATIENCE_S)

    assert sink.got == [(str(number),) for number in range(20)]
    assert sink.account == {"in": 20, "out": 20, "dropped": {}, "in_flight": 0}


def test_a_sink_that_reads_pictures_cannot_keep_all_of_them(tmp_path: Path):
    def process(self: Any, frames: FrameBatch) -> None:
        pass

    keeps = spec("video", node_class(process, reads_pictures=True), frames="frames")

    with pytest.raises(GraphError) as caught:
        runtime(graph(keeps), [stream(live=True)], tmp_path)

    assert str(caught.value) == (
        "graph.yaml: video: expected a sink that may drop, because it reads pictures of live streams and they are not "
        "kept on disk, got one that keeps; set sink_policy = 'drop' in type_video"
    )
    runtime(graph(keeps), [stream()], tmp_path)
