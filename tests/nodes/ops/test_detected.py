import numpy as np
import pytest

from nodes.ops.detected import MOST_CANDIDATES, Limits, Rows, kept, together, without_doubles
from nodes.ops.wholebody import BODY, HEAD

BOX = [0.1, 0.1, 0.3, 0.5]


def limits(**of_body: float) -> Limits:
    """Return limits that let in bodies and heads from 0.5 and nothing else."""
    made = Limits.closed(0.7)
    made.min_score[[BODY, HEAD]] = 0.5
    for name, value in of_body.items():
        getattr(made, name)[BODY] = value
    return made


def rows(*each: tuple[int, list[float], float]) -> Rows:
    label, box, score = zip(*each, strict=True)
    return Rows(np.array(label), np.array(box, np.float32), np.array(score, np.float32))


def test_rows_are_ordered_by_label_and_score() -> None:
    found = rows((HEAD, BOX, 0.9), (BODY, BOX, 0.6), (BODY, [0.5, 0.1, 0.7, 0.5], 0.8))

    assert kept(found, limits()).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("row", "of_body"),
    [
        ((BODY, BOX, 0.49), {}),
        ((BODY, BOX, 0.9), {"min_score": 0.91}),
        ((BODY, BOX, 0.9), {"min_height": 0.41}),
        ((BODY, [0.3, 0.1, 0.3, 0.5], 0.9), {}),
        ((BODY, [0.1, 0.5, 0.3, 0.1], 0.9), {}),
        ((16, BOX, 0.9), {}),
    ],
    ids=["weak", "weak for its label", "low", "no width", "inside out", "nobody asks for it"],
)
def test_rows_that_do_not_count_go(row: tuple[int, list[float], float], of_body: dict[str, float]) -> None:
    assert kept(rows(row), limits(**of_body)).tolist() == []


def test_a_row_counts_from_its_limits_on() -> None:
    assert kept(rows((BODY, BOX, 0.35)), limits(min_score=0.35, min_height=0.4)).tolist() == [0]


def test_doubles_go_by_the_overlap_of_their_label() -> None:
    lower = [0.1, 0.1, 0.3, 0.4]
    found = rows((BODY, BOX, 0.9), (BODY, lower, 0.8), (HEAD, BOX, 0.9), (HEAD, lower, 0.8))

    assert kept(found, limits(max_iou=0.7)).tolist() == [0, 2, 3]


def test_of_very_many_boxes_the_best_are_looked_through() -> None:
    count = MOST_CANDIDATES + 3
    left = np.arange(count, dtype=np.float32)
    boxes = np.stack([left, left, left + 0.5, left + 0.5], axis=1)

    found = without_doubles(HEAD, boxes, np.linspace(0.1, 1, count).astype(np.float32), 0.4)

    assert found.box[:, 0].tolist() == list(range(count - 1, 2, -1))


def test_what_is_not_finite_or_has_no_score_is_nothing() -> None:
    boxes = np.array([BOX, [np.nan, 0, 1, 1], [0, 0, np.inf, 1], [0.5, 0.5, 0.6, 0.6]], np.float32)

    found = without_doubles(HEAD, boxes, np.array([0.6, 0.9, 0.9, 0.0], np.float32), 0.4)

    assert (found.label.tolist(), found.score.tolist()) == ([HEAD], [np.float32(0.6)])


def test_rows_of_parts_follow_each_other() -> None:
    one, other = rows((BODY, BOX, 0.5)), rows((HEAD, BOX, 0.25), (BODY, BOX, 0.75))

    assert together([one, other]).score.tolist() == [0.5, 0.25, 0.75]
