"""Cameras that blur, film at night and compress."""

import numpy as np
import pytest

from scenes.camera import aimed_camera
from scenes.canvas import Canvas, Light
from scenes.crops import render_head_crop
from scenes.film import CLEAR, Film, sample_film
from scenes.sets import fingerprint
from scenes.squeeze import squeezed
from scenes.still import render_still
from scenes.style import FULL, PLAIN, Style

SMALL = (160, 96)
CAMERA = Style(camera=True)


def _picture() -> np.ndarray:
    ramp = np.linspace(0, 255, 96 * 64 * 3).reshape(64, 96, 3)
    return (ramp + np.random.default_rng(1).normal(0, 20, ramp.shape)).clip(0, 255).astype(np.uint8)


def test_the_same_seed_gives_the_same_bytes_and_the_truth_of_a_plain_still() -> None:
    first, second = (render_still(403, SMALL, style=CAMERA) for _ in range(2))
    plain = render_still(403, SMALL)

    np.testing.assert_array_equal(first.bgr, second.bgr)
    assert fingerprint([first.people]) == fingerprint([plain.people])


def test_most_stills_and_head_crops_are_changed_and_some_are_not() -> None:
    crops = [
        np.array_equal(render_head_crop(seed, 48).bgr, render_head_crop(seed, 48, CAMERA).bgr) for seed in range(14)
    ]
    films = [sample_film(CAMERA, seed)[0] for seed in range(200)]

    assert 2 <= sum(crops) <= 10
    assert 0.2 < np.mean([film == CLEAR for film in films]) < 0.4
    assert {film.night for film in films} == {"", "infrared", "dim"}
    assert sample_film(PLAIN, 3)[0] == sample_film(FULL.without("camera"), 3)[0] == CLEAR


@pytest.mark.parametrize("frames", [1, 3])
def test_compression_keeps_the_picture_and_is_repeatable(frames: int) -> None:
    photo = _picture()

    good, bad = (squeezed(photo, quality, frames, 1.0, np.random.default_rng(2)) for quality in (8, 44))

    assert good.shape == photo.shape and good.dtype == np.uint8
    np.testing.assert_array_equal(bad, squeezed(photo, 44, frames, 1.0, np.random.default_rng(2)))
    lost = [np.abs(picture.astype(int) - photo).mean() for picture in (good, bad)]
    assert lost[0] < lost[1] < 40


def test_odd_and_tiny_pictures_can_be_compressed() -> None:
    for shape in ((33, 47, 3), (15, 15, 3)):
        assert squeezed(np.full(shape, 90, np.uint8), 30, 2, 0.5, np.random.default_rng(0)).shape == shape


def test_infrared_is_grey_with_a_hot_middle() -> None:
    film = Film(night="infrared", hot=1.0, noise=2.0)

    shot = film.shoot(np.full((60, 100, 3), (200, 60, 60), np.uint8), np.random.default_rng(0))

    assert (shot == shot[..., :1]).all()
    assert shot[25:35, 45:55].mean() > shot[:10, :10].mean() + 40


def test_a_moving_person_is_smeared_and_stays_where_it_was() -> None:
    camera = aimed_camera((100, 60), focal_in_widths=1.0, height_m=1.0, yaw_deg=0, pitch_down_deg=0)
    canvas = Canvas(camera, Light(1.0, 0.0, np.array([0.0, -1.0, 0.0])))
    canvas.bgr[20:40, 45:55] = 200
    canvas.owner[20:40, 45:55] = 1
    owner = canvas.owner.copy()

    for seed in range(8):
        Film(moving=0.2).smear(canvas, np.random.default_rng(seed))

    np.testing.assert_array_equal(canvas.owner, owner)
    assert canvas.bgr[30, 43, 0] > 5
    assert not canvas.bgr[5:10].any()


def test_shake_blurs_along_its_direction_only() -> None:
    picture = np.zeros((40, 60, 3), np.float32)
    picture[:, 30:] = 200

    along, across = (Film(shake=0.1, shake_rad=angle).expose(picture) for angle in (np.pi / 2, 0.0))

    np.testing.assert_allclose(along[10:30], picture[10:30], atol=1)
    assert 20 < across[20, 28, 0] < 180
