"""What looks like people is drawn but is nobody; what shines shows what is there."""

import numpy as np
import pytest

from scenes.camera import aimed_camera
from scenes.canvas import Canvas, Light, plain
from scenes.dressing import UNDRESSED, dress
from scenes.layout import build_place
from scenes.mannequins import bust, mannequin
from scenes.place import Place
from scenes.portraits import advert, group, portrait, screen
from scenes.reflections import Pane, draw_pane, mirror_floor
from scenes.sets import fingerprint
from scenes.still import render_still
from scenes.style import PLAIN, Style

SMALL = (160, 96)
LOOKALIKES = Style(lookalikes=True)


def _place() -> Place:
    camera = aimed_camera((240, 144), focal_in_widths=0.8, height_m=1.7, yaw_deg=0, pitch_down_deg=10)
    return build_place(np.random.default_rng(3), camera, "corridor", "eye", 0.0)


def test_most_stills_have_lookalikes_and_some_have_none() -> None:
    changed = [
        not np.array_equal(render_still(seed, SMALL).bgr, render_still(seed, SMALL, style=LOOKALIKES).bgr)
        for seed in range(8)
    ]

    assert 2 <= sum(changed) <= 7


def test_a_seed_gives_the_same_still_with_lookalikes() -> None:
    first, second = (render_still(9, SMALL, style=LOOKALIKES) for _ in range(2))

    np.testing.assert_array_equal(first.bgr, second.bgr)
    assert fingerprint([first.people]) == fingerprint([second.people])


@pytest.mark.parametrize("seed", range(5))
def test_mannequins_and_busts_are_drawn_and_are_nobody(seed: int) -> None:
    place = _place()
    before = place.canvas.bgr.copy()

    mannequin(place, np.random.default_rng(seed), 0.0, 3.0)
    bust(place, np.random.default_rng(seed), np.array([0.6, -1.0, 3.0]))

    assert (np.abs(place.canvas.bgr - before).max(axis=-1) > 8).mean() > 0.01
    assert not place.canvas.owner.any()
    assert not place.canvas.covered.any()


def test_pictures_of_people_are_not_all_alike() -> None:
    for picture in (portrait, group, advert, screen):
        first, second = picture(0), picture(1)

        assert first.dtype == np.uint8 and first.std() > 10
        assert first.shape != second.shape or not np.array_equal(first, second)


def test_a_plain_place_stays_undressed() -> None:
    place = _place()
    before = place.canvas.bgr.copy()

    assert dress(place, 5, PLAIN) is UNDRESSED or dress(place, 5, PLAIN) == UNDRESSED
    UNDRESSED.finish(place.canvas)

    np.testing.assert_array_equal(place.canvas.bgr, before)


def _hall() -> Canvas:
    """Return a grey floor under a black sky with a red ball 4 m away, 0.5 m above the floor."""
    camera = aimed_camera((240, 144), focal_in_widths=0.8, height_m=1.2, yaw_deg=0, pitch_down_deg=20)
    canvas = Canvas(camera, Light(1.0, 0.0, np.array([0.0, -1.0, 0.0])))
    corners = np.array([[-9.0, 0, 30], [9, 0, 30], [1.5, 0, 0.6], [-1.5, 0, 0.6]])
    assert canvas.quad(corners, np.full((8, 8, 3), 100, np.uint8))
    canvas.ellipsoid(np.array([0.0, -0.5, 4.0]), np.eye(3), np.full(3, 0.2), plain(np.array([0, 0, 255.0])))
    return canvas


def test_a_shiny_floor_mirrors_a_ball_at_the_point_below_it_and_nowhere_else() -> None:
    canvas = _hall()
    plain_floor = canvas.bgr.copy()

    mirror_floor(canvas, 1.0)

    # The mirror image of a point lies as far below the floor as the point above it.
    image, _ = canvas.camera.project(np.array([0.0, 0.5, 4.0]))
    column, row = image.astype(int)
    reddened = canvas.bgr[..., 2] - canvas.bgr[..., 1] > 15
    floor = plain_floor[..., 1] > 90
    assert (reddened & floor)[row, column]
    rows, columns = np.nonzero(reddened & floor)
    assert abs(rows.mean() - row) < 5 and abs(columns.mean() - column) < 4
    np.testing.assert_array_equal(canvas.bgr[~floor], plain_floor[~floor])


def test_a_pane_veils_what_is_behind_it_only() -> None:
    canvas = _hall()
    before = canvas.bgr.copy()
    far = np.array([[-0.5, -1.0, 5.0], [0.5, -1.0, 5.0], [0.5, -0.1, 5.0], [-0.5, -0.1, 5.0]])

    draw_pane(canvas, Pane(far, 0.2, 0.0))
    ball, _ = canvas.camera.project(np.array([0.0, -0.5, 4.0]))
    column, row = ball.astype(int)
    np.testing.assert_array_equal(canvas.bgr[row, column], before[row, column])
    behind, _ = canvas.camera.project(np.array([0.4, -0.2, 5.0]))
    assert (canvas.bgr - before)[int(behind[1]), int(behind[0])].min() > 10

    canvas = _hall()
    draw_pane(canvas, Pane(far * [1, 1, 0.6], 0.2, 0.0))
    assert (canvas.bgr - before)[row, column, 0] > 10
