import numpy as np
import pytest

from nodes.ops.likeness import likeness

HEAD_BOX, BODY_BOX = [0.47, 0.2, 0.53, 0.3], [0.4, 0.2, 0.6, 0.9]
NONE = [np.nan] * 4
SURE = np.zeros((1, 2, 2))


def person(head: list[float], body: list[float]) -> np.ndarray:
    return np.array([[head, body]])


def aside(box: list[float], x: float) -> list[float]:
    return [box[0] + x, box[1], box[2] + x, box[3]]


def test_the_same_place_is_wholly_alike() -> None:
    whole = person(HEAD_BOX, BODY_BOX)

    assert likeness(whole, SURE, whole) == pytest.approx(np.ones((1, 1)))


def test_the_parts_that_both_have_are_averaged() -> None:
    found = person(HEAD_BOX, aside(BODY_BOX, 0.1))

    assert likeness(person(HEAD_BOX, BODY_BOX), SURE, found)[0, 0] == pytest.approx(0.4 * 1 + 0.6 / 3)
    assert likeness(person(NONE, BODY_BOX), SURE, found)[0, 0] == pytest.approx(1 / 3)
    assert likeness(person(HEAD_BOX, NONE), SURE, found)[0, 0] == pytest.approx(1)


def test_heads_that_just_miss_each_other_are_somewhat_alike() -> None:
    found = person(aside(HEAD_BOX, 0.06), NONE)

    # Both grow from 0.06 x 0.1 to 0.09 x 0.15 and share 0.03 x 0.15.
    assert likeness(person(HEAD_BOX, NONE), SURE, found)[0, 0] == pytest.approx(1 / 5)


def test_the_less_certain_the_wider_the_place() -> None:
    found = person(NONE, aside(BODY_BOX, 0.25))
    spread = np.full((1, 2, 2), 0.1)

    assert likeness(person(NONE, BODY_BOX), SURE, found)[0, 0] == 0
    # Both grow from 0.2 x 0.7 to 0.4 x 0.9 and share 0.15 x 0.9.
    expected = 0.15 / 0.65 * (0.2 * 0.7 / (0.4 * 0.9)) ** 0.25
    assert likeness(person(NONE, BODY_BOX), spread, found)[0, 0] == pytest.approx(expected)


def test_a_head_and_a_body_are_alike_if_the_one_fits_the_other() -> None:
    head, body = person(HEAD_BOX, NONE), person(NONE, BODY_BOX)

    assert likeness(head, SURE, body)[0, 0] == pytest.approx(0.7)
    assert likeness(body, SURE, head)[0, 0] == pytest.approx(0.7)
    assert likeness(person(aside(HEAD_BOX, 0.5), NONE), SURE, body)[0, 0] == 0


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (0, 2), (3, 0)])
def test_nobody_is_like_nobody(ours: int, theirs: int) -> None:
    got = likeness(np.ones((ours, 2, 4)), np.ones((ours, 2, 2)), np.ones((theirs, 2, 4)))

    assert got.shape == (ours, theirs)
