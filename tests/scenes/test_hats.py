from dataclasses import replace

import numpy as np
import pytest

from scenes.figure import draw_people
from scenes.hatrack import _HATS, with_headwear
from scenes.hats import WEARS, shaded_by_hat
from scenes.still import render_still
from scenes.style import Style
from tests.scenes.stages import empty_canvas, standing

CAMERA, BEHIND = np.array([0.0, -1.6, 0.0]), np.array([0.0, -1.6, 9.0])
LOOSE = {"hood-up": 0.12, "headscarf": 0.25}
"""Hats that fall over the shoulders, out of the head box, by that share of its height."""


@pytest.mark.parametrize("hat", sorted(WEARS))
@pytest.mark.parametrize("target", [CAMERA, BEHIND])
def test_head_boxes_enclose_the_hat(hat: str, target: np.ndarray) -> None:
    person = standing((0.0, 1.6), target, looks_seed=11)
    looks = replace(with_headwear(person.looks, np.random.default_rng(2)), hat=hat, headphones=None)
    looks = replace(looks, hair=replace(looks.hair, style="short"))
    bare, hatted = empty_canvas(), empty_canvas()
    draw_people(bare, [replace(person, looks=replace(looks, hat="none"))])

    box = draw_people(hatted, [replace(person, looks=looks)]).head_box[0] * [320, 240, 320, 240]

    pixels = np.argwhere(hatted.owner == 2)[:, ::-1]
    assert not np.array_equal(bare.bgr, hatted.bgr)
    assert ((pixels[:, 0] + 1 >= box[0] - 0.01).all() and (pixels[:, 0] <= box[2] + 0.01).all()) or hat in LOOSE
    assert pixels[:, 1].min() + 1 >= box[1] - 0.01
    assert pixels[:, 1].max() <= box[3] + LOOSE.get(hat, 0.0) * (box[3] - box[1]) + 0.01


def test_every_hat_that_is_drawn_by_chance_can_be_worn() -> None:
    assert set(_HATS) == {*WEARS, "none"}


def test_headphones_reach_around_the_head() -> None:
    person = standing((0.0, 1.6), CAMERA)
    looks = replace(person.looks, hat="none", headphones=np.array([255, 0, 255], np.float32))
    looks = replace(looks, hair=replace(looks.hair, style="bald"))
    canvas = empty_canvas()

    box = draw_people(canvas, [replace(person, looks=looks)]).head_box[0] * [320, 240, 320, 240]

    cups = np.argwhere((canvas.bgr[..., 0] > 100) & (canvas.bgr[..., 1] < 1))[:, 1]
    assert box[0] - 0.01 <= cups.min() + 1 and cups.max() <= box[2] + 0.01
    assert cups.max() - cups.min() > 0.9 * (box[2] - box[0]) - 1


def test_brims_darken_forehead_and_eyes_but_not_the_chin() -> None:
    looks = replace(standing((0.0, 3.0), CAMERA).looks, hat_shadow=0.6)
    points = np.array([[0.0, 0, 0], [-0.3, 0.1, 0.9], [0.9, 0.9, 0.4]], np.float32)

    light = shaded_by_hat(looks, points, np.full((3, 3), 100, np.float32))[:, 0]

    assert light[0] == pytest.approx(50)
    assert light[2] == pytest.approx(100)


def test_headwear_changes_stills_but_not_where_people_stand() -> None:
    changed = []
    for seed in range(3):
        plain = render_still(seed, (160, 96))
        styled = render_still(seed, (160, 96), style=Style(headwear=True))
        changed.append(not np.array_equal(plain.bgr, styled.bgr))
        np.testing.assert_array_equal(plain.people.target_point, styled.people.target_point)
    assert any(changed)
