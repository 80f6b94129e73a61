"""How far the things that two detectors find lie apart."""

import numpy as np
import pytest

from nodes.surgery.detector_trial import Outputs, found_apart, largest_gap, released_inputs
from pipeline.card_fields import Picture


def decode(outputs: Outputs, picture: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = outputs["rows"][picture]
    return rows[:, 0], rows[:, 1:5], rows[:, 5]


def told(*rows: list[float]) -> list[Outputs]:
    return [{"rows": np.array([rows], np.float32).reshape(1, -1, 6)}]


HEAD = [7, 0.0, 0.0, 0.2, 0.2, 0.9]


def test_the_same_is_nowhere_apart() -> None:
    assert found_apart(told(HEAD), told(HEAD), decode) == {
        "found": 1.0, "lost": 0.0, "iou_min": 1.0, "iou_mean": 1.0, "score_max": 0.0,
    }  # fmt: skip


def test_boxes_and_scores_are_compared_with_the_best_of_the_same_label() -> None:
    """Shifted by a tenth of its width: overlap 0.9 / 1.1."""
    moved = [7, 0.02, 0.0, 0.22, 0.2, 0.8]
    of_another_label = [0, 0.0, 0.0, 0.2, 0.2, 0.9]

    figures = found_apart(told(HEAD), told(of_another_label, moved), decode)

    assert figures["iou_min"] == pytest.approx(0.9 / 1.1)
    assert figures["score_max"] == pytest.approx(0.1)


def test_what_is_not_found_again_is_lost() -> None:
    far = [7, 0.5, 0.5, 0.7, 0.7, 0.9]

    assert found_apart(told(HEAD, far), told(far), decode)["lost"] == 0.5
    assert found_apart(told(HEAD), told(), decode)["lost"] == 1.0


def test_doubtful_things_are_not_looked_for() -> None:
    doubtful = [7, 0.5, 0.5, 0.7, 0.7, 0.3]

    assert found_apart(told(HEAD, doubtful), told(HEAD), decode)["found"] == 1.0
    assert found_apart(told(), told(HEAD), decode) == {
        "found": 0.0, "lost": 0.0, "iou_min": 1.0, "iou_mean": 1.0, "score_max": 0.0,
    }  # fmt: skip


def test_gaps_are_shares_of_large_values() -> None:
    one, other = [{"y": np.array([200.0, 0.5])}], [{"y": np.array([202.0, 0.499])}]

    assert largest_gap(one, other) == pytest.approx(0.01)
    assert largest_gap(one, [{"y": np.array([200.0])}]) == np.inf


def test_inputs_of_released_files_are_made_as_the_card_says() -> None:
    pixels = np.array([[[[10, 20, 30]]]], np.uint8)

    made = released_inputs("x", pixels, Picture(colour="rgb", mean=(10, 10, 10), std=(2, 5, 10)))

    np.testing.assert_array_equal(made["x"][0, :, 0, 0], [10, 2, 0])
