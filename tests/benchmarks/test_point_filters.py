import numpy as np
import pytest

from benchmarks.point_filters import averaged, one_euro


def test_an_exponential_average_keeps_a_share_by_the_time_that_has_passed() -> None:
    made = averaged(np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]), np.array([0.0, 0.1, 0.4]), tau_s=0.2)

    first = 1 - np.exp(-0.5)
    second = first + (1 - first) * (1 - np.exp(-1.5))
    assert made == pytest.approx(np.array([[0, 1], [first, 1], [second, np.exp(-1.5)]]))


def test_the_one_euro_filter_is_the_published_one() -> None:
    """With its gains written out, for one axis."""
    rng = np.random.default_rng(0)
    samples, dt_s = rng.normal(0.5, 0.1, 50), 0.04

    def gain(cutoff_hz: float) -> float:
        return 1 / (1 + 1 / (2 * np.pi * cutoff_hz) / dt_s)

    value, speed, expected = samples[0], 0.0, [samples[0]]
    for sample in samples[1:]:
        speed += gain(1.5) * ((sample - value) / dt_s - speed)
        value += gain(0.7 + 2.0 * abs(speed)) * (sample - value)
        expected.append(value)

    assert one_euro(samples[:, None], np.arange(50) * dt_s, 0.7, 2.0, 1.5)[:, 0] == pytest.approx(expected)


def test_all_axes_have_the_cut_off_of_the_speed_of_the_point() -> None:
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    samples, at_s = np.random.default_rng(1).random((20, 2)), np.cumsum(np.full(20, 0.03))

    made = one_euro(samples, at_s, 0.5, 1.0, 1.0)

    assert one_euro(samples @ turn, at_s, 0.5, 1.0, 1.0) == pytest.approx(made @ turn)
