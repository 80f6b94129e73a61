"""Where a live stream stands on our clock: the promptest frames, sender reports, drift, lateness."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from pipeline.live_time import LiveTime, Placed
from pipeline.node import Stamp
from pipeline.sender_clock import AHEAD_NS, SLEW

MS = 1_000_000
S = 1000 * MS
UNIX = 1_700_000_000 * S


def run(time: LiveTime, begin_ms: int, end_ms: int, delay_ms: int = 0, pts_ms: int = 0) -> list[Placed]:
    """Place 25 frames a second taken from one time to another, all as late; stamps are ahead of ours by `pts_ms`."""
    return [time.place(Stamp((at + pts_ms) * MS), (at + delay_ms) * MS) for at in range(begin_ms, end_ms, 40)]


def test_a_late_first_frame_is_made_up_for_slowly():
    time = LiveTime()
    time.place(Stamp(0), 80 * MS)
    frames = run(time, 40, 6000)

    steps = [now.pts_ns - then.pts_ns for then, now in pairwise(frames)]
    assert min(steps) == 40 * MS - int(40 * MS * SLEW)
    assert frames[-1].pts_ns == 5960 * MS == frames[-1].taken_ns
    assert frames[0].taken_ns == 40 * MS


def test_a_backlog_is_pressed_into_the_time_in_which_it_came():
    time = LiveTime()
    backlog = [time.place(Stamp(k * 40 * MS), 10 * S + k * MS) for k in range(250)]
    live = run(time, 10_250, 20_000, pts_ms=10_000 - 10_250)

    assert backlog[0].pts_ns == 10 * S
    assert backlog[-1].pts_ns <= 10_249 * MS + AHEAD_NS
    assert all(now.pts_ns > then.pts_ns for then, now in pairwise(backlog + live))
    assert {frame.breaks for frame in backlog + live} == {None}
    assert live[-1].pts_ns == 19_970 * MS, "of the same age as the last of the backlog"


def test_packets_show_a_backlog_before_its_first_frame_is_decoded():
    time = LiveTime()
    for k in range(50):
        time.late_ns(k * 40 * MS, 10 * S + k * MS)

    first = time.place(Stamp(0), 10 * S + 60 * MS)

    assert first.taken_ns == first.pts_ns == 10 * S + 49 * MS - 49 * 40 * MS


def test_a_delay_that_grew_is_followed_slowly_once_the_prompt_frames_are_long_past():
    time = LiveTime()
    run(time, 0, 10_000)
    kept = run(time, 10_000, 35_000, delay_ms=500)
    moved = run(time, 35_000, 80_000, delay_ms=500)

    assert [frame.pts_ns for frame in kept] == [at * MS for at in range(10_000, 35_000, 40)]
    steps = [now.pts_ns - then.pts_ns for then, now in pairwise(moved)]
    assert max(steps) == 40 * MS + int(40 * MS * SLEW)
    assert moved[-1].pts_ns == moved[-1].taken_ns == 79_960 * MS + 500 * MS


def test_a_sender_whose_clock_stood_still_is_put_right_at_once():
    time = LiveTime()
    run(time, 0, 70_000)
    assert time.drift_ppm == 0
    frames = run(time, 70_000, 90_000, delay_ms=7000)

    broke = [k for k, frame in enumerate(frames) if frame.breaks is not None]
    assert [frames[k].breaks for k in broke] == ["behind"] and broke[0] * 40 <= 9000
    assert frames[0].pts_ns == 70 * S
    assert frames[-1].pts_ns == 96_960 * MS
    assert time.drift_ppm is None
    run(time, 90_000, 160_000, delay_ms=7000)
    assert time.drift_ppm == 0


def test_a_frame_of_another_age_is_a_break():
    time = LiveTime()
    run(time, 0, 10_000)

    assert time.place(Stamp(10 * S), 31 * S) == Placed(31 * S, 31 * S, "behind")


@pytest.mark.parametrize("ppm", [100, -100])
def test_the_drift_of_a_sender_is_followed_and_told(ppm: int):
    time, chance = LiveTime(), random.Random(1)
    assert time.drift_ppm is None
    wrong_ns = []
    for taken_ns in range(0, 600 * S, 40 * MS):
        pts_ns = taken_ns + taken_ns * ppm // 1_000_000
        wrong_ns.append(time.place(Stamp(pts_ns), taken_ns + chance.randrange(20 * MS)).pts_ns - taken_ns)
        if taken_ns in {59 * S, 61 * S}:
            assert (time.drift_ppm is None) == (taken_ns < 60 * S)

    assert time.drift_ppm == pytest.approx(ppm, abs=2)
    assert max(abs(wrong) for wrong in wrong_ns[250:]) < 5 * MS


def test_a_drift_of_an_hour_moves_no_time():
    time = LiveTime()
    for taken_ns in range(0, 3600 * S, S // 2):
        last = time.place(Stamp(taken_ns + taken_ns // 10_000), taken_ns)

    assert last.pts_ns == pytest.approx(3599.5 * S, abs=5 * MS)
    assert time.drift_ppm == pytest.approx(100, abs=0.1)


def test_sender_reports_tell_the_time_on_the_way():
    time = LiveTime(start_unix_ns=UNIX)
    frames = [time.place(Stamp(at * MS, UNIX + at * MS), (at + 300) * MS) for at in range(0, 400, 40)]

    assert (
        [frame.pts_ns for frame in frames] == [frame.taken_ns for frame in frames] == [k * 40 * MS for k in range(10)]
    )
    assert time.sender_clock_off_s is None


def test_sender_reports_that_begin_late_move_times_slowly_but_ages_at_once():
    time = LiveTime(start_unix_ns=UNIX)
    run(time, 0, 4000, delay_ms=300)
    frames = [time.place(Stamp(at * MS, UNIX + at * MS), (at + 300) * MS) for at in range(4000, 20_000, 40)]

    assert frames[0].taken_ns == 4000 * MS
    assert frames[0].pts_ns == 4300 * MS - int(40 * MS * SLEW)
    assert frames[-1].pts_ns == frames[-1].taken_ns == 19_960 * MS


def test_a_frame_is_never_taken_after_it_arrived():
    frame = LiveTime(start_unix_ns=UNIX).place(Stamp(0, UNIX + 3050 * MS), 3 * S)

    assert frame == Placed(3050 * MS, 3 * S)


@pytest.mark.parametrize("off_ms", [-11_000, 3600_000, 500])
def test_sender_reports_of_a_wrong_clock_are_told_and_not_heard(off_ms: int):
    time = LiveTime(start_unix_ns=UNIX)
    frames = [time.place(Stamp(at * MS, UNIX + (at + off_ms) * MS), at * MS) for at in range(0, 400, 40)]

    assert (
        [frame.pts_ns for frame in frames] == [frame.taken_ns for frame in frames] == [k * 40 * MS for k in range(10)]
    )
    assert time.sender_clock_off_s == off_ms / 1000
    time.connected()
    assert time.sender_clock_off_s is None


def test_sender_reports_are_not_heard_where_the_start_is_unknown():
    time = LiveTime()
    frame = time.place(Stamp(0, UNIX), 3 * S)

    assert (frame.taken_ns, time.sender_clock_off_s) == (3 * S, None)


def test_lateness_is_told_beside_the_promptest():
    time = LiveTime()
    assert time.late_ns(0, 0) == 0, "of the first packet nothing is known"
    run(time, 0, 1000, delay_ms=20)

    assert time.late_ns(1000 * MS, 1000 * MS) == 0
    assert time.late_ns(1040 * MS, 1300 * MS) == 260 * MS
    assert time.late_ns(None, 1300 * MS) == 0


@pytest.mark.parametrize("pts_ms", [0, 90_000, -4000])
def test_lateness_of_a_packet_that_does_not_continue_is_unknown_and_changes_nothing(pts_ms: int):
    time = LiveTime()
    run(time, 0, 1000, pts_ms=30_000)

    assert time.late_ns(pts_ms * MS, 1000 * MS) == 0
    assert time.late_ns(31_000 * MS, 1200 * MS) == 200 * MS


@pytest.mark.parametrize("part", [0.0, 0.4])
def test_lateness_that_stays_is_none_even_if_all_packets_are_dropped(part: float):
    time = LiveTime()
    run(time, 0, 2000)
    late_ns = [time.late_ns(2 * S + int((at - 2 * S) * (1 - part)), at + 3 * S) for at in range(2 * S, 22 * S, 40 * MS)]

    assert late_ns[0] == 3 * S
    assert max(late_ns[300:]) == 0, "after 12 s packets pass again"


def test_packets_whose_stamp_stands_still_are_not_late():
    time = LiveTime()
    run(time, 0, 1000)

    assert [time.late_ns(1000 * MS, at * MS) for at in range(1000, 9000, 40)] == [0] * 200
    assert time.late_ns(9000 * MS, 9200 * MS) == 200 * MS
