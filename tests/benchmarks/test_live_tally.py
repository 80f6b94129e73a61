"""Ages, drops, growth and accounts are what they are by hand."""

import math

import numpy as np
import pytest

from benchmarks.live_tally import Clock, Sample, Sighting, ages, growth, level, slope, violations


def seen(*ages_ms: float | None) -> list[Sighting]:
    return [Sighting("door", 100.0, None if age is None else age / 1e3, 0, 0) for age in ages_ms]


@pytest.mark.parametrize(
    ("number", "unix_s", "age_s"),
    [
        (0, 1000.0, 0.0),
        (0, 1000.2, 0.2),
        (249, 1000.1, 0.18),  # the last frame of the clip, sent at 999.92: the clip has begun anew since
        (125, 1029.9, 19.9),
    ],
)
def test_the_number_tells_when_a_frame_was_sent(number: int, unix_s: float, age_s: float) -> None:
    assert Clock(fps=12.5, frames=250).age_s(number, unix_s) == pytest.approx(age_s, abs=1e-6)


def test_percentiles_are_of_frames_whose_number_was_read() -> None:
    assert ages(seen(*range(101), None)) == {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99, "max_ms": 100, "unread": 1}
    assert ages(seen(None)) == {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None, "unread": 1}


def test_what_was_sent_and_did_not_come_counts_as_dropped() -> None:
    figures = level(seen(*[40] * 30), offered_fps=20.0, window_s=2.0)

    assert {key: figures[key] for key in ("drop_rate", "processed_fps", "offered_fps")} == {
        "drop_rate": 0.25,
        "processed_fps": 15.0,
        "offered_fps": 20.0,
    }


def test_frames_in_flight_when_the_window_begins_are_no_negative_drops() -> None:
    assert level(seen(*[40] * 41), offered_fps=20.0, window_s=2.0)["drop_rate"] == 0.0


def test_a_frame_without_a_number_was_sent_nobody_knows_when() -> None:
    assert seen(250)[0].sent_s == 99.75
    assert seen(None)[0].sent_s == -math.inf


def test_growth_is_the_slope_from_a_cycle_on() -> None:
    samples = [Sample(cycle, 10**6 * cycle, 50 - cycle, 7) for cycle in range(10)]
    samples += [Sample(cycle, 20_000_000 + 500 * cycle, 9, 7 + cycle // 100) for cycle in range(100, 400, 100)]

    assert growth(samples, since=100) == {
        "rss_mb_per_1000": 0.5,
        "threads_per_1000": 0.0,
        "open_files_per_1000": 10.0,
    }


def test_one_sample_tells_no_growth() -> None:
    assert set(growth([Sample(5, 1, 1, 1), Sample(5, 2, 2, 2)], 0).values()) == {None}


def test_slope_is_that_of_the_nearest_line() -> None:
    assert slope(np.array([0.0, 1.0, 2.0, 3.0]), [1.0, 3.0, 2.0, 4.0]) == pytest.approx(0.8)


def test_frames_that_are_missing_are_found_in_any_account() -> None:
    accounts = {
        "node 'people'": {"in": 10, "out": 7, "dropped": {"too_old": 2, "not_newest": 1}, "in_flight": 0},
        "node 'looks'": {"in": 7, "out": 5, "dropped": {}, "in_flight": 2},
        "stream 'door'": {"in": 3, "out": 4, "dropped": {}},
    }

    assert violations(accounts) == [
        "node 'looks': 7 frames came, 2 of them neither went nor were dropped",
        "stream 'door': 3 frames came, -1 of them neither went nor were dropped",
    ]
