"""A node that fails costs the frames of the streams on which it fails, and nothing else."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from pipeline.dropping import QUIET_NS
from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.stage import run_stage
from pipeline.tick import Slot, Tick
from tests.helpers import frames, list_sink, table
from tests.pipeline.bench import DROP, ENDED, failing, running, stamper, tick
from tests.pipeline.rig import Notes, Stamps, node_class


def told(logs: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in logs.records]


def test_only_the_failing_stream_loses_its_frames(caplog: pytest.LogCaptureFixture):
    node = running("stamps", node_class(failing(lambda frames: "b" in frames.stream_id)), frames="frames")
    ledger = Ledger()
    given = tick("a", "b", "c", "a", "b", above=table(Stamps, frame_row=[0, 1, 2, 3, 4], stamp_ns=[0, 1, 2, 3, 4]))

    done = run_stage([node], given, DROP, ledger)

    assert done.frames.stream_id == ("a", "c", "a")
    made: Any = done.slots["stamps"].value
    assert made.frame_row.tolist() == [0, 1, 2]
    assert made.stamp_ns.tolist() == [0, 80_000_000, 120_000_000]
    above: Any = done.slots["above"].value
    assert (above.frame_row.tolist(), above.stamp_ns.tolist()) == ([0, 1, 2], [0, 2, 3])
    assert ledger.to_dict() == {"stamps": {"in": 5, "out": 3, "dropped": {"error:stamps": 2}, "in_flight": 0}}
    assert told(caplog) == [
        "node 'stamps' (type_stamps): stream 'b', pts 0.040 s: broken; its frames are dropped",
    ]


def test_pictures_drawn_of_other_streams_keep_their_order():
    def process(self: Any, frames: FrameBatch) -> FrameBatch:
        if "b" in frames.stream_id:
            raise ValueError("broken")
        return frames

    batch = frames(4, ("a", "c", "b", "a"), pictures=True)
    given = Tick(0, batch, (), {"frames": Slot(batch)})

    done = run_stage([running("drawn", node_class(process), frames="frames")], given, DROP, Ledger())

    drawn: Any = done.slots["drawn"].value
    assert drawn.stream_id == ("a", "c", "a")
    assert drawn.pictures == tuple(batch.pictures[row] for row in (0, 1, 3))
    assert drawn.streams == batch.streams


def test_a_tick_in_which_every_stream_fails_goes_on_empty():
    node = running("stamps", node_class(failing(lambda frames: True)), frames="frames")

    for streams in (("a",), ("a", "b")):
        done = run_stage([node], tick(*streams), DROP, Ledger())

        assert len(done.frames) == len(done.slots["stamps"].value) == 0


def test_a_failing_sink_takes_nothing_from_those_after_it():
    def process(self: Any, frames: FrameBatch) -> None:
        if len(frames):
            raise ValueError("broken")

    first, second = (
        running("first", node_class(process), frames="frames"),
        running("b", list_sink(Notes), values="notes"),
    )
    ledger = Ledger()
    given = tick("a", "b", notes=table(Notes, stream_id=["a", "b"], text=["x", "y"]))

    done = run_stage([first, second], given, DROP, ledger)

    assert [got.text for got in second.node.got] == [("x", "y")]  # type: ignore[attr-defined]
    assert done.frames is given.frames
    assert ledger.to_dict() == {
        "first": {"in": 2, "out": 0, "dropped": {"error:first": 2}, "in_flight": 0},
        "b": {"in": 2, "out": 2, "dropped": {}, "in_flight": 0},
    }


def test_events_of_the_last_tick_survive_a_node_that_fails_on_it():
    second = running("log", list_sink(Notes), values="notes")
    given = tick(marks=(ENDED,), notes=table(Notes, stream_id=["a", "a"], text=["x", "y"]))
    nodes = [running("stamps", node_class(failing(lambda frames: True)), frames="frames"), second]

    run_stage(nodes, given, DROP, Ledger())

    assert [got.text for got in second.node.got] == [("x", "y")]  # type: ignore[attr-defined]


def test_a_node_that_fails_on_the_last_tick_still_hands_out_what_it_holds():
    def process(self: Any, frames: FrameBatch) -> Notes:
        raise ValueError("broken")

    def ended(self: Any, stream_id: str) -> Notes:
        return table(Notes, stream_id=[stream_id], text=["held"])

    node = running("notes", node_class(process, stream_ended=ended), frames="frames")

    done = run_stage([node], tick(marks=(ENDED, Mark("ended", "b"))), DROP, Ledger())

    assert done.slots["notes"].value.text == ("held", "held")
    assert done.marks == (ENDED, Mark("ended", "b"))


def test_what_cannot_be_handed_out_either_is_told(caplog: pytest.LogCaptureFixture):
    def ended(self: Any, stream_id: str) -> None:
        raise KeyError(stream_id)

    done = run_stage([stamper(stream_ended=ended)], tick(marks=(ENDED,)), DROP, Ledger())

    assert len(done.slots["stamps"].value) == 0
    assert told(caplog) == [
        "node 'stamps' (type_stamps): stream 'a': KeyError: 'a'; its frames are dropped",
        "node 'stamps': what it held for stream 'a' is lost: KeyError: 'a'",
    ]


def test_a_mark_reaches_its_stream_alone_when_streams_are_run_one_by_one():
    ended: list[str] = []
    node = running(
        "stamps",
        node_class(
            failing(lambda frames: "b" in frames.stream_id),
            stream_ended=lambda self, stream_id: ended.append(stream_id),
        ),
        frames="frames",
    )

    run_stage([node], tick("a", "b", marks=(Mark("ended", "a"), Mark("ended", "c"))), DROP, Ledger())

    assert ended == ["a", "c"]


def test_a_tick_of_nothing_on_which_a_node_fails_goes_on(caplog: pytest.LogCaptureFixture):
    node = running("stamps", node_class(failing(lambda frames: True)), frames="frames")

    done = run_stage([node], tick(), DROP, Ledger())

    assert len(done.slots["stamps"].value) == 0
    assert told(caplog) == ["node 'stamps' (type_stamps): broken"]


def test_failures_are_logged_once_in_ten_seconds_of_a_stream(caplog: pytest.LogCaptureFixture):
    node = running("stamps", node_class(failing(lambda frames: True)), frames="frames")

    for start_s in (0.0, 0.04, QUIET_NS / 1e9 - 0.04, QUIET_NS / 1e9, 11.0, 0.0):
        run_stage([node], tick("a", start_s=start_s), DROP, Ledger())
    run_stage([node], tick("b"), DROP, Ledger())

    assert [line.split(": ")[1] for line in told(caplog)] == [
        "stream 'a', pts 0.000 s",
        "stream 'a', pts 10.000 s",
        "stream 'a', pts 0.000 s",
        "stream 'b', pts 0.000 s",
    ]


def test_nothing_is_logged_when_nothing_fails(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        run_stage([stamper()], tick("a", "b", marks=(ENDED,)), DROP, Ledger())

    assert told(caplog) == []


def test_values_of_streams_run_one_by_one_are_those_of_the_whole_tick():
    def process(self: Any, frames: FrameBatch) -> Stamps:
        if len(set(frames.stream_id)) > 1:
            raise ValueError("one stream at a time")
        rows = np.repeat(np.arange(len(frames)), 2)
        return Stamps(rows, frames.pts_ns[rows] + np.tile([0, 1], len(frames)))

    given = tick("c", "a", "b", "a", "c")
    node = running("stamps", node_class(process), frames="frames")

    done = run_stage([node], given, DROP, Ledger())

    made: Any = done.slots["stamps"].value
    assert made.frame_row.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert (made.stamp_ns == given.frames.pts_ns[made.frame_row] + np.tile([0, 1], 5)).all()
