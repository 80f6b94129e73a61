"""People muffled up: collars hide neck and jaw but for where they are open, hats pulled down hide more of the face."""

from dataclasses import replace

import numpy as np
import pytest

from scenes.canvas import Canvas
from scenes.figure import draw_people
from scenes.looks import Looks
from scenes.muffled import muffle
from scenes.outfit import Collar
from scenes.restyle import Restyler
from scenes.style import Style
from tests.scenes.stages import empty_canvas, standing

CAMERA, BEHIND = np.array([0.0, -1.6, 0.0]), np.array([0.0, -1.6, 9.0])
RED, GREEN = np.array([10, 30, 200], np.float32), np.array([10, 200, 10], np.float32)
COLLAR = Collar(colour=GREEN, lining=GREEN, tall=0.12, wide=0.105, open=0.0, drop=0.0)


def bald() -> Looks:
    """Return somebody whose skin is red, of which nothing but the head shows."""
    looks = standing((0.0, 1.6), CAMERA).looks
    hair = replace(looks.hair, style="bald", strands=0.0)
    bare = replace(looks, hat="none", mask=None, glasses=None, scarf=None, beard=0.0, hair=hair)
    black = replace(looks.top, colour=np.full(3, 8, np.float32), pattern=9)
    return replace(bare, skin=RED, top=black, long_sleeves=True, neckline=0.0, outfit=None)


def drawn(looks: Looks, target: np.ndarray) -> Canvas:
    canvas = empty_canvas()
    draw_people(canvas, [replace(standing((0.0, 1.6), target), looks=looks)])
    return canvas


def skin(canvas: Canvas) -> np.ndarray:
    """Return which pixels of the head and above the chest show skin."""
    blue, green, red = np.moveaxis(canvas.bgr[:205], 2, 0)
    shown: np.ndarray = (red > 3 * blue) & (red > 3 * green)
    return shown


@pytest.mark.parametrize("target", [CAMERA, BEHIND])
def test_a_collar_hides_neck_and_jaw_and_a_taller_one_more(target: np.ndarray) -> None:
    collars = (None, replace(COLLAR, tall=0.07), COLLAR)

    shown = [int(skin(drawn(replace(bald(), collar=collar), target)).sum()) for collar in collars]

    assert shown[0] > shown[1] > shown[2]
    assert shown[2] > 0.4 * shown[0]


def test_an_open_collar_shows_the_throat_and_closed_from_behind_it_is_the_same() -> None:
    closed, open_ = (replace(bald(), collar=replace(COLLAR, open=angle)) for angle in (0.0, 1.0))

    assert skin(drawn(open_, CAMERA)).sum() > skin(drawn(closed, CAMERA)).sum() + 20
    assert np.array_equal(skin(drawn(open_, BEHIND)), skin(drawn(closed, BEHIND)))


def test_a_collar_is_as_much_lower_in_front_as_told() -> None:
    level, low = (drawn(replace(bald(), collar=replace(COLLAR, drop=drop)), CAMERA) for drop in (0.0, 0.5))

    assert skin(low).sum() > skin(level).sum() + 20


@pytest.mark.parametrize("hat", ["fedora", "straw", "bucket", "cap-ahead", "knit"])
def test_a_hat_pulled_down_hides_more_and_the_skull_does_not_come_through(hat: str) -> None:
    looks = replace(bald(), hat=hat, hat_size=1.0, hat_colour=GREEN, hat_band=GREEN)
    worn, low = (skin(drawn(replace(looks, hat_low=down), CAMERA)) for down in (0.0, 0.045))

    highest = [int(np.flatnonzero(shown.any(axis=1))[0]) for shown in (worn, low)]

    assert low.sum() < 0.9 * worn.sum()
    assert highest[0] <= highest[1]


@pytest.mark.parametrize("hat", ["fedora", "straw", "bucket"])
def test_the_brim_comes_down_with_the_hat(hat: str) -> None:
    looks = replace(bald(), hat=hat, hat_size=1.0, hat_colour=GREEN, hat_band=GREEN)
    canvases = [drawn(replace(looks, hat_low=down), CAMERA) for down in (0.0, 0.045)]

    worn, low = (int((c.bgr[..., 1] > 3 * c.bgr[..., 2]).sum(axis=1).argmax()) for c in canvases)

    assert low > worn


def test_all_have_a_collar_or_a_hat_and_some_have_both() -> None:
    muffled = [muffle(bald(), np.random.default_rng(seed)) for seed in range(300)]

    collars = np.array([one.collar is not None for one in muffled])
    hats = np.array([one.hat != "none" for one in muffled])
    assert (collars | hats).all()
    assert (collars & hats).mean() == pytest.approx(0.4, abs=0.1)
    assert max(one.hat_low for one in muffled) == pytest.approx(0.045, abs=0.005)
    assert all(one.hat_low <= 0.012 for one in muffled if one.hat == "knit")  # it ends at the brows as it is


def test_scenes_that_ask_for_them_have_them() -> None:
    asked, others = (
        [Restyler(Style.parse(style), seed)(bald()).collar for seed in range(20)] for style in ("muffled", "necks")
    )

    assert any(collar is not None for collar in asked)
    assert all(collar is None for collar in others)
