"""Pots have spouts that show which way they stand."""

import numpy as np
import pytest

from scenes.pots import POTS, TURNS, pot
from scenes.sprites import PITCHES_DEG
from scenes.still import render_still
from scenes.style import Style

SMALL = (160, 96)
TABLEWARE = Style(tableware=True)


@pytest.mark.parametrize("kind", POTS)
def test_pots_are_one_closed_thing_about_as_high_as_one(kind: str) -> None:
    sprite = pot(kind, 0, 0)
    rows, columns = np.nonzero(sprite.bgra[..., 3] > 127)

    assert 0.55 < (np.ptp(rows) + 1) / sprite.pixels_per_m < 1.25
    assert 0.7 < (np.ptp(columns) + 1) / sprite.pixels_per_m < 1.6


def test_a_pot_turned_half_round_has_its_spout_on_the_other_side() -> None:
    ahead, turned = (pot("teapot", turn, 0) for turn in (0, TURNS // 2))
    to_left, to_right = ahead.foot_px[0], turned.bgra.shape[1] - turned.foot_px[0]

    assert to_left == pytest.approx(to_right, abs=2)
    assert to_left > 1.1 * (ahead.bgra.shape[1] - ahead.foot_px[0])


def test_from_above_a_pot_is_rounder() -> None:
    tall = [pot("coffee pot", 0, pitch).bgra.shape for pitch in (0, len(PITCHES_DEG) - 1)]

    assert tall[1][0] / tall[1][1] < 0.9 * tall[0][0] / tall[0][1]


def test_nearly_all_stills_show_tableware_and_who_is_there_is_told_of_as_ever() -> None:
    changed, seen = 0, []
    for seed in range(6):
        laid = render_still(seed, SMALL, style=TABLEWARE)
        changed += not np.array_equal(render_still(seed, SMALL).bgr, laid.bgr)
        seen += laid.people.head_visible.tolist()

    assert changed >= 5
    assert np.mean(np.array(seen) > 0.9) > 0.3


def test_a_seed_gives_the_same_tableware() -> None:
    first, second = (render_still(3, SMALL, style=TABLEWARE) for _ in range(2))

    np.testing.assert_array_equal(first.bgr, second.bgr)
