"""Nodes are run on ticks, told what ends, and held to what they promise; a failure says where it happened."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import NodeError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.stage import Policy, run_stage
from pipeline.tick import Tick
from tests.helpers import list_sink, table
from tests.pipeline.bench import ENDED, STOP, failing, running, stamper, tick
from tests.pipeline.rig import Notes, Stamps, node_class, stamp

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


def test_a_node_may_tell_a_discontinuity_from_an_end():
    ended: list[str] = []
    made = node_class(
        stamp,
        stream_ended=lambda self, stream_id: ended.append(f"end of {stream_id}"),
        stream_broken=lambda self, stream_id: ended.append(f"break in {stream_id}"),
    )
    nodes = [running("stamps", made, frames="frames")]

    run_stage(nodes, tick(marks=(Mark("discontinuity", "a"), Mark("ended", "b"))), STOP, Ledger())

    assert ended == ["break in a", "end of b"]


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
