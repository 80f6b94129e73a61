"""Percentiles of the last times."""

from __future__ import annotations

from pipeline.latency import KEPT, Latency


def test_percentiles_are_those_of_the_times():
    latency = Latency()
    for time_ms in range(101):
        latency.add(time_ms * 1_000_000)

    assert latency.to_dict() == {"p50_ms": 50.0, "p95_ms": 95.0, "max_ms": 100.0}


def test_before_any_time_there_is_nothing_to_tell():
    assert Latency().to_dict() == {}


def test_old_times_are_forgotten_but_for_the_worst():
    latency = Latency()
    for time_ns in [9_000_000] + [1_000_000] * KEPT:
        latency.add(time_ns)

    assert latency.to_dict() == {"p50_ms": 1.0, "p95_ms": 1.0, "max_ms": 9.0}
