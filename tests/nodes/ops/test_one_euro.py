import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.one_euro import Held, Tuning, filtered

CALM = Tuning(min_cutoff_hz=1.0, beta=0.0, speed_cutoff_hz=1.0)
FULL = np.ones(1)


def run(samples: np.ndarray, dt_s: float, tuning: Tuning, weights: np.ndarray | None = None) -> np.ndarray:
    """Return what one filter makes of samples (T, D)."""
    held = Held.nothing(samples[:1])
    made = []
    for k, sample in enumerate(samples):
        weight = FULL if weights is None else weights[k : k + 1]
        held = filtered(held, sample[None], weight, np.array([dt_s]), tuning)
        made.append(held.value[0])
    return np.array(made)


def textbook(samples: np.ndarray, dt_s: float, tuning: Tuning) -> np.ndarray:
    """The filter as published, for one axis, with its gains written out."""

    def gain(cutoff_hz: float) -> float:
        return 1 / (1 + 1 / (2 * np.pi * cutoff_hz) / dt_s)

    value, speed, made = samples[0], 0.0, [samples[0]]
    for sample in samples[1:]:
        speed += gain(tuning.speed_cutoff_hz) * ((sample - value) / dt_s - speed)
        value += gain(tuning.min_cutoff_hz + tuning.beta * abs(speed)) * (sample - value)
        made.append(value)
    return np.array(made)


def test_a_long_running_filter_is_the_published_one() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 400)
    samples = 0.5 + 0.2 * np.sin(np.arange(400) / 30) + noise

    made = run(samples[:, None], 0.04, CALM)[:, 0]

    assert made[100:] == pytest.approx(textbook(samples, 0.04, CALM)[100:], abs=1e-6)


def test_speed_opens_the_filter_as_in_the_published_one() -> None:
    samples = np.concatenate([np.zeros(300), [1.0]])
    tuning = Tuning(min_cutoff_hz=0.5, beta=2.0, speed_cutoff_hz=1.0)

    made = run(samples[:, None], 0.04, tuning)[:, 0]

    assert made[-1] == pytest.approx(textbook(samples, 0.04, tuning)[-1])
    assert made[-1] > 0.5


def test_the_first_sample_counts_whole_and_the_second_nearly_half() -> None:
    made = run(np.array([[0.0], [1.0]]), 0.04, CALM)[:, 0]

    kept = 1 / (1 + 2 * np.pi * 0.04)
    assert made == pytest.approx([0.0, 1 / (1 + kept)])


def test_a_sure_sample_after_doubtful_ones_is_believed_at_once() -> None:
    samples = np.array([[0.0]] * 20 + [[1.0]])

    doubtful = run(samples, 0.04, CALM, np.array([0.05] * 20 + [1.0]))
    sure = run(samples, 0.04, CALM)

    assert doubtful[-1, 0] > 0.8
    assert sure[-1, 0] < 0.25


def test_a_doubtful_sample_after_sure_ones_hardly_counts() -> None:
    made = run(np.array([[0.0]] * 20 + [[1.0]]), 0.04, CALM, np.array([1.0] * 20 + [0.05]))

    assert made[-1, 0] < 0.02


def test_a_steady_point_gets_calmer_and_a_fast_one_is_followed() -> None:
    rng = np.random.default_rng(1)
    tuning = Tuning(min_cutoff_hz=0.5, beta=2.0, speed_cutoff_hz=1.0)

    steady = run(rng.normal(0.5, 0.05, (200, 2)), 0.04, tuning)
    jump = run(np.concatenate([np.zeros((50, 2)), np.ones((25, 2))]), 0.04, tuning)

    assert steady[50:].std() < 0.02
    assert jump[-1] == pytest.approx([1, 1], abs=0.05)


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), st.floats(0.1, 5), st.floats(0, 3))
def test_the_value_stays_among_the_samples(steps: list[float], cutoff_hz: float, beta: float) -> None:
    samples = np.array([[0.2], [0.9], [0.4]])
    held = Held.nothing(samples[:1])

    for dt_s, sample in zip(steps, samples, strict=True):
        held = filtered(held, sample[None], FULL, np.array([dt_s]), Tuning(cutoff_hz, beta, 1.0))

        assert 0.2 - 1e-9 <= held.value[0, 0] <= 0.9 + 1e-9


def test_filters_are_each_for_themselves() -> None:
    samples = np.random.default_rng(2).random((10, 3, 2))
    tuning = Tuning(0.5, 1.0, 1.0)
    held = Held.nothing(samples[0])

    for sample in samples:
        held = filtered(held, sample, np.ones(3), np.full(3, 0.1), tuning)

    assert held.value[1] == pytest.approx(run(samples[:, 1], 0.1, tuning)[-1])
