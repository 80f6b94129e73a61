"""Scores of gaze maps, by hand and by the definition of a rank."""

import math

import numpy as np
import pytest

from benchmarks.gaze_scores import (
    area_under_roc,
    average_precision,
    centroid_distance,
    gaze_auc,
    pair_won,
    peak_distance,
    positives,
    rival_spot,
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


@pytest.mark.parametrize("target", [(0.5, 0.5), (0.0, 0.0), (0.99, 0.5), (0.3, 0.99)])
def test_a_rival_is_0_15_frame_widths_away_and_whole_within_the_frame(target: tuple[float, float]) -> None:
    for seed in range(20):
        rival = rival_spot(np.array(target), (480, 288), np.random.default_rng(seed))

        away_px = (rival - target) * [480, 288]
        assert np.hypot(*away_px) == pytest.approx(0.15 * 480)
        assert (rival * [480, 288] >= 24).all() and ((1 - rival) * [480, 288] >= 24).all()
        assert rival_spot(np.array(target), (480, 288), np.random.default_rng(seed)) == pytest.approx(rival)


def test_rivals_lie_on_all_sides() -> None:
    middle = np.array([0.5, 0.5])
    away = np.stack([rival_spot(middle, (480, 288), np.random.default_rng(seed)) for seed in range(80)]) - middle

    assert (np.abs(away.mean(axis=0)) < 0.05).all()
    assert ((away > 0).mean(axis=0) > 0.3).all()


def test_a_frame_without_room_for_two_areas_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^rival_spot: expected room for a second area, got target array\("):
        rival_spot(np.array([0.5, 0.5]), (480, 20), np.random.default_rng(0))


def test_a_pair_is_won_by_the_area_that_holds_more() -> None:
    target, rival = np.array([0.25, 0.5]), np.array([0.40, 0.5])

    # Cell 16 has its middle at 0.258, cell 25 at 0.398.
    assert pair_won(hill(16, 32), target, rival, (480, 288))
    assert not pair_won(hill(25, 32), target, rival, (480, 288))
    assert pair_won(hill(16, 32) + 0.9 * hill(25, 32), target, rival, (480, 288))
    assert not pair_won(0.9 * hill(16, 32) + hill(25, 32), target, rival, (480, 288))
    assert not pair_won(np.ones((64, 64)), target, target, (480, 288)), "a tie is lost"
    assert not pair_won(np.zeros((64, 64)), target, rival, (480, 288))


def test_areas_are_round_in_pixels() -> None:
    target, rival = np.array([0.5, 0.5]), np.array([0.5, 0.75])

    # 0.05 of 480 px are 24 px: row 37 has its middle 24.75 px below the target, row 36 20.25 px.
    assert pair_won(hill(32, 36), target, rival, (480, 288))
    assert not pair_won(hill(32, 37), target, rival, (480, 288))
    # Column 35 has its middle 0.0547 to the right, column 34 0.039.
    assert pair_won(hill(34, 32), target, rival, (480, 288))
    assert not pair_won(hill(35, 32), target, rival, (480, 288))
