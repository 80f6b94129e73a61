"""Adding up a log: only visits that ended count, the longest stands first."""

from __future__ import annotations

import json
from pathlib import Path

from examples.count_looks import looking_times, main


def line(kind: str, target: str, dwell_s: float) -> str:
    return json.dumps({"type": f"gazegraph.look.{kind}", "data": {"target": target, "dwell_s": dwell_s}})


def test_looking_times_count_visits_that_ended() -> None:
    log = [
        line("started", "coffee", 0.3),
        line("ended", "coffee", 1.5),
        line("started", "cereal", 0.3),
        line("retracted", "cereal", 0.4),
        line("ended", "snacks", 2.0),
        line("ended", "coffee", 1.0),
    ]

    assert looking_times(log) == {"coffee": (2, 2.5), "snacks": (1, 2.0)}
    assert list(looking_times(log)) == ["coffee", "snacks"]


def test_main_prints_a_line_for_each_target(tmp_path: Path, capsys) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(line("ended", "coffee", 1.5) + "\n")

    assert main([str(log)]) == 0
    assert capsys.readouterr().out == "coffee             1 visits    1.5 s\n"
    assert main([]) == 2
