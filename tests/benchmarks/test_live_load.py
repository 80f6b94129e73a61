"""Loads: cameras of different rates that add up, and whether each gets its part of what the graph can do."""

from __future__ import annotations

import pytest

from benchmarks.live_load import fairness, rates
from benchmarks.live_soak import Kept
from benchmarks.live_tally import Sighting


def seen(**counts: int) -> list[Sighting]:
    return [Sighting(name, 1.0, 0.1, 0, 0) for name, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_rates_differ_and_add_up(count: int) -> None:
    fps = rates(count, 100.0)

    assert sum(fps.values()) == pytest.approx(100)
    assert len(set(fps.values())) == count
    assert max(fps.values()) == pytest.approx(1.5 * min(fps.values()))


@pytest.mark.parametrize(
    ("counts", "fair"),
    [
        ({"cam0": 20, "cam1": 20}, 1.0),
        ({"cam0": 10, "cam1": 30}, 0.5),  # each could have 20
        ({"cam0": 12, "cam1": 48}, 0.4),
        ({"cam0": 40}, 0.0),
    ],
)
def test_in_an_overload_all_streams_get_the_same(counts: dict[str, int], fair: float) -> None:
    assert fairness(seen(**counts), {"cam0": 20.0, "cam1": 60.0}, 10.0) == fair


def test_a_slow_stream_needs_no_more_than_all_of_its_frames() -> None:
    assert fairness(seen(cam0=10, cam1=50), {"cam0": 1.0, "cam1": 100.0}, 10.0) == 1.0


def test_without_frames_nothing_is_known() -> None:
    assert fairness([], {"cam0": 10.0}, 1.0) is None


def test_times_and_ages_are_kept_in_order() -> None:
    kept = Kept()
    kept.keep([Sighting("cam0", 5.0, 0.25, 7, 8)])
    kept.keep([Sighting("cam1", 4.0, None, 7, 8), Sighting("cam0", 6.0, 0.5, 7, 8)])

    assert [(one.unix_s, one.age_s) for one in kept.sightings()] == [(5.0, 0.25), (4.0, None), (6.0, 0.5)]
