"""Ticks are cut into streams and frames with everything that was computed from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.marks import Mark
from pipeline.tick import Slot, Tick, no_frames, restrict, with_rows
from pipeline.values import Value
from tests.helpers import frames, table
from tests.pipeline.rig import Notes, Stamps, stream

A, B = stream("a"), stream("b")


def tick(**slots: Value) -> Tick:
    """Return a tick of four frames: a, b, a, b."""
    batch = frames(stream=("a", "b", "a", "b"), pts_s=(0, 0, 0.04, 0.04), pictures=True)
    marks = (Mark("begun", "a"), Mark("begun", "b"))
    return Tick(7, batch, marks, {name: Slot(value) for name, value in {"frames": batch, **slots}.items()}, 5)


def stamps(*rows: int) -> Stamps:
    return table(Stamps, frame_row=rows, stamp_ns=[10 * row for row in rows])


def notes(*streams: str) -> Notes:
    return table(Notes, stream_id=streams, text=[str(number) for number in range(len(streams))])


def shown(value: Any) -> Any:
    return (value.frame_row.tolist(), value.stamp_ns.tolist()) if isinstance(value, Stamps) else value.text


def test_streams_are_those_of_frames_and_marks_in_order():
    marks = (Mark("ended", "c"), Mark("begun", "a"))

    assert Tick(0, frames(stream=("b", "a", "b"), pts_s=(0, 0, 1)), marks).streams() == ["b", "a", "c"]
    assert Tick(0, no_frames(A)).streams() == []


def test_one_stream_of_a_tick_has_its_frames_rows_and_marks():
    whole = tick(stamps=stamps(0, 0, 1, 2, 3), notes=notes("b", "a", "b"))

    part = whole.of_stream("b")

    assert part.frames.stream_id == ("b", "b")
    assert part.frames.pictures == (whole.frames.pictures[1], whole.frames.pictures[3])
    assert part.slots["frames"].value.stream_id == ("b", "b")
    assert shown(part.slots["stamps"].value) == ([0, 1], [10, 30])
    assert shown(part.slots["notes"].value) == ("0", "2")
    assert part.marks == (Mark("begun", "b"),)
    assert (part.number, part.entered_ns) == (7, 5)


def test_one_stream_of_a_tick_of_marks_leaves_the_rows_of_others():
    marks = (Mark("ended", "a"), Mark("ended", "b"))
    whole = Tick(0, no_frames(A, B), marks, {"notes": Slot(notes("a", "b", "a"))})

    assert shown(whole.of_stream("a").slots["notes"].value) == ("0", "2")


def test_without_a_stream_its_frames_and_their_rows_are_gone_and_all_else_stays():
    whole = tick(stamps=stamps(0, 1, 1, 3), notes=notes("a", "b"))

    rest = whole.without_streams(["b"])

    assert rest.frames.stream_id == ("a", "a")
    assert shown(rest.slots["stamps"].value) == ([0], [0])
    assert shown(rest.slots["notes"].value) == ("0", "1")
    assert rest.marks == whole.marks


def test_rows_of_no_frame_survive_in_a_tick_of_marks():
    whole = Tick(0, no_frames(A), (Mark("ended", "a"),), {"notes": Slot(notes("a", "a"))})

    rest = whole.without_streams([])

    assert shown(rest.slots["notes"].value) == ("0", "1")


def test_keeping_some_frames_keeps_their_rows_and_counts_them_anew():
    whole = tick(stamps=stamps(0, 1, 2, 2, 3), notes=notes("a", "b", "a"))

    part = whole.keep(np.array([False, True, False, True]))

    assert part.frames.pts_ns.tolist() == [0, 40_000_000]
    assert shown(part.slots["stamps"].value) == ([0, 1], [10, 30])
    assert shown(part.slots["notes"].value) == ("1",)
    assert shown(whole.slots["stamps"].value) == ([0, 1, 2, 2, 3], [0, 10, 20, 20, 30])


def test_a_part_shares_no_slots_with_the_whole():
    whole = tick()

    whole.of_stream("a").slots["new"] = Slot(stamps())

    assert list(whole.slots) == ["frames"]


def test_what_belongs_to_neither_frame_nor_stream_is_left_whole():
    class Plain(Value):
        pass

    value = Plain()

    assert restrict(value, np.array([False]), lambda name: False) is value


def test_rows_are_renamed():
    assert shown(with_rows(stamps(0, 2, 1), np.array([5, 6, 8]))) == ([5, 8, 6], [0, 20, 10])


def test_a_tick_of_marks_has_no_frames_but_knows_its_streams():
    assert len(no_frames(A, B)) == 0
    assert no_frames(A, B).streams == {"a": A, "b": B}
