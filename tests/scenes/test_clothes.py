from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scenes.clip import make_clip
from scenes.figure import Figure, draw_people
from scenes.looks import Looks
from scenes.luggage import arms_for
from scenes.outfit import CARRIED, KINDS, Outfit
from scenes.still import render_still
from scenes.style import Style
from scenes.wardrobe import _CARRIED, _TOPS, with_clothes
from tests.scenes.stages import empty_canvas, standing

CAMERA, BEHIND = np.array([0.0, -1.6, 0.0]), np.array([0.0, -1.6, 9.0])
CLOTHES = Style(clothes=True)
RED = np.array([0, 0, 250], np.float32)


def _dressed(target: np.ndarray = CAMERA, **changes: Any) -> Figure:
    person = standing((0.0, 4.8), target)
    looks = with_clothes(person.looks, np.random.default_rng(8))
    assert looks.outfit is not None
    plain: dict[str, Any] = {"kind": "jacket", "carried": "none", "pack": None, "print_colour": None}
    outfit = replace(looks.outfit, **(plain | changes))
    top = replace(looks.top, colour=np.full(3, 60, np.float32), pattern=9)
    return replace(person, looks=replace(looks, outfit=outfit, top=top, scarf=None))


@pytest.mark.parametrize("carried", CARRIED)
def test_bodies_are_enclosed_by_their_boxes_whatever_they_carry(carried: str) -> None:
    canvas = empty_canvas()

    truth = draw_people(canvas, [_dressed(carried=carried)])

    pixels = np.argwhere(canvas.owner > 0)[:, ::-1]
    box = truth.body_box[0] * [320, 240, 320, 240]
    np.testing.assert_allclose([*pixels.min(axis=0), *(pixels.max(axis=0) + 1)], box, atol=1e-6)
    assert truth.body_visible[0] > 0.95 or carried in ("cart", "basket", "floor-basket")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "knit"])
def test_every_kind_of_outfit_looks_its_own_way(kind: str) -> None:
    tee, other = empty_canvas(), empty_canvas()
    draw_people(tee, [_dressed(kind="tee")])

    draw_people(other, [_dressed(kind=kind)])

    assert np.array_equal(tee.bgr, other.bgr) == (kind == "tee")


def test_things_beside_people_belong_to_nobody() -> None:
    bare, loaded = empty_canvas(), empty_canvas()
    draw_people(bare, [_dressed()])

    truth = draw_people(loaded, [_dressed(carried="suitcase", carried_colour=RED)])

    red = loaded.bgr[..., 2] > 2 * loaded.bgr[..., 1] + 60
    assert red.sum() > 200
    assert (loaded.owner[red & (bare.owner == 0)] == 0).all()
    assert truth.head_visible[0] == pytest.approx(1)


def test_packs_are_seen_from_behind_and_straps_from_the_front() -> None:
    def red(target: np.ndarray) -> int:
        canvas = empty_canvas()
        draw_people(canvas, [_dressed(target, pack=RED)])
        return int((canvas.bgr[..., 2] > 2 * canvas.bgr[..., 1] + 60).sum())

    assert red(BEHIND) > 3 * red(CAMERA) > 0


def test_carts_are_pushed_with_both_hands() -> None:
    assert arms_for("cart", ("hip", "raise")) == ("hold", "hold")
    assert arms_for("basket", ("hip", "raise")) == ("hip", "hang")
    assert arms_for("phone", ("hip", "raise")) == ("hip", "phone")
    assert arms_for("none", ("hip", "raise")) == ("hip", "raise")


def test_what_is_drawn_by_chance_exists() -> None:
    assert set(_TOPS) == set(KINDS)
    assert set(_CARRIED) == set(CARRIED)


def test_most_clothes_are_dark_or_without_hue() -> None:
    rng = np.random.default_rng(0)
    looks = standing((0.0, 4.0), CAMERA).looks
    tops = np.stack([with_clothes(looks, rng).top.colour for _ in range(300)])

    assert (tops.max(axis=1) < 110).mean() > 0.5
    assert (np.ptp(tops, axis=1) < 40).mean() > 0.55


def test_clothes_change_stills_and_clips_but_not_the_heads() -> None:
    changed = []
    for seed in range(3):
        plain, styled = render_still(seed, (160, 96)), render_still(seed, (160, 96), style=CLOTHES)
        changed.append(not np.array_equal(plain.bgr, styled.bgr))
        np.testing.assert_array_equal(plain.people.head_box, styled.people.head_box)
    assert any(changed)
    clip = make_clip(5, seconds=1.0, fps=4.0, size_wh=(160, 96), people=2, style=CLOTHES)
    outfits: list[Outfit | None] = [actor.looks.outfit for actor in clip.actors]
    assert any(outfit is not None for outfit in outfits)


def test_plain_looks_have_no_outfit() -> None:
    looks: Looks = standing((0.0, 4.0), CAMERA).looks

    assert looks.outfit is None and looks.top.folds == 0
