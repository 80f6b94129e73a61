"""Nodes are run on ticks; one that fails stops the run, or loses the frames of the failing streams and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.dropping import QUIET_NS, RESTART_AFTER
from pipeline.errors import NodeError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.node import Node
from pipeline.running import RunningNode
from pipeline.stage import Policy, run_stage
from pipeline.tick import Slot, Tick, no_frames
from tests.helpers import FakeContext, frames, list_sink, table
from tests.pipeline.rig import Notes, Stamps, node_class, spec, stamp, stream

STOP, DROP = Policy(drop=False), Policy(drop=True)
ENDED = Mark("ended", "a", 0, 80)


def running(name: str, cls: type[Node[Any]], **inputs: str) -> RunningNode:
    made = spec(name, cls, **inputs)
    return RunningNode(made, cls(made.config, FakeContext()))


def stamper(**members: Any) -> RunningNode:
    return running("stamps", node_class(stamp, **members), frames="frames")


def tick(*streams: str, marks: tuple[Mark, ...] = (), start_s: float = 0.0, **slots: Any) -> Tick:
    """Return a tick with a frame of each stream named, in that order."""
    known = [stream(id) for id in ("a", "b", "c")]
    batch = frames(len(streams), streams, start_s=start_s) if streams else no_frames(*known)
    return Tick(0, batch, marks, {name: Slot(value) for name, value in {"frames": batch, **slots}.items()})


def failing(when: Callable[[FrameBatch], bool], error: BaseException | None = None) -> Any:
    """Return a `process()` that stamps frames, and fails on some."""

    def process(self: Any, frames: FrameBatch) -> Stamps:
        if when(frames):
            raise error or ValueError("broken")
        return stamp(self, frames)

    return process


def told(logs: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in logs.records]


# no failure


def test_each_node_gets_the_values_of_its_edges_and_fills_its_slot():
    def total(self: Any, stamps: Stamps) -> Notes:
        return table(Notes, stream_id=["a"], text=[str(stamps.stamp_ns.sum())])

    nodes = [stamper(), running("notes", node_class(total), stamps="stamps")]
    ledger = Ledger()

    done = run_stage(nodes, tick("a", "a", "a"), STOP, ledger)

    assert list(done.slots) == ["frames", "stamps", "notes"]
    assert done.slots["notes"].value.text == ("120000000",)
    assert ledger.to_dict() == {
        name: {"in": 3, "out": 3, "dropped": {}, "in_flight": 0} for name in ("stamps", "notes")
    }
    assert (nodes[0].meter.ticks, nodes[0].meter.frames, nodes[0].meter.rows, nodes[0].meter.last_rows) == (1, 3, 3, 3)


def test_an_optional_input_that_the_graph_leaves_open_is_none():
    got: list[Any] = []

    def process(self: Any, frames: FrameBatch, stamps: Stamps | None = None) -> None:
        got.append(stamps)

    run_stage([running("sink", node_class(process), frames="frames")], tick("a"), STOP, Ledger())
    run_stage([running("sink", node_class(process), frames="frames", stamps="s")], tick("a", s=1), STOP, Ledger())

    assert got == [None, 1]


def test_a_node_sees_ticks_without_frames():
    done = run_stage([stamper()], tick(marks=(Mark("begun", "a"),)), STOP, Ledger())

    assert len(done.slots["stamps"].value) == 0


def test_what_a_node_holds_at_the_end_of_a_stream_goes_below_before_those_below_end():
    order: list[Any] = []

    def process(self: Any, frames: FrameBatch) -> Notes:
        order.append("upper processes")
        return Notes.empty()

    def ended(self: Any, stream_id: str) -> Notes:
        order.append(f"upper ends {stream_id}")
        return table(Notes, stream_id=[stream_id], text=["held"])

    def sink(self: Any, notes: Notes) -> None:
        order.append(notes.text)

    upper = running("notes", node_class(process, stream_ended=ended), frames="frames")
    ends = node_class(sink, stream_ended=lambda self, stream_id: order.append(f"lower ends {stream_id}"))

    done = run_stage([upper, running("sink", ends, notes="notes")], tick(marks=(ENDED,)), STOP, Ledger())

    assert order == ["upper processes", "upper ends a", ("held",), "lower ends a"]
    assert done.slots["notes"].value.text == ("held",)


def test_a_discontinuity_ends_what_nodes_hold_but_not_the_files_of_sinks():
    ended: list[str] = []
    made = node_class(stamp, stream_ended=lambda self, stream_id: ended.append("node"))
    sink = type("Sink", (list_sink(Stamps),), {"stream_ended": lambda self, stream_id: ended.append("sink")})
    nodes = [running("stamps", made, frames="frames"), running("sink", sink, values="stamps")]

    run_stage(nodes, tick(marks=(Mark("discontinuity", "a"),)), STOP, Ledger())
    run_stage(nodes, tick(marks=(Mark("begun", "a"), Mark("stalled", "a"), Mark("lost", "a"))), STOP, Ledger())

    assert ended == ["node"]


def test_every_edge_can_be_looked_at_when_it_is_there():
    seen: list[Any] = []
    policy = Policy(drop=False, after_node=lambda name, tick: seen.append((name, len(tick.slots[name].value))))

    run_stage([stamper()], tick("a", "b"), policy, Ledger())

    assert seen == [("stamps", 2)]


# what nodes must not return


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (None, "TypeError: expected Stamps as output, got NoneType"),
        (Notes.empty(), "TypeError: expected Stamps as output, got Notes"),
        (
            table(Stamps, frame_row=[0, 2], stamp_ns=[0, 0]),
            "Stamps.frame_row: expected rows of the 2 frames of the tick, got 0 to 2",
        ),
        (
            table(Stamps, frame_row=[-1], stamp_ns=[0]),
            "Stamps.frame_row: expected rows of the 2 frames of the tick, got -1 to -1",
        ),
    ],
)
def test_a_wrong_output_is_told(returned: Any, complaint: str):
    def process(self: Any, frames: FrameBatch) -> Stamps:
        return returned

    with pytest.raises(NodeError) as caught:
        run_stage([running("stamps", node_class(process), frames="frames")], tick("a", "b"), STOP, Ledger())

    assert str(caught.value) == f"node 'stamps' (type_stamps): stream 'a', stream 'b', pts 0.000 s: {complaint}"


def test_a_wrong_output_at_the_end_of_a_stream_is_told():
    held = table(Stamps, frame_row=[0], stamp_ns=[0])

    with pytest.raises(NodeError) as caught:
        run_stage([stamper(stream_ended=lambda self, _: held)], tick(marks=(ENDED,)), STOP, Ledger())

    assert str(caught.value) == (
        "node 'stamps' (type_stamps): stream 'a': Stamps.frame_row: expected rows of the 0 frames of the tick, "
        "got 0 to 0"
    )


def test_frames_as_output_are_those_of_the_tick():
    def process(self: Any, frames: FrameBatch) -> FrameBatch:
        return frames.take([0])

    with pytest.raises(NodeError) as caught:
        run_stage([running("drawn", node_class(process), frames="frames")], tick("a", "a"), STOP, Ledger())

    assert str(caught.value) == (
        "node 'drawn' (type_drawn): stream 'a', pts 0.000 s: FrameBatch: expected 2 frames as in the tick, got 1"
    )


# stop


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("the map has no peak"), "the map has no peak"),
        (PipelineError("out: full"), "out: full"),
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_failure_says_where_and_when_it_happened(error: BaseException, said: str):
    ledger = Ledger()
    node = running("stamps", node_class(failing(lambda frames: True, error)), frames="frames")

    with pytest.raises(NodeError) as caught:
        run_stage([node, stamper()], tick("a", "a", start_s=12.48), STOP, ledger)

    assert str(caught.value) == f"node 'stamps' (type_stamps): stream 'a', pts 12.480 s: {said}"
    assert caught.value.__cause__ is error
    assert ledger.to_dict() == {"stamps": {"in": 2, "out": 0, "dropped": {"error:stamps": 2}, "in_flight": 0}}


def test_frames_of_an_edge_that_cannot_be_written_down_are_counted():
    def full(name: str, tick: Tick) -> None:
        raise PipelineError("disk full")

    ledger = Ledger()

    with pytest.raises(PipelineError, match=r"^disk full$"):
        run_stage([stamper()], tick("a", "a"), Policy(drop=True, after_node=full), ledger)

    assert ledger.to_dict() == {"stamps": {"in": 2, "out": 0, "dropped": {"error:stamps": 2}, "in_flight": 0}}


# drop


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


# beginning anew


class Failing:
    """A node that counts its frames, hands the count out when a stream ends, and fails while it is told to."""

    def __init__(self, *streams: str) -> None:
        self.streams = set(streams)
        self.held: dict[str, int] = {}
        self.seen: list[tuple[str, int]] = []
        test = self

        def process(self: Any, frames: FrameBatch) -> Notes:
            if test.streams & set(frames.stream_id):
                raise ValueError("broken")
            for stream_id, generation in zip(frames.stream_id, frames.generation.tolist(), strict=True):
                test.held[stream_id] = test.held.get(stream_id, 0) + 1
                test.seen.append((stream_id, generation))
            return Notes.empty()

        def ended(self: Any, stream_id: str) -> Notes:
            return table(Notes, stream_id=[stream_id], text=[str(test.held.pop(stream_id, 0))])

        self.running = running("notes", node_class(process, stream_ended=ended), frames="frames")


def test_a_node_that_fails_five_times_in_a_row_begins_anew_with_that_stream():
    node = Failing()
    for _ in range(3):
        run_stage([node.running], tick("a", "b"), DROP, Ledger())
    node.streams = {"a"}

    done = [run_stage([node.running], tick("a", "b", start_s=1), DROP, Ledger()) for _ in range(RESTART_AFTER)]

    assert node.held == {"b": 3 + RESTART_AFTER}
    assert [each.slots["notes"].value.text for each in done] == [(), (), (), (), ("3",)]
    assert [each.marks for each in done] == [(), (), (), (), (Mark("discontinuity", "a", 0, 1_000_000_000),)]


def test_after_that_a_new_generation_follows_for_the_node_and_those_below():
    node = Failing("a")
    below: list[Any] = []

    def look(self: Any, frames: FrameBatch, drawn: FrameBatch) -> None:
        below.append((frames.stream_id, frames.generation.tolist(), drawn.generation.tolist()))

    nodes = [node.running, running("look", node_class(look), frames="frames", drawn="drawn")]
    for _ in range(RESTART_AFTER):
        run_stage(nodes, tick("a", "b", drawn=frames(2, ("a", "b"))), DROP, Ledger())
    below.clear()
    node.streams.clear()
    node.seen.clear()

    given = tick("a", "b", drawn=frames(2, ("a", "b")), marks=(ENDED,))
    done = run_stage(nodes, given, DROP, Ledger())

    assert node.seen == [("a", 1), ("b", 0)]
    assert below == [(("a", "b"), [1, 0], [1, 0])]
    assert done.marks == (Mark("ended", "a", 1, 80),)
    assert given.frames.generation.tolist() == [0, 0]


def test_nodes_below_hand_out_what_they_hold_when_one_above_begins_anew():
    node = Failing("a")
    below = Failing()
    below.running.spec = spec("below", type(below.running.node), frames="frames")
    run_stage([below.running], tick("a"), DROP, Ledger())

    for _ in range(RESTART_AFTER):
        done = run_stage([node.running, below.running], tick("a"), DROP, Ledger())

    assert done.slots["below"].value.text == ("1",)


def test_frames_of_other_streams_in_between_do_not_hide_that_one_keeps_failing():
    node = Failing("a")

    for _ in range(RESTART_AFTER):
        run_stage([node.running], tick("b"), DROP, Ledger())
        done = run_stage([node.running], tick("a"), DROP, Ledger())

    assert [mark.kind for mark in done.marks] == ["discontinuity"]


def test_a_frame_that_succeeds_or_an_end_in_between_begins_the_count_again():
    node = Failing("a")

    def run(times: int, *marks: Mark) -> list[int]:
        return [len(run_stage([node.running], tick("a", marks=marks), DROP, Ledger()).marks) for _ in range(times)]

    assert run(RESTART_AFTER - 1) == [0] * 4
    node.streams.clear()
    assert run(1) == [0]
    node.streams = {"a"}
    assert run(RESTART_AFTER - 1) == [0] * 4
    assert run(1, ENDED) == [1]
    assert run(RESTART_AFTER) == [0, 0, 0, 0, 1]


def test_a_frame_that_succeeds_while_another_stream_fails_begins_the_count_again():
    node = Failing("a")
    for streams in ({"a"}, {"a"}, {"a"}, {"a"}, {"b"}, {"a"}, {"a"}, {"a"}, {"a"}):
        node.streams = streams
        done = run_stage([node.running], tick("a", "b"), DROP, Ledger())

        assert done.marks == ()


def test_a_sink_that_keeps_failing_begins_anew_by_itself():
    ended: list[str] = []

    def process(self: Any, frames: FrameBatch) -> None:
        raise ValueError("broken")

    made = node_class(process, stream_ended=lambda self, stream_id: ended.append(stream_id))
    sink = running("sink", made, frames="frames")

    done = [run_stage([sink], tick("a"), DROP, Ledger()) for _ in range(RESTART_AFTER + 1)]

    assert ended == ["a"]
    assert [each.marks for each in done] == [()] * (RESTART_AFTER + 1)
    assert [each.frames.generation.tolist() for each in done] == [[0]] * (RESTART_AFTER + 1)


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
