"""Middles of pictures, turned."""

import numpy as np
import pytest

from nodes.ops.turned import MARGIN, middles

SIDE = 10
WHOLE = round(SIDE * MARGIN)  # 14


def test_what_does_not_lean_is_cut_out_as_it_is() -> None:
    ramp = np.tile(np.arange(WHOLE, dtype=np.float32), (2, 3, WHOLE, 1))

    made = middles(ramp, np.zeros(2), SIDE)

    step = WHOLE / MARGIN / SIDE
    expected = (WHOLE - 1) / 2 + (np.arange(SIDE) - (SIDE - 1) / 2) * step
    assert (made.shape, made.dtype) == ((2, 3, SIDE, SIDE), np.float32)
    assert made[0, 0, 3] == pytest.approx(expected, abs=0.02)
    assert made[1, 2, 9] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("roll", [90, -90, 180, 30, -45])
def test_what_leans_is_upright(roll: float) -> None:
    """A ramp that rises along the direction that leans clockwise from image-right by `roll`, rises to the right."""
    y, x = np.mgrid[:WHOLE, :WHOLE] - (WHOLE - 1) / 2
    angle = np.radians(roll)
    picture = (x * np.cos(angle) + y * np.sin(angle))[None, None]

    (made,) = middles(picture, np.array([roll]), SIDE)[0]

    assert (np.diff(made, axis=1) > 0.5).all()
    assert np.abs(np.diff(made, axis=0)).max() < 0.05


def test_each_picture_is_turned_by_its_own_roll() -> None:
    pictures = np.random.default_rng(5).random((3, 2, WHOLE, WHOLE))
    rolls = np.array([0.0, 33, -120])

    together = middles(pictures, rolls, SIDE)

    for k in range(3):
        np.testing.assert_array_equal(together[k : k + 1], middles(pictures[k : k + 1], rolls[k : k + 1], SIDE))
    assert middles(pictures[:0], rolls[:0], SIDE).shape == (0, 2, SIDE, SIDE)
