import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.boxes import iou
from nodes.ops.doubles import best_of_classes, best_of_many

UNIT = np.array([[0.0, 0.0, 1.0, 1.0]])


def best(boxes: np.ndarray, scores: list[float], max_iou: float) -> list[int]:
    return best_of_classes(np.zeros(len(boxes), np.int64), boxes, np.array(scores), max_iou).tolist()


def test_doubles_go_and_the_better_stays() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 0, 3, 1], [0, 0, 1, 1.1]])

    assert best(boxes, [0.5, 0.9, 0.7, 0.5], 0.5) == [1, 2]


def test_a_box_is_doubled_only_by_one_that_is_kept() -> None:
    row = np.array([[0, 0, 1, 1], [0.4, 0, 1.4, 1], [0.8, 0, 1.8, 1]])

    assert best(row, [0.9, 0.8, 0.7], 0.3) == [0, 2]


def test_of_equal_scores_the_earlier_box_stays() -> None:
    assert best(np.repeat(UNIT, 3, axis=0), [0.5, 0.5, 0.5], 0.5) == [0]


def test_no_boxes_have_no_doubles() -> None:
    assert best(np.empty((0, 4)), [], 0.5) == []


def test_boxes_of_two_classes_are_never_doubles_and_each_class_has_its_own_overlap() -> None:
    label = np.array([1, 0, 1, 0])
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0.75], [0, 0, 1, 0.6]])

    found = best_of_classes(label, boxes, np.array([0.9, 0.3, 0.8, 0.7]), np.array([0.7, 0.7]))

    assert found.tolist() == [3, 1, 0]


@given(st.data(), st.integers(0, 12), st.sampled_from([0.0, 0.3, 0.7]))
def test_each_class_is_what_going_through_it_by_itself_gives(data: st.DataObject, count: int, max_iou: float) -> None:
    grid = st.integers(0, 8).map(lambda n: n / 8)
    low = data.draw(arrays(np.float64, (count, 2), elements=grid))
    boxes = np.concatenate([low, low + 1 / 8 + data.draw(arrays(np.float64, (count, 2), elements=grid))], axis=1)
    scores = data.draw(arrays(np.float64, count, elements=grid))
    label = data.draw(arrays(np.int64, count, elements=st.integers(0, 2)))
    expected: list[int] = []
    for one in range(3):
        kept: list[int] = []
        for row in sorted(np.flatnonzero(label == one).tolist(), key=lambda row: -scores[row]):
            if not kept or iou(boxes[[row]], boxes[kept]).max() <= max_iou:
                kept.append(row)
        expected += kept

    assert best_of_classes(label, boxes, scores, max_iou).tolist() == expected


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 63, 64, 65, 200]), st.sampled_from([0.0, 0.3, 0.7]))
def test_many_boxes_give_what_all_pairs_give(seed: int, count: int, max_iou: float) -> None:
    rng = np.random.default_rng(seed)
    low = rng.random((count, 2))
    boxes = np.concatenate([low, low + 0.2 * rng.random((count, 2))], axis=1)
    scores = rng.integers(0, 20, count) / 20

    found = best_of_many(boxes, scores, max_iou, 150)

    best = np.argsort(-scores, kind="stable")[:150]
    expected = best[best_of_classes(np.zeros(len(best), np.int64), boxes[best], scores[best], max_iou)]
    assert found.tolist() == expected.tolist()
