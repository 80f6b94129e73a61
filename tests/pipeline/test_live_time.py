"""Times of live streams from stamps that are missing, stand still, are out of order, break off, or are nonsense."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.live_time import LiveTime, Placed
from pipeline.node import Stamp

MS = 1_000_000
S = 1000 * MS
WRAPS_NS = {"RTP": 2**32 * 10**9 // 90_000, "MPEG-TS": 2**33 * 10**9 // 90_000}


def placed(time: LiveTime, frames: list[tuple[int | None, int]]) -> list[Placed]:
    """Place frames given by stamp and arrival in milliseconds."""
    return [time.place(Stamp(None if pts is None else pts * MS), at * MS) for pts, at in frames]


def pts_ms(frames: list[Placed]) -> list[float]:
    return [frame.pts_ns / MS for frame in frames]


def breaks(frames: list[Placed]) -> dict[int, str]:
    return {row: frame.breaks for row, frame in enumerate(frames) if frame.breaks is not None}


def steady(begin: int, count: int, pts: int = 0, step: int = 40) -> list[tuple[int | None, int]]:
    """Return frames that arrive at once; stamps and arrivals begin at different times, milliseconds."""
    return [(pts + k * step, begin + k * step) for k in range(count)]


def test_a_steady_sender_keeps_its_steps_wherever_its_clock_stands():
    frames = placed(LiveTime(), steady(begin=700, count=4, pts=123_456_789))

    assert frames == [Placed(at * MS, at * MS) for at in (700, 740, 780, 820)]


def test_a_first_frame_without_a_stamp_stands_at_its_arrival():
    frames = placed(LiveTime(), [(None, 500), (9000, 540), (9040, 580), (9080, 625)])

    assert pts_ms(frames) == [500, 540, 580, 620]
    assert breaks(frames) == {}


def test_frames_without_any_stamp_stand_at_their_arrivals_made_even():
    arrivals = [100 * k + (17 * k % 20) for k in range(200)]

    frames = placed(LiveTime(), [(None, at) for at in arrivals])

    steps = [now - then for then, now in pairwise(pts_ms(frames)[100:])]
    assert min(steps) > 96 and max(steps) < 104, "100 ms, though arrivals step by 82 to 118 and 40 were expected"
    assert all(abs(frame.pts_ns / MS - at) < 20 for frame, at in zip(frames[100:], arrivals[100:], strict=True))
    assert [frame.taken_ns for frame in frames] == [at * MS for at in arrivals]
    assert breaks(frames) == {}


def test_after_a_pause_frames_without_stamps_stand_at_their_arrivals_again():
    arrivals = [*range(0, 400, 40), *[60_000 + 40 * k + 17 * k % 20 for k in range(20)]]

    frames = placed(LiveTime(), [(None, at) for at in arrivals])

    assert pts_ms(frames)[10] == 60_000
    steps = [now - then for then, now in pairwise(pts_ms(frames)[10:])]
    assert min(steps) > 36 and max(steps) < 44


@pytest.mark.parametrize("nothing", [None, 400])
def test_frames_among_others_that_bring_no_new_stamp_stand_a_period_after_the_last(nothing: int | None):
    frames = placed(LiveTime(), [*steady(0, 11), (nothing, 440), (480, 480), (520, 520)])

    assert pts_ms(frames)[10:] == [400, 440, 480, 520]
    assert breaks(frames) == {}


def test_the_period_is_that_of_the_stamps():
    frames = placed(LiveTime(), [*steady(0, 100, step=200), (None, 20_000), (20_200, 20_200)])

    assert pts_ms(frames)[-2:] == pytest.approx([20_000, 20_200], abs=2)


def test_a_frame_sent_twice_takes_no_time():
    frames = placed(LiveTime(), [(0, 0), (40, 40), (40, 40), (80, 80)])

    assert [frame.pts_ns for frame in frames] == [0, 40 * MS, 40 * MS + 1, 80 * MS]


def test_a_late_frame_without_a_stamp_pushes_none_of_those_that_follow():
    late = [(None if k in {0, 5} else 200 + k * 40, 1100 + k) for k in range(10)]

    frames = placed(LiveTime(), [*steady(0, 5), *late])

    assert pts_ms(frames)[:10] == [0, 40, 80, 120, 160, 200, 240, 280, 320, 360]
    assert pts_ms(frames)[11:] == [440, 480, 520, 560]


def test_stamps_that_stand_still_leave_frames_at_their_arrivals():
    frames = placed(LiveTime(), [(777, at) for at in range(0, 4000, 40)])

    assert pts_ms(frames) == pytest.approx(list(range(0, 4000, 40)), abs=10)
    assert breaks(frames) == {}


def test_stamps_that_move_again_are_heard_again():
    still = [(1000, at) for at in range(1000, 4000, 40)]

    frames = placed(LiveTime(), [*steady(0, 25), *still, *[(at, at + 13) for at in range(4000, 5000, 40)]])

    assert pts_ms(frames)[-20:] == pytest.approx(list(range(4200, 5000, 40)), abs=2)
    assert frames[-1].taken_ns == pytest.approx(4960 * MS, abs=MS)
    assert breaks(frames) == {}


def test_stamps_in_decoding_order_are_made_even():
    order = [0, 80, 120, 40]  # what I0 B2 B3 P1 are stamped with, in the order in which they are shown

    frames = placed(LiveTime(), [(k // 4 * 160 + order[k % 4], k * 40) for k in range(200)])

    steps = [now - then for then, now in pairwise(pts_ms(frames)[20:])]
    assert min(steps) > 20 and max(steps) < 60
    assert breaks(frames) == {}


def test_stamps_that_are_in_order_again_are_kept_as_they_are():
    time = LiveTime()
    placed(time, [(0, 0), (80, 40), (40, 80), (120, 120)])
    uneven = [at + 10 * (at // 40 % 3) for at in range(160, 4000, 40)]

    frames = placed(time, [(at, at) for at in uneven])

    assert pts_ms(frames)[60:] == [at - 40 for at in uneven[60:]], "the frame of 80 had come at 40"


def test_stamps_that_begin_anew_are_a_break_and_go_on_from_the_arrival():
    frames = placed(LiveTime(), [*steady(0, 5, pts=50_000), *steady(200, 5), *steady(400, 5, pts=-3000)])

    assert pts_ms(frames) == list(range(0, 600, 40))
    assert breaks(frames) == {5: "reset", 10: "reset"}


def test_stamps_that_jump_forward_are_a_break_unless_arrivals_do_too():
    frames = placed(LiveTime(), [*steady(0, 5), *steady(200, 5, pts=5200), *steady(9000, 5, pts=14_000)])

    assert pts_ms(frames) == [*range(0, 400, 40), *range(9000, 9200, 40)]
    assert breaks(frames) == {5: "jump"}


def test_a_pause_of_the_network_with_the_frames_it_held_is_no_break():
    held = [(200 + k * 40, 5000 + k) for k in range(120)]

    frames = placed(LiveTime(), [*steady(0, 5), *held, *steady(5120, 5, pts=5120)])

    assert [frame.pts_ns // MS for frame in frames[:120]] == list(range(0, 4800, 40))
    assert frames[5].taken_ns == 200 * MS, "the frame was held, and is known to be old"
    assert breaks(frames) == {}


def test_a_pause_in_which_the_sender_threw_frames_away_is_no_break():
    frames = placed(LiveTime(), [*steady(0, 5), (200, 5000), (240, 5001), (4960, 5002), *steady(5040, 3, pts=5000)])

    assert pts_ms(frames)[5:] == [200, 240, 4960, 5000, 5040, 5080]
    assert breaks(frames) == {}


@pytest.mark.parametrize("wrap_ns", WRAPS_NS.values(), ids=WRAPS_NS)
def test_a_counter_that_is_full_goes_on(wrap_ns: int):
    time = LiveTime()
    frames = [time.place(Stamp((wrap_ns - 2 * S + k * 40 * MS) % wrap_ns), k * 40 * MS) for k in range(100)]

    assert breaks(frames) == {}
    assert [round(frame.pts_ns / MS, 3) for frame in frames] == list(range(0, 4000, 40))


def test_a_counter_that_is_full_goes_on_through_stamps_out_of_order_and_a_pause():
    wrap_ns = WRAPS_NS["RTP"]
    time = LiveTime()
    sent = [-160, -80, -40, -120, 0, 80, -20, 40, 160, 4200]
    frames = [time.place(Stamp(pts * MS % wrap_ns), (1000 + 40 * k) * MS) for k, pts in enumerate(sent[:-1])]
    frames.append(time.place(Stamp(sent[-1] * MS), 5400 * MS))

    assert breaks(frames) == {}


@pytest.mark.parametrize("wrap_ns", WRAPS_NS.values(), ids=WRAPS_NS)
def test_a_counter_may_be_full_many_times(wrap_ns: int):
    time = LiveTime()
    hours = [time.place(Stamp(hour * 3600 * S % wrap_ns), hour * 3600 * S) for hour in range(100)]

    assert breaks(hours) == {}
    assert [round(frame.pts_ns / S, 3) for frame in hours] == [hour * 3600 for hour in range(100)]


def test_stamps_that_keep_breaking_are_not_believed_until_the_next_connection():
    time = LiveTime()
    nonsense = [(k * 7919 % 100_003, 40 * k) for k in range(300)]

    frames = placed(time, nonsense)

    broke = breaks(frames)
    assert list(broke.values())[3:] == ["nonsense"]
    assert pts_ms(frames)[50:] == pytest.approx(list(range(2000, 12_000, 40)), abs=41)
    last_believed = nonsense[max(broke)][0]
    assert last_believed is not None and time.late_ns(last_believed * MS, 12_000 * MS) == 0
    time.connected()
    assert pts_ms(placed(time, [(0, 15_000), (40, 15_500)])) == [15_000, 15_040]


def test_rare_breaks_are_believed_for_ever():
    time = LiveTime()
    loops = [(at % 4000, at) for at in range(0, 60_000, 40)]

    frames = placed(time, loops)

    assert set(breaks(frames).values()) == {"reset"} and len(breaks(frames)) == 14
    assert pts_ms(frames) == list(range(0, 60_000, 40))


@pytest.mark.parametrize("told_fps", [10, 50])
def test_stamps_of_a_guessed_frame_rate_are_not_believed(told_fps: int):
    frames = placed(LiveTime(), [(k * 1000 // told_fps, 40 * k) for k in range(1000)])

    assert "rate" in breaks(frames).values() and max(breaks(frames)) * 40 <= 12_000
    assert pts_ms(frames)[400:] == pytest.approx(list(range(16_000, 40_000, 40)), abs=5)


def test_a_clock_that_is_wrong_by_little_is_found_out_too():
    frames = placed(LiveTime(), [(k * 36, 40 * k) for k in range(2000)])

    assert list(breaks(frames).values())[-1] == "rate"
    assert pts_ms(frames)[-1] == pytest.approx(79_960, abs=5)


def test_a_clock_that_goes_wrong_has_no_drift_any_more():
    time = LiveTime()
    placed(time, steady(0, 2000))
    assert time.drift_ppm == 0

    halved = placed(time, [(80_000 + 20 * k, 80_000 + 40 * k) for k in range(500)])

    assert "rate" in breaks(halved).values()
    assert time.drift_ppm is None


def test_a_new_connection_goes_on_with_the_gap_in_it_and_is_no_break():
    time = LiveTime()
    before = placed(time, steady(0, 5, pts=80_000))
    time.connected()
    after = placed(time, steady(10_000, 5, pts=12))

    assert pts_ms(before + after) == [*range(0, 200, 40), *range(10_000, 10_200, 40)]
    assert breaks(before + after) == {}


def test_a_first_frame_that_does_not_continue_the_packets_before_it_is_no_break():
    time = LiveTime()
    time.late_ns(0, 0)

    assert placed(time, [(90_000, 100), (90_040, 140)]) == [Placed(at * MS, at * MS) for at in (100, 140)]


def test_a_new_connection_at_once_still_rises():
    time = LiveTime()
    placed(time, steady(0, 5))
    time.connected()

    assert time.place(Stamp(0), 160 * MS).pts_ns == 160 * MS + 1
