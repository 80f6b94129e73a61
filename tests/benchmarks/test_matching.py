"""What was found is paired with what is there one to one, the best score first."""

import numpy as np

from benchmarks.matching import Count, fit_by_iou, fit_loosely, on_ignored, pair


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_the_better_score_takes_what_fits_it_best() -> None:
    fit = np.array([[0.9, 0.6], [0.8, 0.7], [0.0, 0.0]])

    assert pair(np.array([0.5, 0.9, 0.7]), fit).tolist() == [1, 0, -1]


def test_a_second_find_of_one_thing_is_paired_with_nothing() -> None:
    assert pair(np.array([0.5, 0.9]), np.array([[0.9], [0.6]])).tolist() == [-1, 0]


def test_nothing_found_and_nothing_there() -> None:
    assert pair(np.array([]), np.empty((0, 3))).tolist() == []
    assert pair(np.array([0.5]), np.empty((1, 0))).tolist() == [-1]


def test_iou_fits_from_one_half() -> None:
    truth = boxes([0.0, 0.0, 0.25, 0.5])

    fit = fit_by_iou(boxes([0.0, 0.0, 0.25, 0.25], [0.0, 0.0, 0.25, 0.125]), truth)

    assert fit.tolist() == [[0.5], [0.0]]


def test_a_box_fits_loosely_by_its_centre_and_area_or_by_overlap() -> None:
    truth = boxes([0.25, 0.25, 0.75, 0.75])
    face = [0.375, 0.375, 0.625, 0.625]  # a quarter of the area
    dot = [0.4, 0.4, 0.5, 0.5]  # a twenty-fifth of it
    person = [0.0, 0.0, 1.0, 1.0]  # four times the area, IoU 0.25
    beside = [0.51, 0.25, 1.01, 0.75]  # centre outside, IoU 0.32
    large = [0.2, 0.2, 0.99, 0.8]  # IoU above 0.4

    fit = fit_loosely(boxes(face, dot, person, beside, large), truth)

    assert (fit[:, 0] > 0).tolist() == [True, False, False, False, True]


def test_boxes_of_what_counts_neither_way_are_excused() -> None:
    ignored = boxes([0.0, 0.0, 0.5, 0.5])

    excused = on_ignored(boxes([0.0, 0.0, 0.5, 0.4], [0.1, 0.1, 0.2, 0.2], [0.45, 0.45, 0.6, 0.6]), ignored)

    assert excused.tolist() == [True, True, False]
    assert on_ignored(boxes([0, 0, 1, 1]), boxes()).tolist() == [False]


def test_counts_become_recall_and_precision() -> None:
    count = Count()
    count.add(np.array([0, -1, -1]), wanted=4, excused=np.array([False, True, False]))
    count.add(np.array([2, 1]), wanted=4, excused=np.array([False, False]))

    assert (count.wanted, count.right, count.wrong) == (8, 3, 1)
    assert (count.recall, count.precision) == (0.375, 0.75)
    assert (Count().recall, Count().precision) == (None, None)
