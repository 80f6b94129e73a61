"""What holds of the times of any live stream."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.live_time import LiveTime
from pipeline.node import Stamp
from pipeline.sender_clock import AHEAD_NS, SLEW

MS = 1_000_000
S = 1000 * MS
UNIX = 1_700_000_000 * S

STAMPS = st.builds(
    Stamp,
    st.none() | st.integers(-(2**63), 2**63) | st.integers(0, 60 * S) | st.sampled_from([0, 2**32 * 100_000 // 9]),
    st.none() | st.integers(0, 2**63) | st.integers(UNIX - 20 * S, UNIX + 60 * S),
)
GAPS = st.sampled_from([0, 1, MS, 40 * MS, 300 * MS, 3 * S, 40 * S]) | st.integers(0, 5 * S)
STEPS = st.sampled_from(["packet", "connect", "frame", "frame", "frame", "frame"])


@given(st.lists(st.tuples(STEPS, STAMPS, GAPS), max_size=60), st.none() | st.just(UNIX))
def test_times_rise_strictly_and_stay_near_arrivals(steps: list[tuple[str, Stamp, int]], start: int | None):
    time = LiveTime(start_unix_ns=start)
    arrived_ns = 0
    last_ns = -(2**80)
    for row, (kind, stamp, gap_ns) in enumerate(steps):
        arrived_ns += gap_ns
        if kind == "connect":
            time.connected()
        elif kind == "packet":
            assert time.late_ns(stamp.pts_ns, arrived_ns) >= 0
        else:
            placed = time.place(stamp, arrived_ns)
            assert placed.pts_ns > last_ns
            assert arrived_ns - 34 * S <= placed.pts_ns <= arrived_ns + AHEAD_NS + row
            assert placed.taken_ns <= arrived_ns
            last_ns = placed.pts_ns


@given(st.lists(st.tuples(st.sampled_from([-200, -40, 0, 33, 40, 80, 900]), GAPS), min_size=20, max_size=200))
def test_times_of_a_sender_that_is_nearly_right_rise_and_stay_near_arrivals_too(steps: list[tuple[int, int]]):
    time = LiveTime()
    pts_ms = list(accumulate(step for step, _ in steps))
    arrivals = list(accumulate(gap for _, gap in steps))
    placed = [time.place(Stamp(pts * MS), at) for pts, at in zip(pts_ms, arrivals, strict=True)]

    assert all(now.pts_ns > then.pts_ns for then, now in pairwise(placed))
    for row, (frame, at) in enumerate(zip(placed, arrivals, strict=True)):
        assert at - 34 * S <= frame.pts_ns <= at + AHEAD_NS + row


@given(
    st.lists(st.integers(0, 90 * MS), min_size=2, max_size=150),
    st.sampled_from([20, 33, 40, 100, 1000]),
    st.integers(-(2**40), 2**40),
    st.integers(-1000, 1000),
)
def test_a_steady_sender_keeps_its_steps_through_jitter(
    delays: list[int], step_ms: int, begin_ns: int, drift_ppm: int
):  # fmt: skip
    time = LiveTime()
    step_ns = step_ms * MS
    stamps = [begin_ns + k * step_ns for k in range(len(delays))]
    taken = [k * (step_ns + step_ns * drift_ppm // 1_000_000) for k in range(len(delays))]
    arrivals = list(accumulate((at + delay for at, delay in zip(taken, delays, strict=True)), max))
    placed = [time.place(Stamp(pts), at) for pts, at in zip(stamps, arrivals, strict=True)]

    assert {frame.breaks for frame in placed} == {None}
    assert all(abs(now.pts_ns - then.pts_ns - step_ns) <= step_ns * SLEW for then, now in pairwise(placed))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1900 * MS)), min_size=1, max_size=30))
def test_a_steady_sender_keeps_its_steps_through_bursts(bursts: list[tuple[int, int]]):
    time = LiveTime()
    time.place(Stamp(0), 0)
    placed = []
    number = released_ns = 0
    for count, held_ns in bursts:
        # Frames are held for a while, and then come at once, each no earlier than it was taken.
        released_ns = max(released_ns, (number + count) * 40 * MS + held_ns)
        for _ in range(count):
            number += 1
            placed.append(time.place(Stamp(number * 40 * MS), released_ns))

    assert {frame.breaks for frame in placed} == {None}
    assert all(abs(now.pts_ns - then.pts_ns - 40 * MS) <= 40 * MS * SLEW for then, now in pairwise(placed))
