"""Times of frames: strictly rising, estimated where unknown, thinned to a rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.timeline import Timeline

MS = 1_000_000


def fates(pts_ms: list[int | None], max_fps: float | None = None) -> list[tuple[float, str]]:
    timeline = Timeline(40 * MS, max_fps)
    admitted = [timeline.admit(None if pts is None else pts * MS) for pts in pts_ms]
    return [(pts_ns / MS, verdict) for pts_ns, verdict in admitted]


def taken(pts_ms: list[int | None], max_fps: float | None = None) -> list[float]:
    return [pts for pts, verdict in fates(pts_ms, max_fps) if verdict in ("take", "jump")]


def test_times_are_kept_as_they_are():
    assert taken([5, 45, 46, 300]) == [5, 45, 46, 300]


def test_an_unknown_time_follows_the_last_by_the_period():
    assert taken([5, None, 90, None]) == [5, 45, 90, 130]


def test_times_that_are_known_late_go_on_where_unknown_ones_ended():
    assert taken([None, None, 90, None]) == [0, 40, 90, 130]
    assert taken([None, 0, 50, None, 130]) == [0, 40, 90, 130, 170]


@pytest.mark.parametrize("stray", [100, 99, -400])
def test_a_frame_that_is_not_after_the_last_is_refused(stray):
    assert fates([100, stray, 140]) == [(100, "take"), (stray, "time_backwards"), (140, "take")]


def test_time_that_starts_again_is_a_jump():
    assert fates([900, 0, 40]) == [(900, "take"), (0, "jump"), (40, "take")]


def test_ten_of_twentyfive_a_second_are_ten():
    assert taken(list(range(0, 1000, 40)), 10) == [0, 120, 200, 320, 400, 520, 600, 720, 800, 920]


def test_times_rounded_to_milliseconds_do_not_halve_the_rate():
    assert taken([0, 33, 67, 100, 133, 167, 199, 233, 267, 300], 10) == [0, 100, 199, 300]


def test_a_rate_above_that_of_the_stream_takes_all():
    assert len(taken(list(range(0, 1000, 40)), 25)) == 25


def test_after_a_pause_or_a_jump_the_next_frame_is_taken():
    assert taken([0, 40, 5000, 5040, 100, 140], 10) == [0, 5000, 100]


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 3000)), max_size=40),
    st.one_of(st.none(), st.sampled_from([1.0, 7.0, 30.0])),
)
def test_taken_times_rise_between_jumps_and_every_frame_has_one_fate(pts_ms, max_fps):
    admitted = fates(pts_ms, max_fps)

    last = None
    for pts, verdict in admitted:
        if verdict == "take" and last is not None:
            assert pts > last
        last = pts if verdict in ("take", "jump") else last
    assert len(admitted) == len(pts_ms)
