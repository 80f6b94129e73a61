"""Visits and probabilities added up over clips, with sums made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.clips import TrueClip
from benchmarks.events_tally import CalibrationTally, VisitTally
from nodes.types import AoiHits, Visits
from scenes.truth import Fixation, PeopleTruth, no_people
from tests.helpers import table

S = 10**9


def clip(*fixations: Fixation) -> TrueClip:
    return TrueClip(1, Path("a.mp4"), (480, 288), {}, fixations, ())


def looks(*rows: tuple[str, str, float, float, float]) -> Any:
    """Return visits of track 1, each `kind, target, start s, end s, dwell s`."""
    return table(
        Visits,
        kind=[row[0] for row in rows],
        visit=[f"{row[1]}/{row[2]}" for row in rows],
        track_id=[1] * len(rows),
        target=[row[1] for row in rows],
        start_ns=[round(row[2] * S) for row in rows],
        end_ns=[round(row[3] * S) for row in rows],
        dwell_ns=[round(row[4] * S) for row in rows],
    )


def test_right_and_wrong_and_missed_visits_of_all_clips_count() -> None:
    tally = VisitTally()
    tally.add(
        looks(("ended", "tea", 1.0, 2.0, 0.8), ("ended", "milk", 3.0, 4.0, 1.0), ("ended", "tea", 6.0, 7.0, 1.0)),
        {1: 5},
        clip(Fixation(5, "tea", "surface", 1.1, 2.1), Fixation(5, "tea", "surface", 6.0, 7.4)),
    )
    tally.add(looks(), {1: 5}, clip(Fixation(5, "milk", "surface", 0.0, 1.0)))

    assert tally.figures() == {"precision": 0.6667, "recall": 0.6667, "f1": 0.6667}
    # starts are off by 0.1 and 0 s, ends by 0.1 and 0.4 s, looking by 0.2 of 1.0 and 0.4 of 1.4 s
    assert tally.timing(10) == {
        "start_error_frames_p50": 0.5,
        "end_error_frames_p50": 2.5,
        "dwell_error_ratio": round((0.2 + 0.4 / 1.4) / 2, 3),
    }


def test_dwell_is_that_of_the_visit_that_is_right_when_others_were_taken_back() -> None:
    told = looks(
        ("ended", "milk", 1.0, 2.0, 0.1),
        ("retracted", "milk", 1.0, 2.0, 0.1),
        ("ended", "grid:1-1", 1.0, 2.0, 0.3),
        ("ended", "tea", 1.0, 2.0, 0.9),
    )
    tally = VisitTally()

    tally.add(told, {1: 5}, clip(Fixation(5, "tea", "surface", 1.0, 2.0)))

    assert (tally.count.right, tally.count.wrong) == (1, 0)
    assert tally.timing(10)["dwell_error_ratio"] == 0.1


def test_nothing_told_has_no_figures_of_time() -> None:
    tally = VisitTally()
    tally.add(looks(), {}, clip(Fixation(5, "tea", "surface", 1.0, 2.0)))

    assert tally.figures() == {"precision": None, "recall": 0.0, "f1": 0.0}
    assert tally.timing(10) == {"start_error_frames_p50": None, "end_error_frames_p50": None, "dwell_error_ratio": None}


def truth(**looked_at: str) -> PeopleTruth:
    """Return people `p<number>="target"`."""
    numbers = np.array([int(name[1:]) for name in looked_at])
    return PeopleTruth(**vars(no_people()) | {"person_id": numbers, "looked_at": tuple(looked_at.values())})


def hits(*rows: tuple[int, str, float]) -> Any:
    return table(
        AoiHits, track_id=[row[0] for row in rows], target=[row[1] for row in rows], score=[row[2] for row in rows]
    )


def test_calibration_error_is_the_gap_between_told_and_true_weighted_by_how_often() -> None:
    tally = CalibrationTally()
    # told 0.75 of four, of which two are true: 0.25 off; told 0.05 of one, which is not: 0.05 off
    tally.add(
        hits((1, "tea", 0.75), (2, "tea", 0.75), (3, "milk", 0.75), (4, "tea", 0.75), (4, "person:1", 0.05)),
        {1: 11, 2: 12, 3: 13, 4: 14},
        truth(p11="tea", p12="tea", p13="", p14="person:12"),
    )

    assert tally.expected_error() == round((4 * 0.25 + 0.05) / 5, 4)
    assert [row["count"] for row in tally.bins()] == [1, 4]
    assert [row["true"] for row in tally.bins()] == [0.0, 0.5]


@pytest.mark.parametrize(
    ("owners", "target", "right"),
    [
        ({1: 11, 2: 12}, "person:2", 1.0),
        ({1: 11, 2: 13}, "person:2", 0.0),
        ({1: 11}, "person:2", 0.0),  # the head looked at is nobody
        ({2: 12}, "person:2", 0.0),  # the looking head is nobody
    ],
)
def test_people_are_right_when_both_tracks_are_of_true_people(
    owners: dict[int, int], target: str, right: float
) -> None:
    tally = CalibrationTally()
    tally.add(hits((1, target, 0.5)), owners, truth(p11="person:12", p12=""))

    assert tally.bins() == [{"told": 0.5, "true": right, "count": 1}]


def test_what_says_nothing_of_a_target_does_not_count() -> None:
    tally = CalibrationTally()
    tally.add(hits((1, "", 0.0), (1, "grid:1-1", 0.4)), {1: 11}, truth(p11="tea"))

    assert tally.expected_error() is None
