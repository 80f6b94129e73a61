"""Placing, mirroring and covering keep pictures and their truth together."""

from dataclasses import replace

import numpy as np
import pytest

from training.augment import People, covered_by, cut_out, place, weather

Box = tuple[float, float, float, float]
NOWHERE = (np.nan, np.nan, np.nan, np.nan)


def somebody(head: Box, target: tuple[float, float] = (0.5, 0.5), face: Box = NOWHERE) -> People:
    return People(
        body_box=np.array([head], np.float32),
        head_box=np.array([head], np.float32),
        body_visible=np.ones(1, np.float32),
        head_visible=np.ones(1, np.float32),
        vectors=np.array([[0.6, 0.0, -0.8, 0.0, 0.6, -0.8]], np.float32),
        target_point=np.array([target], np.float32),
        in_frame=np.array([True]),
        face_box=np.array([face], np.float32),
        face_visible=np.ones(1, np.float32),
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


def test_faces_follow_mirroring_and_scaling() -> None:
    """The face is the left half of the head, so it is the right half in the mirror."""
    people = somebody((0.3, 0.4, 0.5, 0.6), face=(0.3, 0.45, 0.4, 0.6))

    sides = set()
    for seed in range(40):
        _, moved = place(marked((48, 38, 80, 58)), people, (320, 192), np.random.default_rng(seed), (0.5, 0.9))
        (left, top, right, bottom), face = moved.head_box[0], moved.face_box[0]
        mirrored = bool(moved.vectors[0, 0] < 0)
        sides.add(mirrored)
        wanted = [(left + right) / 2, top + (bottom - top) / 4, right, bottom]
        if not mirrored:
            wanted[0], wanted[2] = left, (left + right) / 2
        np.testing.assert_allclose(face, wanted, atol=1e-6)
        assert moved.face_visible.tolist() == pytest.approx([1.0])

    assert sides == {True, False}


def test_heads_from_behind_have_no_face_wherever_they_are() -> None:
    people = replace(somebody((0.3, 0.4, 0.5, 0.6)), face_visible=np.zeros(1, np.float32))

    _, moved = place(marked((48, 38, 80, 58)), people, (320, 192), np.random.default_rng(0), (0.5, 2.0))
    covered = covered_by(moved, np.array([0.0, 0.0, 1.0, 1.0], np.float32))

    assert np.isnan(covered.face_box).all()
    assert covered.face_visible.tolist() == [0.0]


def test_what_is_not_known_of_a_face_stays_unknown() -> None:
    people = replace(somebody((0.3, 0.4, 0.5, 0.6)), face_visible=np.full(1, np.nan, np.float32))

    _, moved = place(marked((48, 38, 80, 58)), people, (320, 192), np.random.default_rng(0), (0.5, 2.0))

    assert np.isnan(covered_by(moved, np.array([0.0, 0.0, 0.1, 0.1], np.float32)).face_visible).all()


def test_a_cover_hides_its_share_of_a_face() -> None:
    people = somebody((0.2, 0.2, 0.6, 0.6), face=(0.2, 0.4, 0.6, 0.6))

    covered = covered_by(people, np.array([0.0, 0.0, 0.3, 0.5], np.float32))

    assert covered.face_visible[0] == pytest.approx(1 - 0.25 * 0.5)
    assert covered.head_visible[0] == pytest.approx(1 - 0.25 * 0.75)
    assert covered.head_visible[0] == covered.body_visible[0]


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
