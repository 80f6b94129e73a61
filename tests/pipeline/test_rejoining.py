"""What was recorded joins the ticks that it belongs to, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError, PipelineError
from pipeline.marks import Mark
from pipeline.recording import RecordedTick
from pipeline.rejoining import narrowed, rejoin, with_streams
from pipeline.tick import Tick
from tests.helpers import frames, table
from tests.pipeline.rig import Notes, Stamps, stream

VALUE = table(Stamps, frame_row=[0, 1], stamp_ns=[5, 6])
FRESH = Mark("discontinuity", "shop", 7, 0)


def recorded(count: int, *marks: Mark, value: Any = VALUE, **options: Any) -> RecordedTick:
    return RecordedTick(frames(count, **options), marks, value)


def tick(count: int, *marks: Mark, **options: Any) -> Tick:
    return Tick(0, frames(count, **options), marks)


# beside pictures that are read again


def test_a_recorded_value_joins_the_tick_it_was_made_from():
    made = tick(2)

    assert rejoin(recorded(2), made, "--replay stamps", "CURE") is VALUE


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (tick(1), "'shop' at 0.000 s"),
        (tick(2, start_s=1), "'shop' at 1.000 s, 'shop' at 1.040 s"),
        (tick(2, stream="bar"), "'bar' at 0.000 s, 'bar' at 0.040 s"),
        (tick(2, Mark("ended", "shop", 0, 40_000_000)), "{same}, 'shop' ended at 0.040 s"),
        (tick(0), "nothing"),
    ],
)
def test_a_recording_of_other_frames_is_told(other: Tick, told: str):
    same = "'shop' at 0.000 s, 'shop' at 0.040 s"

    with pytest.raises(PipelineError) as caught:
        rejoin(recorded(2), other, "--replay stamps", "replay the same")

    assert str(caught.value) == (
        f"--replay stamps: tick 0: expected {same} as recorded, got {told.format(same=same)}; replay the same"
    )


def test_recorded_frames_get_to_know_the_streams_of_the_run():
    known = {"shop": stream("shop"), "bar": stream("bar")}

    assert with_streams(frames(1), (), known).streams == {"shop": known["shop"]}
    assert with_streams(frames(0), (Mark("ended", "bar"),), known).streams == {"bar": known["bar"]}


def test_recorded_streams_that_are_not_run_are_told():
    with pytest.raises(ConfigError) as caught:
        with_streams(frames(2, ("shop", "bar")), (), {"shop": stream(), "door": stream("door")})

    assert str(caught.value) == (
        "--replay: expected streams of this run (shop, door), got recorded bar; add --source bar=..."
    )


# beside what was recorded on other edges

BOTH = ("shop", "bar")


def test_a_tick_that_lost_nothing_keeps_its_value():
    assert narrowed(recorded(2), recorded(2, value=None), "here") is VALUE


def test_a_tick_that_lost_the_frames_of_a_stream_loses_what_was_made_of_them():
    value = table(Stamps, frame_row=[0, 1, 1], stamp_ns=[5, 6, 7])
    last = recorded(1, value=None, stream="bar", pts_s=[0.04])

    left = narrowed(recorded(2, value=value, stream=BOTH), last, "here")

    assert (left.frame_row.tolist(), left.stamp_ns.tolist()) == ([0, 0], [6, 7])  # type: ignore[attr-defined]


def test_what_belongs_to_no_frame_is_not_lost_with_the_frames():
    value = table(Notes, stream_id=["shop"], text=["told"])

    assert narrowed(recorded(1, value=value), recorded(0, value=None), "here").text == ("told",)  # type: ignore[attr-defined]


def test_a_tick_may_get_marks_and_go_on_in_another_generation():
    begun = Mark("begun", "shop", 7, 0)
    last = recorded(2, Mark("begun", "shop", 8, 0), FRESH, value=None, generation=8)

    assert narrowed(recorded(2, begun, generation=7), last, "here") is VALUE


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (recorded(3), "'shop' at 0.000 s, 'shop' at 0.040 s, 'shop' at 0.080 s"),
        (recorded(2, stream="bar"), "'bar' at 0.000 s, 'bar' at 0.040 s"),
        (recorded(2, start_s=1), "'shop' at 1.000 s, 'shop' at 1.040 s"),
    ],
)
def test_ticks_of_two_runs_are_told(last: RecordedTick, told: str):
    with pytest.raises(PipelineError) as caught:
        narrowed(recorded(2), last, "--replay stamps: tick 3")

    assert str(caught.value) == (
        f"--replay stamps: tick 3: expected {told} as on the other edges, got 'shop' at 0.000 s, 'shop' at 0.040 s; "
        "replay edges that were recorded in one run"
    )


def test_marks_of_two_runs_are_told():
    with pytest.raises(PipelineError, match=r"^here: expected nothing as on the other edges, got 'shop' discontinuity"):
        narrowed(recorded(0, FRESH, value=Stamps.empty()), recorded(0), "here")
