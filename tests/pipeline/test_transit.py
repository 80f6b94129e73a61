"""What a tick that enters now would take: by how many are inside, and by what was so lately."""

from __future__ import annotations

import pytest

from pipeline.transit import KEPT, RECENT_NS, Transit
from tests.pipeline.rig import FakeClock

MS = 1_000_000


def passed(transit: Transit, *times_ms: int) -> None:
    """Let as many ticks enter as there are times, and then leave."""
    for _ in times_ms:
        transit.entered()
    for time_ms in times_ms:
        transit.left(time_ms * MS)


def test_what_is_expected_goes_by_how_many_are_inside():
    transit = Transit(FakeClock())
    passed(transit, 100, 200, 350)
    expected = []
    for _ in range(3):
        expected.append(transit.expected_ns())
        transit.entered()

    assert expected == [100 * MS, 200 * MS, 350 * MS]


def test_of_more_than_ever_were_inside_as_much_is_expected_as_of_the_most():
    transit = Transit(FakeClock())
    passed(transit, 100, 200)
    for _ in range(5):
        transit.entered()

    assert transit.expected_ns() == 200 * MS


def test_what_was_long_ago_is_not_expected():
    clock = FakeClock()
    transit = Transit(clock)
    passed(transit, 900)
    clock.ns += RECENT_NS
    assert transit.expected_ns() == 900 * MS

    clock.ns += 1
    assert transit.expected_ns() == 0
    passed(transit, 30)
    assert transit.expected_ns() == 30 * MS


def test_few_slow_ones_are_not_expected():
    transit = Transit(FakeClock())
    for time_ms in [900] * 3 + [50] * (KEPT - 3):
        passed(transit, time_ms)

    assert transit.expected_ns() == 50 * MS


def test_ticks_without_frames_tell_nothing_but_are_inside():
    transit = Transit(FakeClock())
    passed(transit, 100, 200)
    transit.entered()
    assert transit.expected_ns() == 200 * MS

    transit.left(None)
    assert transit.expected_ns() == 100 * MS
    assert transit.to_dict() == {"p50_ms": 150.0, "p95_ms": pytest.approx(195.0), "max_ms": 200.0}


def test_before_any_tick_nothing_is_expected():
    assert Transit(FakeClock()).expected_ns() == 0
