from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.assignment import assign
from nodes.ops.attribute_rows import joined
from nodes.ops.boxes import iou
from nodes.ops.detected import Rows
from nodes.ops.wholebody import ATTRIBUTES, BODY, FACE, HAND, HEAD, NAMES

ANNA, BERT = [0.2, 0.1, 0.4, 0.9], [0.3, 0.1, 0.5, 0.9]
ANNAS_HEAD, ANNAS_HAND = [0.27, 0.1, 0.33, 0.2], [0.2, 0.5, 0.23, 0.55]
MALE, FEMALE, CHILD, FRONT, LEFT = (NAMES.index(name) for name in ("male", "female", "child", "front", "hand_left"))


def rows(*each: tuple[int, list[float], float]) -> Rows:
    label, box, score = zip(*each, strict=True) if each else ((), np.empty((0, 4)), ())
    return Rows(np.array(label, np.int64), np.array(box, np.float32), np.array(score, np.float32))


def said(owners: Rows, attributes: Rows, min_iou: float = 0.7) -> list[dict[str, Any]]:
    """Return what is said of each owner, by name, to two digits."""
    scores = joined(owners, attributes, min_iou)
    return [{name: round(float(s), 2) for name, s in zip(ATTRIBUTES, row, strict=True) if s} for row in scores]


def test_rows_join_the_thing_whose_box_they_repeat() -> None:
    owners = rows((BODY, ANNA, 0.9), (BODY, BERT, 0.8), (HEAD, ANNAS_HEAD, 0.9), (HAND, ANNAS_HAND, 0.7))

    found = said(
        owners,
        rows(
            (MALE, BERT, 0.8),
            (FEMALE, ANNA, 0.7),
            (CHILD, ANNA, 0.6),
            (FRONT, ANNAS_HEAD, 0.5),
            (LEFT, ANNAS_HAND, 0.4),
        ),
    )

    assert found == [{"child": 0.6, "female": 0.7}, {"male": 0.8}, {"front": 0.5}, {"hand_left": 0.4}]


@pytest.mark.parametrize("size", [1.0, 0.01], ids=["near", "far"])
def test_what_is_near_enough_goes_by_the_size_of_the_thing(size: float) -> None:
    """Ten pixels were the same for heads of all sizes, and for pictures of all sizes."""
    head, shifted = np.multiply(size, [[0.0, 0.0, 0.1, 0.1], [0.01, 0.0, 0.11, 0.1]]).tolist()
    apart = np.multiply(size, [0.03, 0.0, 0.13, 0.1]).tolist()

    assert said(rows((HEAD, head, 0.9)), rows((FRONT, shifted, 0.5))) == [{"front": 0.5}]
    assert said(rows((HEAD, head, 0.9)), rows((FRONT, apart, 0.5))) == [{}]


def test_a_row_is_said_of_one_thing_and_each_thing_has_one_row_of_a_kind() -> None:
    """Both rows lie best on the first body; one of them is the other's."""
    first, second = [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.9, 1.0]
    between = [0.0, 0.0, 0.96, 1.0]

    found = said(rows((BODY, first, 0.9), (BODY, second, 0.8)), rows((MALE, first, 0.6), (MALE, between, 0.5)))

    assert found == [{"male": 0.6}, {"male": 0.5}]


def test_of_rows_with_the_same_box_the_surer_counts() -> None:
    assert said(rows((BODY, ANNA, 0.9)), rows((MALE, ANNA, 0.4), (MALE, ANNA, 0.6), (MALE, ANNA, 0.5))) == [
        {"male": 0.6}
    ]


@pytest.mark.parametrize("size", [1.0, 0.001], ids=["near", "far"])
def test_of_overlaps_as_good_as_the_same_the_nearer_centre_counts(size: float) -> None:
    row, aside, inside = np.multiply(size, [[0, 0, 1, 1], [0, 0, 0.8, 1], [0.1, 0, 0.9, 1]]).tolist()

    assert said(rows((BODY, aside, 0.9), (BODY, inside, 0.8)), rows((MALE, row, 0.5))) == [{}, {"male": 0.5}]


def test_how_near_a_centre_is_goes_by_the_size_of_the_thing() -> None:
    """An eighth of the width of the row from the larger thing, a tenth from the smaller one: a tenth and an eighth."""
    row, larger, smaller = [0.0, 0.0, 0.5, 0.25], [0.0, 0.0, 0.625, 0.25], [0.1, 0.0, 0.5, 0.25]

    assert said(rows((HEAD, smaller, 0.9), (HEAD, larger, 0.8)), rows((FRONT, row, 0.5))) == [{}, {"front": 0.5}]


def test_rows_are_said_of_their_own_kind_of_thing_only() -> None:
    assert said(rows((HEAD, ANNA, 0.9), (FACE, ANNA, 0.8)), rows((MALE, ANNA, 0.5), (LEFT, ANNA, 0.5))) == [{}, {}]


def test_nothing_is_said_where_there_are_no_rows_or_no_things() -> None:
    assert said(rows((BODY, ANNA, 0.9)), rows()) == [{}]
    assert joined(rows(), rows((MALE, ANNA, 0.9)), 0.7).shape == (0, 14)


@given(st.integers(0, 2**32 - 1))
def test_the_short_cut_gives_what_the_best_pairing_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.random((5, 2)) * 0.3
    boxes = np.concatenate([low, low + 0.3], axis=1).astype(np.float32)
    owners = Rows(np.full(5, BODY), boxes, np.ones(5, np.float32))
    picked = rng.integers(5, size=4)
    attributes = Rows(np.full(4, MALE), boxes[picked], rng.random(4).astype(np.float32))

    scores = joined(owners, attributes, 0.5)[:, ATTRIBUTES.index("male")]

    overlap = iou(boxes, attributes.box)
    owner, row = assign(np.where(overlap >= 0.5, overlap, 0))
    assert (scores > 0).sum() == len(owner)
    told = {(k, int(np.flatnonzero(attributes.score == s)[0])) for k, s in enumerate(scores) if s}
    assert sum(overlap[pair] for pair in told) == pytest.approx(overlap[owner, row].sum(), abs=1e-6)
