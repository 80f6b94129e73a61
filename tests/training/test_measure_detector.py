"""Figures of the detector, by hand."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from training.measure_detector import Tally, iou, yaw_deg

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


def test_yaw_is_read_from_the_direction_rows_of_the_head() -> None:
    found = np.array([[7, *HEAD, 0.8], [9, *HEAD, 0.4], [10, *HEAD, 0.4], [12, 0, 0, 1, 1, 0.9]], np.float32)

    assert yaw_deg(found, HEAD) == pytest.approx(67.5)
    assert np.isnan(yaw_deg(found[:1], HEAD))


def test_iou_by_hand() -> None:
    assert iou(rows((0, 0, 2, 2)), rows((1, 0, 3, 2), (5, 5, 6, 6))).tolist() == [[pytest.approx(1 / 3), 0.0]]
