import numpy as np
import pytest

from nodes.ops.boxes import to_anchored
from nodes.ops.motion import BODY, HEAD, Motion, Pace

PACE = Pace(speed=0.5, persistence_s=1.0)
PERSON = np.array([[[0.47, 0.2, 0.53, 0.3], [0.4, 0.2, 0.6, 0.9]]])
BOTH = np.array([[True, True]])
HEAD_ONLY = np.array([[True, False]])
BODY_ONLY = np.array([[False, True]])


def begun(seen: np.ndarray = BOTH) -> Motion:
    return Motion.begin(to_anchored(PERSON), seen, PACE)


def moved(x: float, y: float = 0.0) -> np.ndarray:
    return PERSON + np.array([x, y, x, y])


def test_people_begin_where_they_are_seen() -> None:
    assert begun().boxes() == pytest.approx(PERSON)


def test_a_part_never_seen_is_unknown() -> None:
    motion = begun(HEAD_ONLY).predict(0.1, PACE)

    assert motion.known.tolist() == [[True, False]]
    assert np.isnan(motion.boxes()[0, BODY]).all()
    assert motion.boxes()[0, HEAD] == pytest.approx(PERSON[0, HEAD])


def test_a_part_seen_later_begins_there() -> None:
    motion = begun(HEAD_ONLY).predict(0.1, PACE).update(to_anchored(PERSON), BODY_ONLY, PACE)

    assert motion.known.all()
    assert motion.boxes()[0, BODY] == pytest.approx(PERSON[0, BODY])


@pytest.mark.parametrize(("part", "other", "seen"), [(HEAD, BODY, BODY_ONLY), (BODY, HEAD, HEAD_ONLY)])
def test_an_unseen_part_goes_along_with_the_seen_one(part: int, other: int, seen: np.ndarray) -> None:
    motion = begun()

    for step in range(1, 11):
        motion = motion.predict(0.1, PACE).update(to_anchored(moved(0.03 * step, 0.01 * step)), seen, PACE)

    carried = motion.boxes()[0, part] - PERSON[0, part]
    assert motion.boxes()[0, other] == pytest.approx(moved(0.3, 0.1)[0, other], abs=0.01)
    assert carried[:2] == pytest.approx([0.3, 0.1], abs=0.02)


def test_who_is_not_seen_stays_as_predicted() -> None:
    motion = begun().predict(0.1, PACE)

    unseen = motion.update(np.full((1, 2, 4), np.nan), np.zeros((1, 2), np.bool_), PACE)

    assert np.array_equal(unseen.mean, motion.mean)
    assert np.array_equal(unseen.cov, motion.cov)


def test_what_is_hidden_from_below_does_not_move_the_rest() -> None:
    hidden = PERSON.copy()
    hidden[0, BODY, 3] = 0.5
    motion = begun()

    for _ in range(10):
        motion = motion.predict(0.1, PACE).update(to_anchored(hidden), BODY_ONLY, PACE)

    assert motion.boxes()[0, BODY, 3] == pytest.approx(0.5, abs=0.02)
    assert motion.boxes()[0, HEAD] == pytest.approx(PERSON[0, HEAD], abs=1e-3)


def test_the_longer_out_of_sight_the_wider_the_place() -> None:
    spreads = [begun().predict(dt_s, PACE).spread()[0, BODY, 0] for dt_s in (0.0, 0.1, 0.5, 2.0)]

    assert spreads == sorted(spreads)
    assert spreads[-1] > 3 * spreads[0]


def test_a_part_can_be_forgotten() -> None:
    motion = begun().without(BODY_ONLY)

    assert motion.known.tolist() == [[True, False]]
    assert np.isnan(motion.boxes()[0, BODY]).all()


def test_nobody_moves_nowhere() -> None:
    nobody = begun().take(np.zeros(1, np.bool_)).predict(0.1, PACE)

    assert len(nobody.update(np.empty((0, 2, 4)), np.empty((0, 2), np.bool_), PACE)) == 0
