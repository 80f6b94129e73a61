"""The door of the graph: files wait and are merged in order, and a stop refuses and counts what is not inside."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inlet import Marked
from pipeline.marks import Mark
from tests.pipeline.door import Door, live
from tests.pipeline.rig import PATIENCE_S, STEP_NS, frame, stream

# files


def test_a_file_comes_in_whole_between_its_marks():
    door = Door(stream("a"))
    door.offer("a", 0, 1, 2)
    door.end("a")

    assert door.all() == ["begun a", [("a", 0)], [("a", 1)], [("a", 2)], "ended a"]
    assert door.take() is None
    assert door.drops == {}


def test_what_is_known_of_a_frame_stands_beside_it():
    door = Door(stream("a"))
    door.offer("a", 0)
    door.admission.discontinuity("a")
    door.offer("a", 3)
    door.end("a")
    assert door.take() == "begun a"

    first, mark, second, last = (door.admission.take() for _ in range(4))

    assert isinstance(first, list) and isinstance(second, list)
    assert [(one.frame_index, one.generation, one.arrived_ns) for one in first + second] == [(0, 0, 0), (1, 1, 0)]
    assert isinstance(mark, Marked) and isinstance(last, Marked)
    assert mark.mark == Mark("discontinuity", "a", generation=0, pts_ns=0)
    assert last.mark == Mark("ended", "a", generation=1, pts_ns=3 * STEP_NS)


def test_files_are_merged_by_time_and_then_by_their_order():
    door = Door(stream("b"), stream("a"))
    door.admission.offer("a", frame(0))
    door.admission.offer("a", frame(2))
    door.admission.offer("b", frame(1))
    door.admission.offer("b", frame(2))
    door.end("a", "b")

    assert door.all() == [
        "begun b", "begun a", [("a", 0)], [("b", 0)], [("b", 1)], "ended b", [("a", 1)], "ended a",
    ]  # fmt: skip


def test_ticks_are_filled_across_files_until_a_mark_comes():
    door = Door(stream("a"), stream("b"), batch_size=3)
    door.offer("a", 0, 1, 2, 3)
    door.offer("b", 0, 1)
    door.end("b", "a")

    assert door.all() == [
        "begun a",
        "begun b",
        [("a", 0), ("b", 0), ("a", 1)],
        [("b", 1)],
        "ended b",
        [("a", 2), ("a", 3)],
        "ended a",
    ]


def test_a_mark_keeps_its_place_between_the_frames():
    door = Door(stream("a"), batch_size=4)
    door.offer("a", 0, 1)
    door.admission.discontinuity("a")
    door.offer("a", 2)
    door.end("a")

    assert door.all() == ["begun a", [("a", 0), ("a", 1)], "discontinuity a", [("a", 2)], "ended a"]


def test_a_file_that_ends_early_leaves_the_others_alone():
    door = Door(stream("a"), stream("b"), batch_size=2)
    door.offer("a", 0)
    door.end("a")
    door.offer("b", 0, 1, 2)
    door.end("b")

    assert door.all() == [
        "begun a", "begun b", [("a", 0)], "ended a", [("b", 0), ("b", 1)], [("b", 2)], "ended b",
    ]  # fmt: skip


def test_a_file_without_frames_begins_and_ends():
    door = Door(stream("a"), stream("b"))
    door.end("a")
    door.offer("b", 0)
    door.end("b")

    assert door.all() == ["begun a", "ended a", "begun b", [("b", 0)], "ended b"]


def test_without_streams_there_is_nothing_to_take():
    assert Door().take() is None


@given(st.permutations("aaaaaabbb"), st.integers(1, 4))
def test_what_is_batched_does_not_depend_on_which_source_was_faster(order: list[str], batch_size: int):
    def takings(order: list[str]) -> list[Any]:
        door = Door(stream("a"), stream("b"), batch_size=batch_size)
        door.admission._room = lambda inlet: 6  # type: ignore[method-assign]  # so that one thread can hand over in any order
        counts = {"a": 0, "b": 0}
        took: list[Any] = []
        taker = threading.Thread(target=lambda: took.extend(door.all()))
        taker.start()
        for stream_id in order:
            door.offer(stream_id, counts[stream_id])
            counts[stream_id] += 1
            if counts[stream_id] == {"a": 6, "b": 3}[stream_id]:
                door.end(stream_id)
        taker.join(PATIENCE_S)
        return took

    assert takings(order) == takings(list("abababaaa"))


def test_a_file_waits_for_room():
    door, handed_over = Door(stream("a")), []
    reader = threading.Thread(target=lambda: [handed_over.append(door.offer("a", index)) for index in range(6)])
    reader.start()
    took = [door.take() for _ in range(7)]
    reader.join(PATIENCE_S)

    assert took == ["begun a", *([("a", index)] for index in range(6))]
    assert len(handed_over) == 6
    assert door.drops == {}


# stopping


def test_after_a_stop_what_waits_and_what_comes_is_refused_and_counted():
    door = Door(stream("a"))
    door.offer("a", 0, 1)

    door.admission.stop()

    assert door.admission.offer("a", frame(2)) is False
    door.end("a")
    assert door.all() == ["begun a", "ended a"]
    assert door.ledger.to_dict()["frames"] == {"in": 3, "out": 0, "dropped": {"interrupted": 3}, "in_flight": 0}


def test_a_stop_wakes_a_source_that_waits_for_room_and_a_batcher_that_waits_for_frames():
    door = Door(stream("a"), stream("b"))
    refused: list[bool] = []
    door.offer("a", 0, 1, 2, 3)
    waiting = threading.Thread(target=lambda: refused.append(door.admission.offer("a", frame(4))))
    waiting.start()
    took: list[Any] = []
    taker = threading.Thread(target=lambda: took.extend(door.all()))
    taker.start()

    door.admission.stop()
    waiting.join(PATIENCE_S)
    door.end("a", "b")
    taker.join(PATIENCE_S)

    assert refused == [False]
    assert took == ["begun a", "begun b", "ended a", "ended b"]
    assert door.drops == {"interrupted": 5}


def test_a_stop_while_a_live_tick_waits_to_be_filled_leaves_only_marks():
    door = Door(live("a"), live("b"), batch_size=2)
    door.offer("a", 0)
    door.take(), door.take()

    def stop_and_end(condition: threading.Condition, timeout_s: float | None) -> None:
        door.admission.stop()
        door.end("a", "b")

    door.clock.wait = stop_and_end  # type: ignore[method-assign]

    assert door.all() == ["ended a", "ended b"]
    assert door.drops == {"interrupted": 1}


def test_what_a_source_dropped_by_itself_is_counted_by_cause():
    door = Door(stream("a"))
    door.admission.dropped("a", "corrupt", 3)

    assert door.ledger.to_dict()["frames"] == {"in": 3, "out": 0, "dropped": {"corrupt": 3}, "in_flight": 0}


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_every_frame_offered_is_taken_or_dropped(batch_size: int):
    door = Door(live("a"), stream("b"), batch_size=batch_size)
    for index in range(4):
        door.offer("a", index)
        door.offer("b", index)
    door.end("a", "b")

    taken = sum(len(tick) for tick in door.all() if isinstance(tick, list))

    assert taken + sum(door.drops.values()) == door.ledger.to_dict()["frames"]["in"] == 8
