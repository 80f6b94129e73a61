"""How far the building of an engine is, from phases within phases."""

from __future__ import annotations

import logging
import threading

import pytest

from pipeline.backends.build_progress import BuildProgress


@pytest.fixture
def now() -> list[float]:
    return [100.0]


def test_lines_come_at_intervals_and_tell_share_and_time(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = BuildProgress("tiny", threading.Event(), lambda: now[0], every_s=10)

    progress.started("all", None, 4)
    for phase in range(4):
        progress.started("tactics", "all", 10)
        for step in range(10):
            now[0] += 1
            assert progress.stepped("tactics", step)
        progress.finished("tactics")
        progress.stepped("all", phase)
    progress.finished("all")

    assert [record.getMessage() for record in caplog.records] == [
        f"model tiny: building its engine, {percent} % after {spent} s"
        for percent, spent in ((25, 10), (50, 20), (75, 30), (100, 40))
    ]
    assert progress.spent_s == 40


def test_a_phase_within_counts_for_its_step(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = BuildProgress("tiny", threading.Event(), lambda: now[0], every_s=10)
    progress.started("all", None, 2)
    progress.started("tactics", "all", 4)

    now[0] += 10
    progress.stepped("tactics", 1)
    progress.finished("tactics")
    progress.stepped("all", 0)
    progress.started("writing", "all", 4)
    now[0] += 10
    progress.stepped("writing", 0)

    assert [record.getMessage() for record in caplog.records] == [
        "model tiny: building its engine, 25 % after 10 s",
        "model tiny: building its engine, 62 % after 20 s",
    ]


def test_phases_that_nobody_began_do_no_harm() -> None:
    progress = BuildProgress("tiny", threading.Event())

    assert progress.stepped("what", 3)
    progress.finished("what")
    progress.started("inside", "what", 0)
    assert progress.stepped("inside", 0)


def test_who_no_longer_waits_ends_it() -> None:
    cancelled = threading.Event()
    progress = BuildProgress("tiny", cancelled)
    progress.started("all", None, 2)
    assert progress.stepped("all", 0)

    cancelled.set()

    assert not progress.stepped("all", 1)
