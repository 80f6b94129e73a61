import numpy as np
import pytest

from nodes.ops.likeness import likeness, resemblance

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


def test_others_of_the_same_height_are_more_alike() -> None:
    """Half as high or half as wide, in the same place: the overlap is the same."""
    low, narrow = [0.4, 0.2, 0.6, 0.55], [0.45, 0.2, 0.55, 0.9]
    expected = person(NONE, BODY_BOX)

    assert likeness(expected, SURE, person(NONE, low))[0, 0] == pytest.approx(0.5 * 0.5)
    assert likeness(expected, SURE, person(NONE, narrow))[0, 0] == pytest.approx(0.5)


def test_how_many_others_there_are_does_not_matter() -> None:
    """Among bodies alone, among whole people and beside somebody who shows a head alone."""
    ours = np.concatenate([person(NONE, BODY_BOX), person(HEAD_BOX, BODY_BOX)])
    theirs = np.concatenate(
        [person(NONE, aside(BODY_BOX, 0.05)), person(aside(HEAD_BOX, 0.02), BODY_BOX), person(HEAD_BOX, NONE)]
    )
    spread = np.array([[[0.02, 0.03], [0.04, 0.01]], [[0.01, 0.01], [0.05, 0.02]]])

    together = likeness(ours, spread, theirs)

    for k in range(2):
        for j in range(3):
            alone = likeness(ours[k : k + 1], spread[k : k + 1], theirs[j : j + 1])
            assert together[k, j] == pytest.approx(alone[0, 0], abs=1e-12)


def test_a_part_that_is_not_known_says_nothing() -> None:
    """Its spread is not known either."""
    spread = np.array([[[np.nan, np.nan], [0.1, 0.1]]])

    sure = likeness(person(NONE, BODY_BOX), spread, person(HEAD_BOX, BODY_BOX))

    assert sure[0, 0] == pytest.approx((0.2 * 0.7 / (0.4 * 0.9)) ** 0.25)


def test_looks_resemble_each_other_by_the_cosine() -> None:
    ours = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 0.0]])
    theirs = np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])

    got = resemblance(ours, theirs)

    nan = np.nan
    assert got == pytest.approx(np.array([[1, nan, -1], [0.6, nan, -0.6], [nan, nan, nan]]), nan_ok=True)


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (0, 2), (3, 0)])
def test_nobody_is_like_nobody(ours: int, theirs: int) -> None:
    got = likeness(np.ones((ours, 2, 4)), np.ones((ours, 2, 2)), np.ones((theirs, 2, 4)))

    assert got.shape == (ours, theirs)
