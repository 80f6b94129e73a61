import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops import kalman


def textbook_predict(
    x: np.ndarray, p: np.ndarray, dt_s: float, speed: float, persistence_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Predict with matrices, in many short steps of a process whose noise drives the velocity alone."""
    steps = 20_000
    h = dt_s / steps
    f = np.array([[1, h], [0, 1 - h / persistence_s]])
    q = np.diag([0, 2 * speed**2 / persistence_s * h])
    for _ in range(steps):
        x, p = f @ x, f @ p @ f.T + q
    return x, p


def textbook_update(x: np.ndarray, p: np.ndarray, measured: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Update with matrices."""
    h = np.array([[1.0, 0.0]])
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + noise**2)
    return x + (gain @ (measured - h @ x)).ravel(), (np.eye(2) - gain @ h) @ p


def packed(p: np.ndarray) -> np.ndarray:
    return np.array([p[0, 0], p[0, 1], p[1, 1]])


X = np.array([[0.3], [-0.2]])
P = np.array([[0.04, 0.01], [0.01, 0.09]])


@pytest.mark.parametrize("dt_s", [0.04, 0.5, 3.0])
def test_predict_is_the_textbook_filter(dt_s: float) -> None:
    mean, cov = kalman.predict(X, packed(P), dt_s, np.array([0.5]), (1.3,))

    x, p = textbook_predict(X, P, dt_s, 0.5, 1.3)
    assert mean == pytest.approx(x, rel=2e-3)
    assert cov == pytest.approx(packed(p), rel=2e-3)


def test_update_is_the_textbook_filter() -> None:
    mean, cov = kalman.update(X, packed(P), np.array(0.5), np.array(0.1))

    x, p = textbook_update(X, P, 0.5, 0.1)
    assert mean == pytest.approx(x)
    assert cov == pytest.approx(packed(p))


@given(st.floats(0.001, 2), st.floats(0.001, 2), st.floats(0.05, 5))
def test_two_steps_are_one_long_step(first_s: float, second_s: float, persistence_s: float) -> None:
    speed, persistence = np.array([0.7]), (persistence_s,)

    once = kalman.predict(X, packed(P), first_s + second_s, speed, persistence)
    twice = kalman.predict(*kalman.predict(X, packed(P), first_s, speed, persistence), second_s, speed, persistence)

    assert np.allclose(once[0], twice[0])
    assert np.allclose(once[1], twice[1], rtol=1e-6)


def test_no_time_changes_nothing() -> None:
    mean, cov = kalman.predict(X, packed(P), 0.0, np.array([0.5]), (1.0,))

    assert np.array_equal(mean, X)
    assert np.array_equal(cov, packed(P))


def test_what_is_out_of_sight_comes_to_rest() -> None:
    mean, cov = kalman.predict(X, packed(P), 100.0, np.array([0.5]), (2.0,))

    assert mean == pytest.approx([0.3 - 0.2 * 2.0, 0.0], abs=1e-9)
    assert cov[kalman.VV] == pytest.approx(0.5**2)


def test_a_steady_walk_is_learned_and_foreseen() -> None:
    walk = 0.1 + 0.4 * np.arange(0, 2, 0.1)
    mean, cov = kalman.begin(walk[0], np.array(0.01), np.array(0.8))

    for place in walk[1:]:
        mean, cov = kalman.predict(mean, cov, 0.1, np.array([0.8]), (2.0,))
        mean, cov = kalman.update(mean, cov, place, np.array(0.01))

    assert mean[kalman.VELOCITY] == pytest.approx(0.4, abs=0.03)
    foreseen, _ = kalman.predict(mean, cov, 0.1, np.array([0.8]), (2.0,))
    assert foreseen[kalman.POSITION] == pytest.approx(walk[-1] + 0.04, abs=0.005)


def test_many_filters_are_each_for_themselves() -> None:
    rng = np.random.default_rng(0)
    mean, noise = rng.random((3, 4, 2)), np.full((3, 4), 0.1)
    cov = np.stack([np.full((3, 4), 0.2), np.full((3, 4), 0.01), np.full((3, 4), 0.3)], axis=-1)
    measured = rng.random((3, 4))

    together = kalman.update(mean, cov, measured, noise)

    alone = kalman.update(mean[1, 2], cov[1, 2], measured[1, 2], noise[1, 2])
    assert np.array_equal(together[0][1, 2], alone[0])
    assert np.array_equal(together[1][1, 2], alone[1])


@given(st.lists(st.tuples(st.floats(0.001, 1), st.floats(-1, 1)), min_size=1, max_size=20))
def test_variances_stay_positive(sights: list[tuple[float, float]]) -> None:
    mean, cov = kalman.begin(np.array(0.0), np.array(0.02), np.array(0.5))

    for dt_s, place in sights:
        mean, cov = kalman.predict(mean, cov, dt_s, np.array([0.5]), (1.0,))
        mean, cov = kalman.update(mean, cov, np.array(place), np.array(0.02))

        assert cov[kalman.PP] > 0
        assert cov[kalman.PP] * cov[kalman.VV] >= cov[kalman.PV] ** 2 * (1 - 1e-9)
