from dataclasses import replace

import numpy as np
import pytest

from scenes.crops import render_head_crop
from scenes.figure import draw_people
from scenes.grain import GRAIN_SIDE, grain, sampled
from scenes.hairstyle import with_hair
from scenes.looks import Looks
from scenes.restyle import Restyler
from scenes.still import render_still
from scenes.strands import strand_colour
from scenes.style import PLAIN, Style
from tests.scenes.stages import empty_canvas, standing

HAIR = Style(hair=True)
BEHIND = np.array([0.0, -1.6, 9.0])


def _shown_from_behind(style: str, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of a head seen from behind, and its box in pixels."""
    person = standing((0.0, 1.6), BEHIND)
    looks = with_hair(person.looks, np.random.default_rng(seed))
    hair = replace(looks.hair, style=style, hang=0.35, knot=0.1)
    canvas = empty_canvas()
    truth = draw_people(canvas, [replace(person, looks=replace(looks, hair=hair, hat="none"))])
    return np.argwhere(canvas.owner == 2), truth.head_box[0] * [320, 240, 320, 240]


def _looks(seed: int = 3) -> Looks:
    return standing((0.0, 3.0), BEHIND, looks_seed=seed).looks


def test_plain_style_alters_nobody() -> None:
    looks = _looks()

    assert Restyler(PLAIN, 5)(looks) is looks


def test_most_scenes_show_some_hair_and_some_show_none() -> None:
    looks = _looks()
    altered = [sum(Restyler(HAIR, seed)(looks) is not looks for _ in range(1)) for seed in range(60)]

    assert 20 < sum(altered) < 50


@pytest.mark.parametrize("style", ["bald", "ring", "buzz", "fade", "short", "curly", "bun"])
def test_head_boxes_enclose_the_hair(style: str) -> None:
    pixels, box = _shown_from_behind(style)

    assert (pixels[:, ::-1] + 1 >= box[:2] - 0.01).all()
    assert (pixels[:, ::-1] <= box[2:] + 0.01).all()


@pytest.mark.parametrize("style", ["long", "pony"])
def test_long_hair_hangs_out_of_the_head_box(style: str) -> None:
    pixels, box = _shown_from_behind(style)

    assert pixels[:, 0].max() > box[3] + 1
    assert pixels[:, 0].min() + 1 >= box[1] - 0.01


def test_tips_have_their_colour_below_the_melt() -> None:
    hair = replace(with_hair(_looks(), np.random.default_rng(1)).hair, style="long", streaks=0.0, scalp=None, shine=0.0)
    dark, light = np.full(3, 20, np.float32), np.full(3, 200, np.float32)
    hair = replace(hair, root=dark, tip=light, melt=0.5, strands=0.01)
    points = np.array([[0.9, 0.9], [-0.2, 1.9], [-0.5, -0.5]], np.float32)

    colours = strand_colour(hair, points)

    assert colours[0].mean() < 60
    assert colours[1].mean() > 120


def test_partings_show_the_scalp() -> None:
    looks = with_hair(_looks(), np.random.default_rng(1))
    scalp = np.full(3, 220, np.float32)
    dark = np.full(3, 20, np.float32)
    hair = replace(looks.hair, style="mid", root=dark, tip=dark, parting=0.0, scalp=scalp, strands=0.1, phase=0.0)
    points = np.array([[0.0, 0.3], [-0.9, -0.9], [0.2, 0.2]], np.float32)

    on_line, beside = strand_colour(hair, points)

    assert on_line.mean() > 2 * beside.mean()


def test_hair_changes_stills_and_crops_but_not_where_people_stand() -> None:
    changed = []
    for seed in range(3):
        plain, styled = render_still(seed, (160, 96)), render_still(seed, (160, 96), style=HAIR)
        changed.append(not np.array_equal(plain.bgr, styled.bgr))
        np.testing.assert_array_equal(plain.people.target_point, styled.people.target_point)
    assert any(changed)


def test_a_third_of_crops_shows_the_back_of_the_head() -> None:
    noses = np.stack([render_head_crop(seed, 24, HAIR).head_vector for seed in range(48)])

    assert 0.25 < (noses[:, 2] > 0.5).mean() < 0.5


def test_noise_pictures_repeat() -> None:
    first = sampled(grain(3), np.array([1.0]), np.array([2.0]))

    assert first == sampled(grain(3), np.array([1.0 + GRAIN_SIDE]), np.array([2.0 - GRAIN_SIDE]))
