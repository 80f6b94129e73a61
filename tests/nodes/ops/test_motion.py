import numpy as np
import pytest

from nodes.ops import kalman
from nodes.ops.boxes import to_anchored
from nodes.ops.motion import BODY, HEAD, Motion, Pace, heights

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


def test_a_wrong_box_moves_them_little_and_a_moving_one_soon() -> None:
    """Detected boxes are off by some per cent of their size, so a person at rest is held."""
    motion = begun()
    for _ in range(30):
        motion = motion.predict(0.02, PACE).update(to_anchored(PERSON), BOTH, PACE)

    shaken = motion.predict(0.02, PACE).update(to_anchored(moved(0.02)), BOTH, PACE)

    assert 0 < shaken.boxes()[0, BODY, 0] - PERSON[0, BODY, 0] < 0.012
    for step in range(2, 31):
        shaken = shaken.predict(0.02, PACE).update(to_anchored(moved(0.01 * step)), BOTH, PACE)
    assert shaken.boxes()[0, BODY] == pytest.approx(moved(0.3)[0, BODY], abs=0.01)


def test_a_walker_out_of_sight_goes_on_and_comes_to_rest() -> None:
    motion = begun()
    for step in range(1, 21):
        motion = motion.predict(0.1, PACE).update(to_anchored(moved(0.03 * step)), BOTH, PACE)
    speed = motion.mean[kalman.VELOCITY, 0, BODY, 0]

    on, gone = (motion.predict(seconds, PACE).boxes()[0, BODY, 0] - motion.boxes()[0, BODY, 0] for seconds in (0.2, 20))

    assert 0.2 < speed < 0.31
    assert on == pytest.approx(0.2 * speed, rel=0.12)
    assert gone == pytest.approx(PACE.persistence_s * speed, rel=1e-6)


def test_sizes_stop_changing_sooner_than_walkers_do() -> None:
    motion = begun()
    for step in range(1, 21):
        wider = PERSON + step * np.array([0.01, 0.01, 0.03, 0.04])
        motion = motion.predict(0.1, PACE).update(to_anchored(wider), BOTH, PACE)

    after = motion.predict(0.5, PACE)

    place_and_width = np.array([0, 2])
    kept = (after.mean / motion.mean)[kalman.VELOCITY, 0, BODY, place_and_width]
    assert kept == pytest.approx(np.exp([-0.5 / 1.0, -0.5 / 0.5]))


def test_uncertainty_goes_by_the_size_of_people() -> None:
    small = Motion.begin(to_anchored(PERSON / 4), BOTH, PACE)

    for seconds in (0.0, 0.3):
        assert small.predict(seconds, PACE).spread() * 4 == pytest.approx(begun().predict(seconds, PACE).spread())


def test_everybody_is_shifted() -> None:
    motion = begun()

    shifted = motion.shifted(np.array([0.1, -0.05]))

    assert shifted.boxes() == pytest.approx(moved(0.1, -0.05))
    assert np.array_equal(shifted.mean[kalman.VELOCITY], motion.mean[kalman.VELOCITY])
    assert motion.boxes() == pytest.approx(PERSON)


def test_a_camera_that_turns_and_zooms_takes_people_along() -> None:
    """Turned upright by a quarter and twice as near: what was to the right is below."""
    motion = begun().predict(0.0, PACE)
    motion.mean[kalman.VELOCITY, ..., :2] = [0.2, 0.1]

    seen = motion.seen_from(np.array([[0.0, -2.0, 0.7], [2.0, 0.0, -0.3]]))

    assert seen.mean[kalman.POSITION, 0, BODY] == pytest.approx([-2 * 0.2 + 0.7, 2 * 0.5 - 0.3, 0.4, 1.4])
    assert seen.mean[kalman.VELOCITY, 0, BODY, :2] == pytest.approx([-0.2, 0.4])
    assert seen.spread() == pytest.approx(2 * motion.spread())


def test_heights_go_by_bodies_and_by_heads_where_there_are_none() -> None:
    assert heights(to_anchored(PERSON)) == pytest.approx([0.7])
    assert heights(begun(HEAD_ONLY).anchored()) == pytest.approx([0.6])


def test_some_are_taken_and_more_join() -> None:
    two = begun().join(Motion.begin(to_anchored(moved(0.2)), HEAD_ONLY, PACE))

    assert two.known.tolist() == [[True, True], [True, False]]
    assert two.boxes()[:, HEAD] == pytest.approx(np.stack([PERSON[0, HEAD], moved(0.2)[0, HEAD]]))
    assert two.take(np.array([1, 0])).known.tolist() == [[True, False], [True, True]]
    assert len(two.take(np.array([True, False]))) == 1


def test_nobody_moves_nowhere() -> None:
    nobody = begun().take(np.zeros(1, np.bool_)).predict(0.1, PACE)

    assert len(nobody.update(np.empty((0, 2, 4)), np.empty((0, 2), np.bool_), PACE)) == 0
