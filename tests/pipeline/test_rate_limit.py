"""So many frames a second and no more."""

from __future__ import annotations

import pytest

from pipeline.rate_limit import RateLimit


@pytest.mark.parametrize(
    ("max_fps", "taken"), [(None, 50), (25.0, 50), (50.0, 50), (10.0, 20), (12.5, 25), (0.5, 2), (0.25, 1)]
)
def test_two_seconds_at_25_fps(max_fps: float | None, taken: int) -> None:
    limit = RateLimit()

    assert sum(limit.admits(index * 40_000_000, max_fps) for index in range(50)) == taken


def test_a_container_that_rounds_times_loses_nothing() -> None:
    limit = RateLimit()

    assert all(limit.admits(round(index * 100 / 3) * 1_000_000, 30.0) for index in range(90))


def test_after_a_pause_the_grid_begins_anew() -> None:
    limit = RateLimit()
    assert [limit.admits(ns, 1.0) for ns in (0, 500_000_000, 5_300_000_000, 6_200_000_000, 6_300_000_000)] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_begun_anew_the_next_frame_is_taken_whatever_its_time() -> None:
    limit = RateLimit()
    limit.admits(9_000_000_000, 1.0)
    limit.begin_anew()

    assert limit.admits(0, 1.0)
