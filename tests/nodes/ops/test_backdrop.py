"""Noise of a picture by what does not move in it."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.ops.backdrop import ACROSS, DOWN, Backdrop, places

COUNT = ACROSS * DOWN
EVERYTHING = np.random.default_rng(1).uniform(0, 255, (COUNT, 24, 24)).astype(np.float32)
LOOKS = [k * 500_000_000 for k in range(1, 21)]


def noise_of(shown: list[np.ndarray]) -> float:
    back = Backdrop(shown[0], 0, 0, 0.0)
    for pts_ns, patch in zip(LOOKS, shown[1:], strict=False):
        back = back.looked_at(patch, pts_ns)
    return back.noise


def noisy(amount: float) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [EVERYTHING + rng.normal(0, amount, EVERYTHING.shape).astype(np.float32) for _ in range(21)]


def test_noise_is_that_of_one_picture_against_many() -> None:
    assert noise_of(noisy(3.0)) == pytest.approx(3.0 * np.sqrt(1 + 1 / 20), rel=0.05)


def test_a_still_picture_has_none() -> None:
    assert noise_of([EVERYTHING] * 3) == pytest.approx(0, abs=1e-4)


def test_people_in_some_places_do_not_count() -> None:
    rng, shown = np.random.default_rng(3), noisy(3.0)
    for patch in shown:
        patch[: COUNT // 3] = rng.uniform(0, 255, (24, 24))

    assert noise_of(shown) < 3.5


def test_the_same_time_again_changes_nothing_of_the_mean() -> None:
    back = Backdrop(EVERYTHING, 0, 0, 0.0).looked_at(noisy(3.0)[1], 500_000_000)

    assert np.array_equal(back.looked_at(noisy(3.0)[2], 500_000_000).mean, back.mean)


def test_places_are_squares_inside_the_frame() -> None:
    box = places(16 / 9)

    assert box.shape == (COUNT, 4) and box.min() > 0 and box.max() < 1
    assert (box[:, 2] - box[:, 0]) * 16 / 9 == pytest.approx(box[:, 3] - box[:, 1])
