"""Clutter fills a place; the people in it and the truth about them stay people."""

import numpy as np
import pytest

from scenes.camera import aimed_camera
from scenes.canvas import Canvas, Light
from scenes.sets import fingerprint
from scenes.sprites import PITCHES_DEG, Sprite, nearest_pitch, put_sprites
from scenes.still import render_still
from scenes.style import Style
from scenes.wares import CROCKERY, crockery, fruit, package

SMALL = (160, 96)
CLUTTER = Style(clutter=True)


def _canvas() -> Canvas:
    camera = aimed_camera((200, 120), focal_in_widths=1.0, height_m=1.0, yaw_deg=0, pitch_down_deg=0)
    return Canvas(camera, Light(0.6, 0.5, np.array([0.0, -1.0, 0.0])))


def test_most_stills_are_cluttered_and_some_are_not() -> None:
    changed = [
        not np.array_equal(render_still(seed, SMALL).bgr, render_still(seed, SMALL, style=CLUTTER).bgr)
        for seed in range(8)
    ]

    assert 2 <= sum(changed) <= 7


def test_a_seed_gives_the_same_cluttered_still() -> None:
    first, second = (render_still(7, SMALL, style=CLUTTER) for _ in range(2))

    np.testing.assert_array_equal(first.bgr, second.bgr)
    assert fingerprint([first.people]) == fingerprint([second.people])


def test_a_thing_stands_where_its_foot_is_and_is_as_large_as_asked() -> None:
    canvas = _canvas()
    sprite = crockery("pot", 0)

    put_sprites(canvas, [sprite], np.array([[0.0, 0.0, 4.0]]), np.array([0.5]), np.ones((1, 3), np.float32))

    rows, columns = np.nonzero(canvas.depth < 10)
    foot, _ = canvas.camera.project(np.array([0.0, 0.0, 4.0]))
    assert (columns.min() + columns.max()) / 2 == pytest.approx(foot[0], abs=1.5)
    assert rows.max() == pytest.approx(foot[1], abs=2)
    # One metre is 50 px at 4 m; the pot is as wide as its size and 0.95 as high.
    assert np.ptp(columns) + 1 == pytest.approx(25, abs=2)
    assert np.ptp(rows) + 1 == pytest.approx(24, abs=2)
    assert (canvas.owner == 0).all()


def test_nearer_things_hide_farther_ones_in_any_order() -> None:
    feet = np.array([[0.0, 0.0, 3.0], [0.0, 0.0, 6.0]])
    gains = np.array([[0, 0, 1], [1, 0, 0]], np.float32)
    pictures = []
    for order in ([0, 1], [1, 0]):
        canvas = _canvas()
        put_sprites(canvas, [crockery("pot", 0)] * 2, feet[order], np.full(2, 0.6), gains[order])
        pictures.append(canvas.bgr)

    np.testing.assert_array_equal(pictures[0], pictures[1])
    near, _ = canvas.camera.project(np.array([0.0, -0.4, 3.0]))
    blue, _, red = pictures[0][int(near[1]), int(near[0])]
    assert red > 100 > blue


def test_things_behind_a_wall_are_not_drawn() -> None:
    canvas = _canvas()
    canvas.depth[:] = 2.0

    put_sprites(canvas, [fruit(0, 1)], np.array([[0.0, 0.0, 4.0]]), np.array([0.5]), np.ones((1, 3), np.float32))

    assert not canvas.bgr.any()


def test_pitch_follows_the_camera() -> None:
    canvas = _canvas()

    assert nearest_pitch(canvas, np.array([0.0, -1.0, 5.0])) == 0
    assert PITCHES_DEG[nearest_pitch(canvas, np.array([0.0, 0.0, 0.6]))] == 60


@pytest.mark.parametrize("sprite", [crockery(CROCKERY[0], 1), crockery("jug", 3), package(3, 2), fruit(1, 0)])
def test_sprites_are_closed_shapes_on_nothing(sprite: Sprite) -> None:
    alpha = sprite.bgra[..., 3]

    assert alpha[0].max() < 60 and alpha[:, 0].max() < 60
    assert (alpha > 200).mean() > 0.3
    assert (sprite.bgra[..., :3] <= alpha[..., None].astype(int) + 8).all()
