"""The figures of looked-at events, from a short clip and from sums made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import events
from benchmarks.clips import true_clips
from benchmarks.matching import Count
from scenes.sets import seed_set


def test_a_clip_is_added_to_every_way_to_visits(tmp_path: Path) -> None:
    accuracy = events.Accuracy()
    (clip,) = true_clips(seed_set("9203", seconds=1.6), tmp_path)

    accuracy.add(clip)

    tallies = (accuracy.logic, accuracy.flat, accuracy.whole, accuracy.peaks)
    assert len({tally.count.wanted for tally in tallies}) == 1
    assert accuracy.logic.count.wanted > 0
    assert accuracy.logic.figures()["f1"] == 1.0
    assert accuracy.calibration.told


@pytest.mark.parametrize(
    ("whole", "peaks", "gained"),
    [
        (Count(right=2, wrong=1, wanted=3), Count(right=1, wrong=2, wanted=3), 0.5),  # F1 2/3 against 1/3
        (Count(right=1, wrong=2, wanted=3), Count(right=1, wrong=2, wanted=3), 0.0),
        (Count(right=1, wrong=2, wanted=3), Count(right=2, wrong=1, wanted=3), -1.0),
        (Count(right=3, wrong=0, wanted=3), Count(right=3, wrong=0, wanted=3), None),  # nothing is missed
    ],
)
def test_what_is_gained_is_a_share_of_what_bare_peaks_miss(whole: Count, peaks: Count, gained: float | None) -> None:
    accuracy = events.Accuracy()
    accuracy.whole.count, accuracy.peaks.count = whole, peaks

    assert accuracy.figures(10)["missing_f1_gained"] == pytest.approx(gained, abs=5e-4)


def test_the_file_has_the_figures_below_dotted_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def killed(kills: int, seed: int) -> dict[str, int]:
        asked.append((kills, seed))
        return {"kills": kills, "gaps": 1, "duplicates": 0, "events": 7}

    monkeypatch.setattr(events, "measure_bus", lambda: {"durable_events_per_s": 50_000})
    monkeypatch.setattr(events, "measure_chaos", killed)

    code = events.main(["--only", "bus", "chaos", "--kills", "3", "--seed", "5", "--check", "--out", str(tmp_path)])

    written = json.loads((tmp_path / "events.json").read_text("utf-8"))
    assert asked == [(3, 5)]
    assert written["durable_events_per_s"] == 50_000
    assert written["chaos"] == {"kills": 3, "gaps": 1, "duplicates": 0}
    assert written["details"]["chaos"]["events"] == 7
    assert code == 1  # an event was lost
    assert "chaos.gaps" in capsys.readouterr().out
