"""What speaks for and against an adapted detector, by hand."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from training.adapt_report import agreement, objections, on_footage, table
from training.footage import Sample
from training.labelled_footage import Clip
from training.measure_detector import Tally
from training.teacher import WANTED, Boxes, Labels

BEFORE: dict[str, Any] = {
    "footage": {"agreement": 0.5, "walkers_read": 0.7, "still_boxes": 3, "flicker": 0.05},
    "stills": {"body_ap50": 0.8, "head_ap50": 0.7, "face_ap50": 0.3, "yaw_mae_deg": 15.0},
}


def changed(**values: float | None) -> dict[str, Any]:
    after = copy.deepcopy(BEFORE)
    after["footage"]["agreement"] = 0.6
    for key, value in values.items():
        part = "footage" if key in after["footage"] else "stills"
        after[part][key] = value
    return after


def test_a_detector_that_is_better_or_a_little_worse_is_taken() -> None:
    assert objections(BEFORE, changed(), 0.02) == []
    assert objections(BEFORE, changed(head_ap50=0.681, flicker=0.059, yaw_mae_deg=16.9), 0.02) == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("head_ap50", 0.67, "stills.head_ap50: expected at least 0.6800, 0.02 less than before, got 0.67"),
        ("body_ap50", 0.7, "stills.body_ap50: expected at least 0.7800, 0.02 less than before, got 0.7"),
        ("face_ap50", 0.27, "stills.face_ap50: expected at least 0.2800, 0.02 less than before, got 0.27"),
        ("yaw_mae_deg", 17.5, "stills.yaw_mae_deg: expected at most 17, got 17.5"),
        ("yaw_mae_deg", None, "stills.yaw_mae_deg: expected at most 17, got None"),
        ("agreement", 0.5, "footage.agreement: expected more than before, 0.5, got 0.5"),
        ("walkers_read", 0.6, "footage.walkers_read: expected at least what it was before, 0.7, got 0.6"),
        ("still_boxes", 4, "footage.still_boxes: expected no more than before, 3, got 4"),
        ("flicker", 0.07, "footage.flicker: expected at most 0.0600, got 0.07"),
    ],
)
def test_each_figure_that_is_worse_is_named(key: str, value: float | None, line: str) -> None:
    assert objections(BEFORE, changed(**{key: value}), 0.02) == [line]


@pytest.mark.parametrize(
    ("agreement", "said"), [(0.491, []), (0.489, ["footage.agreement: expected at least 0.4900, got 0.489"])]
)
def test_where_walkers_are_read_better_agreement_need_not_rise(agreement: float, said: list[str]) -> None:
    assert objections(BEFORE, changed(walkers_read=0.8, agreement=agreement), 0.02) == said


def test_footage_without_walkers_is_not_judged_by_them() -> None:
    before = copy.deepcopy(BEFORE)
    before["footage"]["walkers_read"] = None

    assert objections(before, changed(walkers_read=None), 0.02) == []


def test_heads_of_walkers_are_right_where_they_point_along_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    box = np.array([[x, 0.1, x + 0.1, 0.3] for x in (0.0, 0.2, 0.4, 0.6, 0.8)], np.float32)
    kind, score = np.ones(5, np.int64), np.array([0.9, 0.8, 0.7, 0.2, 0.6], np.float32)
    nose = np.tile(np.array([1, 0, 0], np.float32), (5, 1))  # to the right: 90 degrees
    nose[4] = np.nan

    class Told:
        def __init__(self, path: Path) -> None: ...

        def find(self, picture: np.ndarray) -> Boxes:
            return Boxes(kind, box, score)

        def find_with_yaws(self, picture: np.ndarray) -> tuple[Boxes, np.ndarray]:
            return self.find(picture), np.array([60, -90, np.nan, 90, 90], np.float32)

    monkeypatch.setattr("training.adapt_report.Detector", Told)
    labels = Labels(Boxes(kind, box, score), np.full(5, WANTED), nose)
    sample = Sample("a", 0.0, 0.9, np.zeros((384, 640, 3), np.uint8))
    clip = Clip("a", [sample, sample], [labels, labels], [False, True])

    figures = on_footage(Path("any.onnx"), [clip], 20.0)

    # One walker is read rightly, one as turned round, of one nothing is told, one is too dim to be shown.
    assert (figures["walkers"], figures["walkers_read"]) == (4, 0.25)
    assert (clip.walkers(), clip.walkers(held_back=True)) == (8, 4)


def test_figures_that_stills_have_not_are_not_judged() -> None:
    before = copy.deepcopy(BEFORE)
    before["footage"]["flicker"] = None

    assert objections(before, changed(flicker=None), 0.02) == []
    assert "footage.flicker              -         -" in table(before, changed(flicker=None))


def test_agreement_weighs_scores_of_accepted_boxes_against_those_elsewhere() -> None:
    tally = Tally()
    truth = np.array([[0, 0, 0.2, 0.2], [0.5, 0.5, 0.7, 0.7], [0.8, 0, 1, 0.2]], np.float32)
    found = np.array([[0, 0, 0.2, 0.2], [0.4, 0, 0.5, 0.1], [0.8, 0, 1, 0.2]], np.float32)
    accepted = np.array([True, True, False])  # the third may be somebody

    tally.add(found, np.array([0.8, 0.4, 0.9], np.float32), truth, accepted)

    assert agreement([tally]) == pytest.approx(0.8 / (2 + 0.4), abs=1e-4)
    assert agreement([Tally()]) == 0
