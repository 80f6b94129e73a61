"""Small pictures of one place: shifts by a known amount, other light, and what covers a part."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.ops.patches import change, share_unmoved

SIDE = 24


def waves(shift_px: tuple[float, float] = (0, 0), period_px: float = 12.0) -> np.ndarray:
    """Return a patch of waves along both axes, moved by parts of a pixel."""
    x, y = (2 * np.pi * (np.arange(SIDE) - shift) / period_px for shift in shift_px)
    return (120 + 40 * np.sin(x)[None, :] + 40 * np.sin(y)[:, None]).astype(np.float32)[None]


def motion(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    levels, side_levels = change(now, before)
    return levels / side_levels


@pytest.mark.parametrize("shift_px", [(0.2, 0.0), (0.0, -0.2), (0.1, 0.1)])
def test_a_shift_seems_to_be_as_far_as_it_is(shift_px: tuple[float, float]) -> None:
    told = motion(waves(shift_px), waves())

    assert told * SIDE == pytest.approx(np.hypot(*shift_px), rel=0.1)


def test_what_has_not_changed_has_not_moved() -> None:
    assert motion(waves(), waves()) == pytest.approx(0, abs=1e-6)


def test_other_light_is_no_motion() -> None:
    darker = 0.6 * waves() + 20

    assert motion(darker, waves()) == pytest.approx(0, abs=1e-4)


def test_light_that_changes_too_much_is_something_else() -> None:
    assert motion(0.2 * waves(), waves()) * SIDE > 0.5


def test_noise_on_what_has_no_edges_is_as_good_as_motion() -> None:
    rng = np.random.default_rng(1)
    flat, noisy = (120 + amount * rng.standard_normal((1, SIDE, SIDE)).astype(np.float32) for amount in (0.1, 3))

    assert motion(noisy, flat) > 0.5


def test_of_what_is_covered_in_part_the_rest_is_unmoved() -> None:
    covered = waves().copy()
    covered[:, :, : SIDE // 4] = 0

    assert share_unmoved(covered, waves(), np.array([0.02])) == pytest.approx(0.75, abs=0.05)
    assert motion(covered, waves()) > 0.02


def test_nothing_of_what_has_moved_is_unmoved() -> None:
    assert share_unmoved(waves((1.5, 1.5)), waves(), np.array([0.02])) == 0


def test_no_patches_are_ordinary() -> None:
    none = np.empty((0, SIDE, SIDE), np.float32)

    assert change(none, none)[0].shape == share_unmoved(none, none, np.empty(0)).shape == (0,)
