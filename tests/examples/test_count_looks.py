"""Adding up a log: visits count that ended and were not taken back, the longest stands first."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.count_looks import looking_times, main
from nodes.ops import cloud_events
from nodes.types import Visits
from tests.helpers import table


def line(kind: str, visit: str, dwell_s: float = 1.0) -> str:
    """Return an event of a visit; the target is the first word of its name."""
    row = {"kind": kind, "visit": visit, "target": visit.split()[0], "stream_id": "shop", "track_id": 1}
    looks = table(Visits, **{name: [value] for name, value in row.items()}, dwell_ns=[round(dwell_s * 1e9)])
    return cloud_events.encode_rows(looks, {"shop": ("retail", {}, "0" * 12)})[0].decode()


def test_looking_times_count_visits_that_ended() -> None:
    log = [
        line("started", "coffee 1", 0.3),
        line("ended", "coffee 1", 1.5),
        line("started", "cereal 1", 0.3),
        line("updated", "cereal 1", 2.3),
        line("ended", "snacks 1", 2.0),
        line("ended", "coffee 2", 1.0),
    ]

    assert looking_times(log) == {"coffee": (2, 2.5), "snacks": (1, 2.0)}
    assert list(looking_times(log)) == ["coffee", "snacks"]


def test_visits_that_are_taken_back_do_not_count_also_after_their_end() -> None:
    log = [
        line("ended", "coffee 1", 1.5),
        line("ended", "coffee 2", 4.0),
        line("retracted", "cereal 1", 0.4),  # too short: it never ended
        line("retracted", "coffee 1", 1.5),  # it was another person
        line("started", "coffee 1~1", 0.3),
        line("ended", "coffee 1~1", 2.5),
    ]

    assert looking_times(log) == {"coffee": (2, 6.5)}


def test_main_prints_a_line_for_each_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "events-000001-20240501T120000Z.jsonl", tmp_path / "events.jsonl"
    first.write_text(line("ended", "coffee 1", 1.5) + "\n")
    second.write_text(
        line("retracted", "coffee 1") + "\n" + line("ended", "tea 1", 3.0) + "\n" + line("ended", "x")[:99]
    )

    assert main([str(first)]) == 0
    assert capsys.readouterr().out == "coffee             1 visits    1.5 s\n"
    assert main([str(first), str(second)]) == 0
    assert capsys.readouterr().out == "tea                1 visits    3.0 s\n"
    assert main([]) == 2
