"""Against the light: pale behind people, dark on them, and everybody where they were."""

import numpy as np

from scenes.backlight import Backlight, sample_backlight
from scenes.figure import draw_people
from scenes.still import render_still
from scenes.style import Style
from tests.scenes.stages import empty_canvas, standing

SMALL = (160, 96)
AWAY = np.array([0.0, -1.6, 9.0])


def test_what_is_behind_people_turns_pale_and_they_turn_dark() -> None:
    canvas = empty_canvas()
    draw_people(canvas, [standing((0.0, 3.0), AWAY)])
    theirs = canvas.owner > 0
    light = Backlight(pale=np.full(3, 240, np.float32), wash=0.9, steep=1.5, left=0.8, crushed=5, veil=0.0)
    before = canvas.bgr.copy()
    light.shine(canvas)

    assert canvas.bgr[~theirs].mean() > 200
    assert canvas.bgr[theirs].mean() < 0.8 * before[theirs].mean()
    assert canvas.bgr[theirs].min() >= 0


def test_the_lens_scatters_light_over_edges() -> None:
    bare, veiled = empty_canvas(), empty_canvas()
    for canvas, veil in ((bare, 0.0), (veiled, 0.2)):
        draw_people(canvas, [standing((0.0, 3.0), AWAY)])
        Backlight(np.full(3, 240, np.float32), wash=0.9, steep=1.5, left=0.8, crushed=5, veil=veil).shine(canvas)
    theirs = bare.owner > 0

    assert veiled.bgr[theirs].mean() > bare.bgr[theirs].mean() + 5
    np.testing.assert_allclose(veiled.bgr[~theirs], bare.bgr[~theirs], atol=1e-3)


def test_some_scenes_have_it_and_no_person_moves() -> None:
    lit = 0
    for seed in range(10):
        plain, backlit = (render_still(seed, SMALL, style=style) for style in (Style(), Style(backlight=True)))
        np.testing.assert_array_equal(plain.people.head_box, backlit.people.head_box)
        np.testing.assert_array_equal(plain.people.head_visible, backlit.people.head_visible)
        changed = not np.array_equal(plain.bgr, backlit.bgr)
        assert changed == (sample_backlight(Style(backlight=True), seed) is not None)
        lit += changed

    assert 4 <= lit < 10
