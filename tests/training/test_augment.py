"""Placing, mirroring and covering keep pictures and their truth together."""

import numpy as np
import pytest

from training.augment import People, cut_out, place, weather


def somebody(head: tuple[float, float, float, float], target: tuple[float, float] = (0.5, 0.5)) -> People:
    return People(
        body_box=np.array([head], np.float32),
        head_box=np.array([head], np.float32),
        body_visible=np.ones(1, np.float32),
        head_visible=np.ones(1, np.float32),
        vectors=np.array([[0.6, 0.0, -0.8, 0.0, 0.6, -0.8]], np.float32),
        target_point=np.array([target], np.float32),
        in_frame=np.array([True]),
    )


def marked(head_px: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.zeros((96, 160, 3), np.uint8)
    x1, y1, x2, y2 = head_px
    picture[y1:y2, x1:x2] = 255
    return picture


@pytest.mark.parametrize("seed", range(12))
def test_boxes_stay_on_what_they_mark(seed: int) -> None:
    people = somebody((0.4, 0.4, 0.6, 0.6))
    rng = np.random.default_rng(seed)

    placed, moved = place(marked((64, 38, 96, 58)), people, (320, 192), rng, (0.8, 1.3))

    x1, y1, x2, y2 = moved.head_box[0] * (320, 192, 320, 192)
    inside = placed[int(y1) + 3 : int(y2) - 3, int(x1) + 3 : int(x2) - 3]
    assert inside.size == 0 or inside.min() > 250


def test_mirroring_turns_the_vectors_and_the_target() -> None:
    people = somebody((0.1, 0.4, 0.3, 0.6), target=(0.25, 0.5))
    picture = marked((16, 38, 48, 58))
    seeds = range(40)

    sides = set()
    for seed in seeds:
        _, moved = place(picture, people, (160, 96), np.random.default_rng(seed), (1.0, 1.0))
        mirrored = bool(moved.vectors[0, 0] < 0)
        sides.add(mirrored)
        assert (moved.head_box[0, 0] > 0.5) == mirrored
        assert (moved.target_point[0, 0] > 0.5) == mirrored

    assert sides == {True, False}


def test_what_leaves_the_picture_counts_as_hidden() -> None:
    people = somebody((0.0, 0.0, 0.5, 0.5), target=(0.95, 0.95))

    halves = []
    for seed in range(60):
        _, moved = place(marked((0, 0, 80, 48)), people, (160, 96), np.random.default_rng(seed), (2.0, 2.0))
        halves.append((float(moved.head_visible[0]), bool(moved.in_frame[0])))
        assert (moved.head_box >= 0).all()
        assert (moved.head_box <= 1).all()

    assert min(visible for visible, _ in halves) < 0.3
    assert {inside for _, inside in halves} == {True, False}


def test_cover_hides_in_proportion() -> None:
    people = somebody((0.3, 0.3, 0.6, 0.7))

    left = {
        round(float(cut_out(marked((0, 0, 1, 1)), people, np.random.default_rng(k))[1].head_visible[0]), 3)
        for k in range(30)
    }

    assert 1.0 in left
    assert min(left) < 0.8
    assert min(left) >= 0.0


def test_weather_keeps_size_and_type() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)

    for seed in range(20):
        seen = weather(picture, np.random.default_rng(seed))
        assert (seen.shape, seen.dtype) == (picture.shape, picture.dtype)


def test_weather_is_a_function_of_the_seed() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)

    first, second = (weather(picture, np.random.default_rng(7)) for _ in range(2))

    np.testing.assert_array_equal(first, second)
