"""Broad necks: they show, hair above them ends in a point between bare skin, and scenes that ask for them have them."""

from dataclasses import replace

import numpy as np
import pytest

from scenes.figure import draw_people
from scenes.looks import Looks
from scenes.napes import above_nape
from scenes.necks import with_neck
from scenes.restyle import Restyler
from scenes.style import Style
from tests.scenes.stages import empty_canvas, standing

BEHIND = np.array([0.0, -1.6, 9.0])


def person(**changes: float) -> Looks:
    looks = with_neck(standing((0.0, 1.6), BEHIND).looks, np.random.default_rng(2))
    return replace(looks, hat="none", scarf=None, **changes)


def bare_px(looks: Looks) -> int:
    """Return how many pixels show skin, seen from behind."""
    canvas = empty_canvas()
    looks = replace(looks, skin=np.array([20, 60, 200], np.float32), long_sleeves=True)
    draw_people(canvas, [replace(standing((0.0, 1.6), BEHIND), looks=looks)])
    blue, _, red = np.moveaxis(canvas.bgr, 2, 0)
    return int((red > 4 * blue + 40).sum())


def test_a_sharper_point_leaves_more_skin_beside_it() -> None:
    looks = person()
    beside = np.array([[0.3], [0.35], [-0.9]], np.float32)
    straight, sharp = (replace(looks.hair, nape=0.55, point=0.6, sharp=sharp) for sharp in (1.0, 0.35))

    assert above_nape(straight, beside) > 0 > above_nape(sharp, beside)
    for edge in (0.0, 0.8):  # the tip and where it ends at the sides are as told
        there = np.array([[edge], [0.0], [-0.9]], np.float32)
        assert above_nape(straight, there) == pytest.approx(above_nape(sharp, there))


def test_a_broad_neck_shows_more_skin() -> None:
    slim, broad = (bare_px(person(neck=neck)) for neck in (1.0, 1.5))

    assert broad > 1.1 * slim


def test_everybody_has_short_hair_two_in_three_of_it_dark() -> None:
    looks = standing((0.0, 1.6), BEHIND).looks
    looks = replace(looks, hair=replace(looks.hair, style="long", root=np.full(3, 200, np.float32)))
    heads = [with_neck(looks, np.random.default_rng(seed)) for seed in range(200)]

    assert {one.hair.style for one in heads} == {"short", "fade"}
    assert np.mean([one.hair.root.max() < 70 for one in heads]) == pytest.approx(0.65, abs=0.1)
    assert all(1 <= one.neck <= 1.5 for one in heads)


def test_scenes_that_ask_for_them_have_them() -> None:
    looks = standing((0.0, 1.6), BEHIND).looks
    asked, others = (
        [Restyler(Style.parse(style), seed)(looks).neck for seed in range(20)] for style in ("necks", "napes")
    )

    assert max(asked) > 1
    assert set(others) == {1.0}
