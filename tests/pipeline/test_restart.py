"""A node that keeps failing on a stream begins anew with it, and so do those below."""

from __future__ import annotations

from typing import Any

from pipeline.dropping import RESTART_AFTER
from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.stage import run_stage
from tests.helpers import frames, table
from tests.pipeline.bench import DROP, ENDED, running, tick
from tests.pipeline.rig import Notes, node_class, spec


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


def test_a_node_that_begins_anew_is_told_that_the_stream_goes_on():
    asked: list[str] = []

    def process(self: Any, frames: FrameBatch) -> Notes:
        raise ValueError("broken")

    made = node_class(
        process,
        stream_ended=lambda self, stream_id: asked.append("ended"),
        stream_broken=lambda self, stream_id: asked.append("broken"),
    )
    node = running("notes", made, frames="frames")
    for _ in range(RESTART_AFTER):
        run_stage([node], tick("a"), DROP, Ledger())
    run_stage([node], tick("a", marks=(ENDED,)), DROP, Ledger())

    assert asked == ["broken", "ended"]


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
