"""What the live benchmark makes of its parts: figures with targets, tables, the file, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import live
from benchmarks.live import main, summary, whole_file
from benchmarks.live_table import fault_table, load_table
from benchmarks.results import TARGETS, misses, read_targets
from pipeline.errors import PipelineError


def loaded(p95_ms: float | None, fps: float, **more: Any) -> dict[str, Any]:
    return {"p50_ms": 90.0, "p95_ms": p95_ms, "p99_ms": 300.0, "drop_rate": 0.5, "processed_fps": fps,
            "offered_fps": 100.0, **more}  # fmt: skip


def fault(recovered_s: float | None = 0.5, in_time: bool = True, false_ends: int = 0) -> dict[str, Any]:
    return {"recovered_s": recovered_s, "allowed_s": 2.0, "in_time": in_time, "states": ["live", "lost"],
            "reasons": [], "false_ends": false_ends}  # fmt: skip


GROWTH = {"rss_mb_per_1000": 0.5, "threads_per_1000": 0.0, "open_files_per_1000": 0.0}


def found() -> dict[str, Any]:
    small = {key: loaded(p95_ms, fps) for key, p95_ms, fps in
             (("0.5", 80.0, 25.0), ("1", 150.0, 48.0), ("2", 200.0, 50.0), ("4", 220.0, 49.0))}  # fmt: skip
    return {
        "load": {"one_x_fps": 50.0, "max_age_ms": 500.0, "load": small, "saturated": loaded(300.0, 50.0),
                 "load_1080p": {"1": loaded(300.0, 40.0), "4": loaded(400.0, 36.0)}, "violations": []},
        "faults": {"faults": {f"fault_{number}": fault() for number in range(12)}, "violations": []},
        "churn": {"churn": {**GROWTH}, "failing_connects": {**GROWTH}, "violations": []},
        "soak": {"p95_ms": 160.0, "violations": []},
    }  # fmt: skip


def summed(parts: dict[str, Any], violations: int | None = 0) -> dict[str, Any]:
    return summary({**whole_file(parts), "conservation_violations": violations})


def test_good_figures_miss_no_target() -> None:
    assert misses(summed(found()), read_targets(TARGETS, "live")) == []


def test_each_target_is_about_a_figure() -> None:
    assert set(read_targets(TARGETS, "live")) <= set(summed({}, None))
    assert set(summed({}, None).values()) == {None}


@pytest.mark.parametrize(
    ("where", "value", "line"),
    [
        (("load", "load", "0.5", "p95_ms"), 501.0, "p95_over_max_age: expected at most 1, got 1.002"),
        (("load", "load_1080p", "4", "p95_ms"), 550.0, "p95_over_max_age: expected at most 1, got 1.1"),
        (("load", "load_1080p", "4", "p95_ms"), None, "p95_over_max_age: expected at most 1, got None"),
        (("load", "load", "4", "p95_ms"), 242.0, "p95_at_4_over_2: expected at most 1.2, got 1.21"),
        (("load", "load", "4", "processed_fps"), 36.0, "fps_at_4_over_1: expected at least 0.8, got 0.75"),
        (("load", "load_1080p", "4", "processed_fps"), 30.0, "fps_at_4_over_1_1080p: expected at least 0.8, got 0.75"),
        (("faults", "faults", "fault_3"), fault(None, False), "faults_late: expected at most 0, got 1"),
        (("faults", "faults", "fault_3"), fault(false_ends=2), "false_ends: expected at most 0, got 2"),
        (("churn", "churn", "rss_mb_per_1000"), 1.1, "churn_rss_mb_per_1000: expected at most 1, got 1.1"),
        (("churn", "churn", "threads_per_1000"), 2.0, "churn_threads_per_1000: expected at most 0.5, got 2.0"),
        (("churn", "failing_connects", "open_files_per_1000"), 9.0,
         "failing_open_files_per_1000: expected at most 0.5, got 9.0"),
    ],
)  # fmt: skip
def test_each_bad_figure_misses_its_target(where: tuple[str, ...], value: Any, line: str) -> None:
    parts = found()
    place = parts
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value

    assert misses(summed(parts), read_targets(TARGETS, "live")) == [line]


def test_frames_that_do_not_add_up_miss_their_target() -> None:
    assert misses(summed(found(), 1), read_targets(TARGETS, "live")) == [
        "conservation_violations: expected at most 0, got 1"
    ]


def run(arguments: list[str], out: Path, parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[int, Any]:
    asked: list[tuple[str, bool, float | None]] = []

    def in_a_process(part: str, short: bool, one_x: float | None) -> Any:
        asked.append((part, short, one_x))
        if isinstance(parts[part], PipelineError):
            raise parts[part]
        return parts[part]

    monkeypatch.setattr(live, "in_a_process", in_a_process)
    monkeypatch.setattr(live, "SAMPLED_S", 0.0)
    code = main([*arguments, "--out", str(out)])
    written = json.loads((out / "live.json").read_text("utf-8"))
    return code, {"asked": asked, **written}


def test_the_file_has_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = found()
    parts["churn"]["violations"] = ["stream 'a': 3 frames came, 1 of them neither went nor were dropped"]

    code, written = run(["--short"], tmp_path, parts, monkeypatch)

    assert code == 0
    assert written["asked"] == [
        ("load", True, None),
        ("faults", True, 50.0),
        ("churn", True, 50.0),
        ("soak", True, 50.0),
    ]
    assert (written["short"], written["parts"]) == (True, ["load", "faults", "churn", "soak"])
    assert written["conservation_violations"] == 1
    assert written["details"]["violations"]["churn"] == [
        "stream 'a': 3 frames came, 1 of them neither went nor were dropped"
    ]
    assert written["faults"]["fault_0"]["recovered_s"] == 0.5
    assert set(written["load"]) == {"0.5", "1", "2", "4"}
    assert (written["max_age_ms"], written["churn_rss_mb_per_1000"], written["soak"]["p95_ms"]) == (500.0, 0.5, 160.0)
    assert "a short run of load, faults, churn, soak; growth in so few cycles means little\n" in capsys.readouterr().out


def test_parts_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, written = run(["--only", "soak,churn"], tmp_path, found(), monkeypatch)

    assert (code, written["parts"], written["load"]) == (0, ["churn", "soak"], None)
    assert written["asked"] == [("churn", False, None), ("soak", False, None)]


def test_a_part_that_fails_leaves_the_others_their_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = found() | {"faults": PipelineError("faults: expected figures, got exit code 2: no camera")}

    code, written = run([], tmp_path, parts, monkeypatch)

    assert (code, written["parts"], written["faults"]) == (1, ["load", "churn", "soak"], None)
    assert written["details"]["failed"] == {"faults": "faults: expected figures, got exit code 2: no camera"}
    assert "faults: expected figures, got exit code 2: no camera\n" in capsys.readouterr().err


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "load,lod"])
    assert "expected some of load, faults, churn, soak, got 'lod'" in capsys.readouterr().err


def test_tables_show_one_load_and_one_fault_a_line() -> None:
    parts = found()
    parts["load"]["load"] = {"0.5": loaded(None, 25.0)}
    parts["load"]["load_1080p"] = {}
    faults = {"stalled": fault(), "trickle": fault(None, False)}

    assert load_table(parts["load"]) == (
        "load  offered_fps  processed_fps  drop_rate  p50_ms  p95_ms  p99_ms\n"
        "0.5x  100          25             0.5        90      -       300"
    )
    assert fault_table({"faults": faults}) == (
        "fault    recovered_s  allowed_s  in_time  states     reasons\n"
        "stalled  0.5          2          yes      live lost  -\n"
        "trickle  -            2          no       live lost  -"
    )
    assert (load_table({}), fault_table({})) == ("", "")
