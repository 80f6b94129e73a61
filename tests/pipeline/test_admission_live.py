"""The door of the graph: live streams keep their newest frames, and refuse those that are too old."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.age_limit import PROBE_AFTER_NS
from pipeline.inlet import LONGEST_WAIT_NS, Admitted
from pipeline.marks import Mark
from tests.pipeline.door import Door, live
from tests.pipeline.rig import STEP_NS, frame, stream

# live streams


def test_a_live_stream_keeps_its_newest_frame_and_counts_the_others():
    door = Door(live())
    door.offer("cam", 0, 1, 2)
    door.end("cam")

    assert door.all() == ["begun cam", [("cam", 2)], "ended cam"]
    assert door.drops == {"not_newest": 2}


def test_a_live_stream_that_is_told_to_wait_loses_nothing():
    door = Door(live(when_full="wait"))
    door.offer("cam", 0, 1, 2)
    door.end("cam")

    assert door.all() == ["begun cam", [("cam", 0)], [("cam", 1)], [("cam", 2)], "ended cam"]
    assert door.drops == {}


def test_a_file_that_is_told_to_keep_its_newest_drops():
    door = Door(stream("a", when_full="keep_newest"))
    door.offer("a", 0, 1)
    door.end("a")

    assert door.all() == ["begun a", [("a", 1)], "ended a"]
    assert door.drops == {"not_newest": 1}


def test_live_frames_arrive_at_the_time_of_the_clock():
    door = Door(live(when_full="wait"))
    door.clock.ns = 5
    door.offer("cam", 0)
    door.clock.ns = 9
    door.offer("cam", 1)
    door.take()

    assert [door.admission.take()[0].arrived_ns for _ in range(2)] == [5, 9]  # type: ignore[index]


def test_marks_of_a_live_stream_survive_when_frames_between_them_are_dropped():
    door = Door(live())
    door.offer("cam", 0)
    door.admission.discontinuity("cam")
    door.offer("cam", 1, 2)
    door.end("cam")

    assert door.all() == ["begun cam", "discontinuity cam", [("cam", 2)], "ended cam"]


def test_generations_of_a_live_stream_begin_at_the_time_of_the_run_and_those_of_a_file_at_0():
    door = Door(live(when_full="wait"), stream("a"), began_s=1_800_000_000)
    for stream_id in ("cam", "a"):
        door.offer(stream_id, 0)
        door.admission.discontinuity(stream_id)
        door.offer(stream_id, 1)
    door.end("cam", "a")

    seen: dict[str, list[int]] = {"cam": [], "a": []}
    for taken in iter(door.admission.take, None):
        for one in taken if isinstance(taken, list) else [taken]:
            told = one if isinstance(one, Admitted) else one.mark
            seen[one.stream.id if isinstance(one, Admitted) else told.stream_id].append(told.generation)

    assert [generation - 1_800_000_000 for generation in seen["cam"]] == [0, 0, 0, 1, 1]
    assert seen["a"] == [0, 0, 0, 1, 1]


def test_a_live_tick_takes_from_every_stream_ordered_by_time():
    door = Door(live("a"), live("b"), batch_size=4)
    door.offer("b", 0, 1)
    door.offer("a", 1, 2)

    assert [door.take() for _ in range(3)] == ["begun a", "begun b", [("b", 0), ("a", 0), ("b", 1), ("a", 1)]]


def test_a_live_tick_waits_a_frame_period_for_the_other_streams_and_no_longer():
    door = Door(live("a"), live("b"), batch_size=2)
    door.offer("a", 0)
    door.take(), door.take()
    began_ns = door.clock.ns

    assert door.take() == [("a", 0)]
    assert door.clock.ns - began_ns == STEP_NS


def test_a_live_tick_waits_as_long_as_it_is_told():
    door = Door(live("a"), live("b"), batch_size=2, batch_wait_ms=7)
    door.offer("a", 0)
    door.take(), door.take()
    began_ns = door.clock.ns

    assert door.take() == [("a", 0)]
    assert door.clock.ns - began_ns == 7_000_000


def test_a_hole_in_a_stream_does_not_make_ticks_wait_as_long():
    an_hour = 90_000
    door = Door(live("a"), live("b"), batch_size=2)
    door.offer("a", 0, an_hour)
    door.offer("b", 0, an_hour)
    assert [door.take() for _ in range(3)] == ["begun a", "begun b", [("a", 1), ("b", 1)]]
    began_ns = door.clock.ns

    door.offer("a", 2 * an_hour)

    assert door.take() == [("a", 2)]
    assert door.clock.ns - began_ns == LONGEST_WAIT_NS


def test_streams_take_turns_when_a_tick_cannot_hold_them_all():
    door = Door(live("a"), live("b"), live("c"), batch_size=2)
    [door.take() for _ in range(3)]
    took = []
    for index in range(3):
        for stream_id in "abc":
            door.offer(stream_id, index)
        took.append(sorted(stream_id for stream_id, _ in door.take()))

    assert took == [["a", "b"], ["a", "c"], ["b", "c"]]


def test_a_fast_stream_never_keeps_a_slow_one_waiting():
    door = Door(live("fast"), live("slow"), live("idle"))
    [door.take() for _ in range(3)]
    served: list[str] = []
    for index in range(12):
        door.offer("fast", index)
        if index % 3 == 0:
            door.offer("slow", index)
        served.append(door.take()[0][0])

    assert served == ["fast", "slow", "fast", *["slow", "fast", "fast"] * 3]  # each slow one at the next turn
    assert door.drops == {"not_newest": 4}


def test_a_removed_stream_ends_at_once_and_what_comes_later_is_counted():
    door = Door(live(when_full="wait"), live("other"))
    door.offer("cam", 0, 1)
    door.admission.remove("cam")

    assert not door.admission.offer("cam", frame(2))
    door.end("other")
    assert door.all() == ["begun cam", "ended cam", "begun other", "ended other"]
    assert door.drops == {"removed": 3}
    assert not door.admission.knows("cam")


def test_a_stream_of_an_id_that_was_there_before_begins_a_generation_later():
    door = Door(live(), began_s=5)
    for index in range(3):
        door.offer("cam", index)
        door.admission.discontinuity("cam")
    door.admission.remove("cam")
    while door.admission.knows("cam"):
        door.take()

    door.admission.add(live(), 6)

    assert door.admission.generation("cam") == 9


def test_frames_of_before_a_loss_are_counted_as_such_when_newer_ones_take_their_place():
    door = Door(live())
    door.offer("cam", 0)
    door.admission.lost("cam")
    door.offer("cam", 1)
    door.end("cam")

    assert door.all() == ["begun cam", "lost cam", "discontinuity cam", [("cam", 1)], "ended cam"]
    assert door.drops == {"lost_generation": 1}


def test_changed_values_come_before_the_frames_that_wait_and_these_have_them():
    door = Door(live(when_full="wait"))
    door.offer("cam", 0)
    changed = live(when_full="wait", hfov_deg=70.0)
    door.admission.configure(Mark("configured", "cam", values="{}"), {"cam": changed})
    door.offer("cam", 1)

    assert [door.take() for _ in range(2)] == ["configured cam", "begun cam"]
    assert [door.admission.take()[0].stream for _ in range(2)] == [changed, changed]  # type: ignore[index]


# age


def test_frames_that_would_be_too_old_at_the_sink_are_refused():
    door = Door(live(max_age_ms=100, when_full="wait"))
    door.passed(60_000_000)
    door.offer("cam", 0, 1, 2)
    assert [door.take() for _ in range(2)] == ["begun cam", [("cam", 0)]]  # the first shows how fast the graph is

    door.clock.ns += 40_000_000
    assert door.take() == [("cam", 1)]
    door.clock.ns += 1
    door.end("cam")

    assert door.take() == "ended cam"
    assert door.drops == {"too_old": 1}


def test_where_several_ticks_inside_make_frames_too_old_fewer_are_let_in():
    door = Door(live(max_age_ms=100))
    door.offer("cam", 0)
    assert [door.take() for _ in range(2)] == ["begun cam", [("cam", 0)]]
    door.transit.entered()
    door.transit.entered()
    door.transit.left(60_000_000)
    door.transit.left(110_000_000)  # one was inside before it

    door.offer("cam", 1)
    assert door.take() == [("cam", 1)]
    door.transit.entered()
    door.offer("cam", 2)
    door.end("cam")
    assert door.take() == "ended cam"
    assert door.drops == {"too_old": 1}


@pytest.mark.parametrize(("waited_ns", "expected"), [(PROBE_AFTER_NS, "ended cam"), (PROBE_AFTER_NS + 1, [("cam", 1)])])
def test_after_a_second_of_refusals_one_frame_is_let_in_to_see_whether_the_graph_is_faster_now(
    waited_ns: int, expected: Any
):
    door = Door(live(max_age_ms=100))
    door.passed(10_000_000_000)
    door.offer("cam", 0)
    assert [door.take() for _ in range(2)] == ["begun cam", [("cam", 0)]]

    door.clock.ns += waited_ns
    door.offer("cam", 1)
    door.end("cam")

    assert door.take() == expected


def test_without_a_limit_no_age_is_too_high():
    door = Door(live())
    door.passed(10_000_000_000)
    door.take()
    for index in range(2):
        door.offer("cam", index)
        door.clock.ns += 5_000_000_000
        assert door.take() == [("cam", index)]
