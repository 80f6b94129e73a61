"""Filters of single coordinates, beside the textbook's matrices and beside filterpy."""

from random import Random

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nodes.ops import kalman


def textbook_predict(
    x: np.ndarray, p: np.ndarray, dt_s: float, speed: float, persistence_s: float, drift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Predict with matrices, in many short steps of a process in which noise drives velocity and position apart."""
    steps = 20_000
    h = dt_s / steps
    f = np.array([[1, h], [0, 1 - h / persistence_s]])
    q = np.diag([drift**2, 2 * speed**2 / persistence_s]) * h
    for _ in range(steps):
        x, p = f @ x, f @ p @ f.T + q
    return x, p


def textbook_update(x: np.ndarray, p: np.ndarray, measured: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Update with matrices."""
    h = np.array([[1.0, 0.0]])
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + noise**2)
    return x + (gain @ (measured - h @ x)).ravel(), (np.eye(2) - gain @ h) @ p


def packed(p: np.ndarray) -> np.ndarray:
    """Return a covariance matrix as that of one coordinate (3, 1)."""
    return np.array([[p[0, 0]], [p[0, 1]], [p[1, 1]]])


X = np.array([0.3, -0.2])
MEAN = X[:, None]
P = np.array([[0.04, 0.01], [0.01, 0.09]])


@pytest.mark.parametrize("dt_s", [0.04, 0.5, 3.0])
@pytest.mark.parametrize("drift", [0.0, 0.1])
def test_predict_is_the_textbook_filter(dt_s: float, drift: float) -> None:
    mean, cov = kalman.predict(MEAN, packed(P), dt_s, np.array([0.5]), (1.3,), np.array([drift]))

    x, p = textbook_predict(X, P, dt_s, 0.5, 1.3, drift)
    assert mean[:, 0] == pytest.approx(x, rel=2e-3)
    assert cov == pytest.approx(packed(p), rel=2e-3)


def test_without_drift_positions_go_where_velocities_take_them() -> None:
    still = kalman.predict(MEAN, np.zeros((3, 1)), 2.0, np.array([0.0]), (1.3,))
    drifting = kalman.predict(MEAN, np.zeros((3, 1)), 2.0, np.array([0.0]), (1.3,), np.array([0.3]))

    assert still[1].ravel().tolist() == [0, 0, 0]
    assert drifting[1].ravel() == pytest.approx([0.3**2 * 2, 0, 0])
    assert np.array_equal(still[0], drifting[0])


def test_update_is_the_textbook_filter() -> None:
    mean, cov = kalman.update(MEAN, packed(P), np.array([0.5]), np.array([0.1]))

    x, p = textbook_update(X, P, 0.5, 0.1)
    assert mean[:, 0] == pytest.approx(x)
    assert cov == pytest.approx(packed(p))


def test_what_is_not_measured_stays_as_it_is() -> None:
    mean, cov = np.repeat(MEAN, 2, axis=1), np.repeat(packed(P), 2, axis=1)
    measured, seen = np.array([0.5, np.nan]), np.array([True, False])

    after, left = kalman.update(mean, cov, measured, np.array([0.1, np.nan]), seen)

    assert np.array_equal(after[:, 1], mean[:, 1])
    assert np.array_equal(left[:, 1], cov[:, 1])
    assert after[0, 0] != mean[0, 0]


def test_nothing_given_is_written_to() -> None:
    arrays = [MEAN.copy(), packed(P), np.array([0.5]), np.array([0.1])]
    for array in arrays:
        array.flags.writeable = False

    kalman.predict(arrays[0], arrays[1], 0.5, arrays[2], (1.3,), arrays[3])
    kalman.update(*arrays)


@given(st.floats(0.001, 2), st.floats(0.001, 2), st.floats(0.05, 5))
def test_two_steps_are_one_long_step(first_s: float, second_s: float, persistence_s: float) -> None:
    how = np.array([0.7]), (persistence_s,), np.array([0.1])

    once = kalman.predict(MEAN, packed(P), first_s + second_s, *how)
    twice = kalman.predict(*kalman.predict(MEAN, packed(P), first_s, *how), second_s, *how)

    assert np.allclose(once[0], twice[0])
    assert np.allclose(once[1], twice[1], rtol=1e-6)


def test_no_time_changes_nothing() -> None:
    mean, cov = kalman.predict(MEAN, packed(P), 0.0, np.array([0.5]), (1.0,), np.array([0.2]))

    assert np.array_equal(mean, MEAN)
    assert np.array_equal(cov, packed(P))


def test_what_is_out_of_sight_comes_to_rest() -> None:
    mean, cov = kalman.predict(MEAN, packed(P), 100.0, np.array([0.5]), (2.0,))

    assert mean[:, 0] == pytest.approx([0.3 - 0.2 * 2.0, 0.0], abs=1e-9)
    assert cov[kalman.VV, 0] == pytest.approx(0.5**2)


def test_a_steady_walk_is_learned_and_foreseen() -> None:
    walk = 0.1 + 0.4 * np.arange(0, 2, 0.1)
    noise, speed = np.array([0.01]), np.array([0.8])
    mean, cov = kalman.begin(walk[:1], noise, speed)

    for place in walk[1:]:
        mean, cov = kalman.predict(mean, cov, 0.1, speed, (2.0,))
        mean, cov = kalman.update(mean, cov, np.array([place]), noise)

    assert mean[kalman.VELOCITY, 0] == pytest.approx(0.4, abs=0.03)
    foreseen, _ = kalman.predict(mean, cov, 0.1, speed, (2.0,))
    assert foreseen[kalman.POSITION, 0] == pytest.approx(walk[-1] + 0.04, abs=0.005)


def test_many_filters_are_each_for_themselves() -> None:
    rng = np.random.default_rng(0)
    mean, cov = rng.random((2, 3, 4)), np.stack([np.full((3, 4), value) for value in (0.2, 0.01, 0.3)])
    speed, noise, measured = rng.uniform(0.2, 1, (3, 4)), rng.uniform(0.05, 0.2, (3, 4)), rng.random((3, 4))
    persistence = (0.5, 1.0, 2.0, 4.0)

    foreseen = kalman.predict(mean, cov, 0.3, speed, persistence, noise)
    together = kalman.update(*foreseen, measured, noise)

    one = slice(1, 2), slice(2, 3)
    alone = kalman.predict(mean[:, *one], cov[:, *one], 0.3, speed[one], persistence[2:3], noise[one])
    assert np.array_equal(foreseen[0][:, *one], alone[0])
    assert np.array_equal(foreseen[1][:, *one], alone[1])
    alone = kalman.update(*alone, measured[one], noise[one])
    assert np.array_equal(together[0][:, *one], alone[0])
    assert np.array_equal(together[1][:, *one], alone[1])


@given(st.lists(st.tuples(st.floats(0.001, 1), st.floats(-1, 1)), min_size=1, max_size=20))
def test_variances_stay_positive(sights: list[tuple[float, float]]) -> None:
    noise, speed = np.array([0.02]), np.array([0.5])
    mean, cov = kalman.begin(np.array([0.0]), noise, speed)

    for dt_s, place in sights:
        mean, cov = kalman.predict(mean, cov, dt_s, speed, (1.0,))
        mean, cov = kalman.update(mean, cov, np.array([place]), noise)

        assert cov[kalman.PP] > 0
        assert cov[kalman.PP] * cov[kalman.VV] >= cov[kalman.PV] ** 2 * (1 - 1e-9)


def other_filter(position: float, noise: float, speed: float) -> KalmanFilter:
    """Return a filter of one coordinate after its first sight."""
    made = KalmanFilter(dim_x=2, dim_z=1)
    made.x, made.P = np.array([[position], [0.0]]), np.diag([noise**2, speed**2])
    made.H, made.R = np.array([[1.0, 0.0]]), np.array([[noise**2]])
    return made


def process_of(dt_s: float, speed: float, persistence_s: float, drift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return transition and noise of `dt_s` seconds by a matrix exponential (Van Loan, IEEE TAC 1978)."""
    course = np.array([[0, 1], [0, -1 / persistence_s]])
    noise = np.diag([drift**2, 2 * speed**2 / persistence_s])
    blocks = expm(np.block([[-course, noise], [np.zeros((2, 2)), course.T]]) * dt_s)
    transition = blocks[2:, 2:].T
    return transition, transition @ blocks[:2, 2:]


@pytest.mark.parametrize("dt_s", [1e-5, 9e-4, 1.1e-3, 0.1])
def test_short_steps_are_as_right_as_long_ones(dt_s: float) -> None:
    _, cov = kalman.predict(np.zeros((2, 1)), np.zeros((3, 1)), dt_s, np.array([0.5]), (1.0,))

    _, noise = process_of(dt_s, 0.5, 1.0, 0.0)
    assert cov == pytest.approx(packed(noise), rel=2e-3, abs=0)


COORDINATES = 3
sight = st.tuples(
    st.floats(0.001, 1.5),
    st.lists(st.floats(-1, 1), min_size=COORDINATES, max_size=COORDINATES),
    st.lists(st.booleans(), min_size=COORDINATES, max_size=COORDINATES),
)


@settings(max_examples=40)
@given(st.lists(sight, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_any_sights_and_gaps_give_what_filterpy_gives(
    sights: list[tuple[float, list[float], list[bool]]], random: Random
) -> None:
    """Ours filters all coordinates at once, theirs has a filter each; a coordinate that is not seen is a gap."""
    noise, speed, drift, persistence = (
        np.array([random.uniform(*between) for _ in range(COORDINATES)])
        for between in ((0.01, 0.3), (0.1, 1.0), (0.0, 0.3), (0.2, 4.0))
    )
    first = np.array([0.1, -0.4, 0.7])
    mean, cov = kalman.begin(first, noise, speed)
    others = [other_filter(first[k], noise[k], speed[k]) for k in range(COORDINATES)]

    for dt_s, places, seen in sights:
        mean, cov = kalman.predict(mean, cov, dt_s, speed, tuple(persistence.tolist()), drift)
        mean, cov = kalman.update(mean, cov, np.array(places), noise, np.array(seen))
        for k, other in enumerate(others):
            transition, process_noise = process_of(dt_s, speed[k], persistence[k], drift[k])
            other.predict(F=transition, Q=process_noise)
            other.update(np.array([[places[k]]]) if seen[k] else None)

    for k, other in enumerate(others):
        assert mean[:, k] == pytest.approx(other.x.ravel(), rel=1e-6, abs=1e-9)
        assert cov[:, k] == pytest.approx(packed(other.P).ravel(), rel=1e-6, abs=1e-9)
