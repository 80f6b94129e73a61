"""Scores of gaze maps, by hand and by the definition of a rank."""

import math

import numpy as np
import pytest

from benchmarks.gaze_scores import (
    area_under_roc,
    average_precision,
    centroid_distance,
    gaze_auc,
    peak_distance,
    positives,
    to_cells,
)

YES, NO = True, False


def hill(column: int, row: int) -> np.ndarray:
    heat = np.zeros((64, 64), np.float32)
    heat[row, column] = 1
    return heat


@pytest.mark.parametrize(
    ("positive", "score", "wanted"),
    [
        ([YES, NO], [0.9, 0.1], 1.0),
        ([YES, NO], [0.1, 0.9], 0.0),
        ([YES, NO], [0.5, 0.5], 0.5),
        # Pairs won: 0.8 beats both negatives, 0.4 ties one and beats one: 3.5 of 4.
        ([YES, YES, NO, NO], [0.8, 0.4, 0.4, 0.2], 0.875),
        ([NO, YES, NO, YES, NO], [0.1, 0.4, 0.35, 0.8, 0.6], 5 / 6),
    ],
)
def test_area_under_roc_is_the_share_of_pairs_won(positive: list[bool], score: list[float], wanted: float) -> None:
    assert area_under_roc(np.array(positive), np.array(score)) == pytest.approx(wanted)


def test_area_under_roc_of_many_ties_counts_every_pair() -> None:
    rng = np.random.default_rng(0)
    positive, score = rng.random(200) < 0.3, rng.integers(0, 7, 200) / 6
    won = score[positive][:, None] > score[~positive]
    tied = score[positive][:, None] == score[~positive]

    assert area_under_roc(positive, score) == pytest.approx((won + tied / 2).mean())


@pytest.mark.parametrize(
    ("positive", "score", "wanted"),
    [
        ([YES, NO], [0.9, 0.1], 1.0),
        ([NO, YES], [0.9, 0.1], 0.5),
        # Recall 1/2 at precision 1, then 2/2 at 2/3.
        ([YES, NO, YES], [0.9, 0.8, 0.7], 0.5 * 1 + 0.5 * 2 / 3),
        # All under one threshold: precision is the share of positives, whatever the order.
        ([YES, NO, NO, YES], [0.5, 0.5, 0.5, 0.5], 0.5),
        ([NO, YES, NO, YES], [0.5, 0.5, 0.5, 0.9], 0.5 * 1 + 0.5 * 2 / 4),
    ],
)
def test_average_precision_by_hand(positive: list[bool], score: list[float], wanted: float) -> None:
    assert average_precision(np.array(positive), np.array(score)) == pytest.approx(wanted)


def test_positives_are_19_cells_square() -> None:
    cells = positives(np.array([0.5, 0.25]))

    assert np.flatnonzero(cells.any(axis=0)).tolist() == list(range(23, 42))
    assert np.flatnonzero(cells.any(axis=1)).tolist() == list(range(7, 26))
    assert cells.sum() == 19 * 19


def test_positives_stop_at_the_borders_and_leave_out_the_last_row_and_column() -> None:
    low, high = positives(np.array([0.0, 0.0])), positives(np.array([1.0, 1.0]))

    assert np.flatnonzero(low.any(axis=0)).tolist() == list(range(10))
    assert np.flatnonzero(high.any(axis=0)).tolist() == list(range(55, 63))


def test_positives_round_toward_zero() -> None:
    cells = positives(np.array([8.5 / 64, 0.5]))  # from -0.5, which is 0, to 18.5, which is 18

    assert np.flatnonzero(cells.any(axis=0)).tolist() == list(range(18))


def test_gaze_auc_of_one_hot_cell() -> None:
    inside, outside = gaze_auc(hill(32, 32), np.array([0.5, 0.5])), gaze_auc(hill(0, 0), np.array([0.5, 0.5]))

    # One of 361 positives wins over all negatives, the others tie with them; or one negative wins.
    assert inside == pytest.approx(0.5 + 0.5 / 361)
    assert outside == pytest.approx(0.5 - 0.5 / (4096 - 361))


def test_peak_is_the_upper_left_corner_of_the_first_highest_cell() -> None:
    heat = np.maximum(hill(16, 32), hill(40, 40))

    assert peak_distance(heat, np.array([16 / 64, 32 / 64])) == 0
    assert peak_distance(heat, np.array([19 / 64, 36 / 64])) == pytest.approx(5 / 64)


def test_centroid_lies_between_two_cells() -> None:
    heat = np.maximum(hill(10, 20), hill(20, 20))

    assert centroid_distance(heat, np.array([15.5 / 64, 20.5 / 64])) == pytest.approx(0, abs=1e-9)
    assert centroid_distance(np.zeros((64, 64)), np.array([0.5, 0.0])) == pytest.approx(0.5)


def test_maps_of_other_sizes_are_stretched() -> None:
    heat = np.zeros((32, 16), np.float32)
    heat[16:, :] = 1

    cells = to_cells(heat)

    assert cells.shape == (64, 64)
    assert (cells[:31] == 0).all() and (cells[33:] == 1).all()
    assert math.isclose(float(cells[31, 0]), 0.25) and math.isclose(float(cells[32, 0]), 0.75)
    assert to_cells(cells) is cells
