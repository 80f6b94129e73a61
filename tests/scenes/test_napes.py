"""Napes: hair reaches as low as told, thins out above its edge; ears stand off."""

from dataclasses import replace

import numpy as np
import pytest

from scenes.figure import draw_people
from scenes.looks import Hair, Looks
from scenes.napes import above_nape, with_nape
from scenes.strands import strand_colour
from tests.scenes.stages import empty_canvas, standing

BEHIND = np.array([0.0, -1.6, 9.0])
MIDDLE = np.array([[0.0], [0.6], [-0.8]], np.float32)


def person(**changes: float | str | None) -> Looks:
    looks = with_nape(standing((0.0, 1.6), BEHIND).looks, np.random.default_rng(2))
    return replace(looks, hat="none", hair=replace(looks.hair, style="short", taper=0.0, under=1.0, **changes))


def hair_of(**changes: float | str | None) -> Hair:
    return person(**changes).hair


def width_px(looks: Looks) -> float:
    canvas = empty_canvas()
    truth = draw_people(canvas, [replace(standing((0.0, 1.6), BEHIND), looks=looks)])
    return float((truth.head_box[0, 2] - truth.head_box[0, 0]) * 320)


def test_hair_ends_where_the_nape_says_and_higher_at_its_sides() -> None:
    side = np.array([[0.6], [0.6], [-0.5]], np.float32)
    low = hair_of(nape=0.9, point=0.8)

    assert above_nape(low, MIDDLE) > 0 > above_nape(low, side)
    assert above_nape(hair_of(nape=0.4, point=0.0), MIDDLE) < 0
    assert above_nape(hair_of(nape=None, point=0.0), MIDDLE) < 0


def test_hair_thins_out_to_the_scalp_above_its_edge() -> None:
    hair = replace(hair_of(nape=0.75, point=0.0), parting=2.0, thin=0.0, root=np.full(3, 20, np.float32))
    hair = replace(hair, tip=hair.root, scalp=np.full(3, 200, np.float32))
    whole, thinned = (strand_colour(replace(hair, taper=taper), MIDDLE).mean() for taper in (0.0, 0.6))

    assert thinned > whole + 50


def test_what_lies_under_may_be_darker() -> None:
    hair = replace(hair_of(nape=0.9), root=np.full(3, 150, np.float32), tip=np.full(3, 150, np.float32))
    top = np.array([[0.0], [-0.6], [-0.7]], np.float32)
    for points, share in ((MIDDLE, 0.4), (top, 1.0)):
        plain, under = (strand_colour(replace(hair, under=value), points).mean() for value in (1.0, 0.4))
        assert under / plain == pytest.approx(share, abs=0.05)


def test_ears_that_stand_off_make_a_head_wider() -> None:
    looks = person(volume=0.01)
    flat, off = (width_px(replace(looks, ears=ears)) for ears in (0.0, 1.0))

    assert off > 1.1 * flat


def test_long_hair_is_put_up_or_cut() -> None:
    looks = person(volume=0.01)
    long = replace(looks, hair=replace(looks.hair, style="long"))
    styles = {with_nape(long, np.random.default_rng(seed)).hair.style for seed in range(40)}

    assert styles == {"short", "fade", "pony", "bun"}
