"""Figures of the detector, by hand."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from training.measure_detector import Tally, yaw_deg, yaw_figures

HEAD = np.array([0.1, 0.1, 0.2, 0.2], np.float32)


def rows(*boxes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 4)


def test_matches_are_one_to_one_and_best_first() -> None:
    tally = Tally()
    truth = rows((0.1, 0.1, 0.3, 0.3), (0.6, 0.6, 0.8, 0.8))
    found = rows((0.1, 0.1, 0.3, 0.3), (0.11, 0.1, 0.3, 0.3), (0.4, 0.4, 0.5, 0.5))

    matches = tally.add(found, np.array([0.9, 0.8, 0.3], np.float32), truth, np.array([True, True]))

    assert matches.tolist() == [0, -1, -1]
    assert tally.at(0.25) == (0.5, pytest.approx(1 / 3))
    assert tally.at(0.85) == (0.5, 1.0)
    assert tally.threshold() == pytest.approx(0.81)


def test_hidden_heads_are_neither_found_nor_false() -> None:
    tally = Tally()
    truth = rows((0.1, 0.1, 0.3, 0.3))

    matches = tally.add(truth, np.array([0.9], np.float32), truth, np.array([False]))

    assert matches.tolist() == [0]
    assert (tally.wanted, tally.scores) == (0, [])


def test_recall_by_size_counts_each_head_in_its_class() -> None:
    tally = Tally()
    truth = rows((0.0, 0.0, 0.1, 20 / 288), (0.5, 0.5, 0.6, 0.5 + 30 / 288))

    tally.add(truth[:1], np.array([0.9], np.float32), truth, np.array([True, True]))

    assert tally.recall_by_size(0.5) == [0.0, 1.0, 0.0, 0.0]


def tallied(logits: np.ndarray, slope: float, offset: float) -> Tally:
    """Return boxes that are right as often as their score says after the slope and the offset."""
    chance = 1 / (1 + np.exp(-(slope * logits + offset)))
    right = np.random.default_rng(0).random(len(logits)) < chance
    return Tally(scores=(1 / (1 + np.exp(-logits))).tolist(), right=right.tolist())


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.5, 1.0), (2.0, -0.7)])
def test_the_line_is_the_one_that_scores_are_off_by(slope: float, offset: float) -> None:
    tally = tallied(np.random.default_rng(1).uniform(-3.5, 3.5, 20_000), slope, offset)

    assert tally.line() == (pytest.approx(slope, abs=0.06), pytest.approx(offset, abs=0.06))


@pytest.mark.parametrize(
    ("scores", "right"),
    [([], []), ([0.9, 0.8], [True, True]), ([0.2], [False]), ([0.9, 0.8, 0.2, 0.1], [False, False, True, True])],
)
def test_scores_that_say_nothing_stay_as_they_are(scores: list[float], right: list[bool]) -> None:
    assert Tally(scores=scores, right=right).line() == (1.0, 0.0)


def test_a_few_scores_that_part_right_from_wrong_are_not_made_certain() -> None:
    slope, offset = Tally(scores=[0.9, 0.8, 0.2, 0.1], right=[True, True, False, False]).line()

    told = 1 / (1 + np.exp(-(slope * np.log(0.9 / 0.1) + offset)))
    assert 0.5 < told < 0.9


def test_calibration_error_by_hand() -> None:
    """Thirty boxes are two in each of fifteen parts: one score, half of them right."""
    scores = np.repeat(np.linspace(0.3, 0.7, 15), 2)
    half, all_right = ([True, False] * 15, [True] * 30)

    assert Tally(scores=scores.tolist(), right=half).calibration_error() == pytest.approx(
        np.abs(np.linspace(0.3, 0.7, 15) - 0.5).mean()
    )
    assert Tally(scores=scores.tolist(), right=all_right).calibration_error() == pytest.approx(0.5)
    assert Tally().calibration_error() == 0.0


def test_yaw_is_read_from_the_direction_rows_of_the_head() -> None:
    found = np.array([[7, *HEAD, 0.8], [9, *HEAD, 0.4], [10, *HEAD, 0.4], [12, 0, 0, 1, 1, 0.9]], np.float32)

    assert yaw_deg(found, HEAD) == pytest.approx(67.5)
    assert np.isnan(yaw_deg(found[:1], HEAD))


def test_heads_without_a_direction_are_missing() -> None:
    found = yaw_figures(np.array([10.0, 50.0, np.nan, 30.0]))

    assert found == {"yaw_mae_deg": 30.0, "yaw_median_deg": 30.0, "yaw_within_45": 0.5, "yaw_missing": 1}
    assert np.isnan(yaw_figures(np.array([np.nan]))["yaw_mae_deg"])
