"""Things that draw the eye: set out where the camera sees them, held in hands, looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.exhibits import set_out
from scenes.figure import Figure, draw_people
from scenes.geometry import unit
from scenes.held import KINDS, sample_held
from scenes.interest import SALIENT_SHARE
from scenes.layout import build_place, sample_camera
from scenes.place import Place
from scenes.pose import GRIP
from scenes.prints import contrasting, package_print, poster_print, screen_print, sign_print
from scenes.still import render_still
from scenes.style import Style
from scenes.truth import TARGET_KINDS, PeopleTruth
from tests.scenes.stages import empty_canvas, standing

SALIENCE = Style.parse("salience")
SMALL = (160, 96)
STANDS_OUT = [TARGET_KINDS.index(kind) for kind in ("object", "hand", "person")]
BARE = [TARGET_KINDS.index(kind) for kind in ("surface", "elsewhere")]


def shows(seed: int) -> bool:
    return bool(np.random.default_rng([29, seed]).random() < SALIENT_SHARE)


def shop(seed: int) -> Place:
    rng = np.random.default_rng(seed)
    return build_place(rng, sample_camera(rng, (280, 168), "wall"), "shop", "wall", 0.0)


@pytest.fixture(scope="module")
def people() -> list[PeopleTruth]:
    return [render_still(seed, SMALL, style=SALIENCE).people for seed in range(14) if shows(seed)]


def holder(*, holds: bool = True, kind: str = "package") -> Figure:
    """Return somebody who faces the camera and looks down at something before the chest."""
    figure = standing((0.0, 2.0), np.array([0.0, -1.2, 1.64]))
    pose = replace(figure.pose, arms=(GRIP, GRIP), grip=figure.target.point)
    held = sample_held(np.random.default_rng(1), figure.looks.top.colour, kind)
    return replace(figure, pose=pose, held=held if holds else None)


def test_colours_stand_out_from_what_is_around() -> None:
    for seed in range(20):
        around = np.random.default_rng(seed).uniform(0, 255, 3).astype(np.float32)
        assert np.abs(contrasting(np.random.default_rng([7, seed]), around) - around).sum() > 100


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_prints_have_the_shape_asked_for_and_something_on_them(aspect: float) -> None:
    rng, red = np.random.default_rng(3), np.array([30, 30, 220], np.float32)
    sheets = [maker(rng, red, aspect) for maker in (package_print, poster_print, sign_print)]

    for sheet in (*sheets, screen_print(rng, aspect)):
        assert max(sheet.shape[:2]) == 144
        assert sheet.shape[1] / sheet.shape[0] == pytest.approx(aspect)
        assert sheet.dtype == np.uint8
        assert sheet.std() > 10


def test_exhibits_are_drawn_where_they_are_said_to_be() -> None:
    count = 0
    for seed in range(3):
        place = shop(seed)
        for exhibit in set_out(place, np.random.default_rng(seed), 4):
            camera = place.canvas.camera
            pixel, depth = camera.project(exhibit.point)
            column, row = (int(v) for v in pixel)
            assert 0 <= column < 280 and 0 <= row < 168
            assert place.canvas.depth[row, column] < depth + 0.1, "nothing of the place is behind its own exhibit"
            assert 2 * exhibit.half_m * camera.focal_px / depth >= 0.45 * 0.035 * 280, "large enough to see"
            if exhibit.normal is not None:
                assert exhibit.normal @ (camera.position - exhibit.point) > 0
            count += 1
    assert count > 8


def test_exhibits_change_the_picture_but_not_twice() -> None:
    first, second, bare = shop(1), shop(1), shop(1)
    set_out(first, np.random.default_rng(5), 3)
    set_out(second, np.random.default_rng(5), 3)

    np.testing.assert_array_equal(first.canvas.bgr, second.canvas.bgr)
    assert not np.array_equal(first.canvas.bgr, bare.canvas.bgr)


def test_exhibits_stay_out_of_areas_and_off_the_floor_when_asked() -> None:
    place = shop(1)
    blocks = len(place.blocks)
    left_half = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]])

    made = set_out(place, np.random.default_rng(5), 6, avoid=[left_half], standing=False)

    pixels, _ = place.canvas.camera.project(np.stack([exhibit.point for exhibit in made]))
    assert (pixels[:, 0] > 0.52 * 280).all()
    assert len(place.blocks) == blocks
    assert not set_out(place, np.random.default_rng(5), 6, avoid=[left_half, left_half + np.array([0.5, 0.0])])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_held_is_seen_before_the_chest_and_belongs_to_nobody(kind: str) -> None:
    bare, full = empty_canvas(), empty_canvas()
    without = draw_people(bare, [holder(holds=False)])
    people = draw_people(full, [holder(kind=kind)])

    changed = np.argwhere((full.bgr != bare.bgr).any(axis=2))
    middle = (people.target_point[0] * [320, 240])[::-1]
    assert np.abs(changed.mean(axis=0) - middle).max() < 8
    assert (full.owner[tuple(changed.T)] == 0).all()
    np.testing.assert_allclose(people.head_box, without.head_box)
    assert people.target_point[0] == pytest.approx(without.target_point[0])
    assert people.target_kind.tolist() == without.target_kind.tolist()


def test_hands_meet_what_they_hold() -> None:
    aside = np.array([0.35, -1.25, 1.75])
    figure = standing((0.0, 2.0), aside)
    pose = replace(figure.pose, arms=("hang", GRIP), grip=aside)
    canvas = empty_canvas()

    people = draw_people(canvas, [replace(figure, pose=pose)])

    pixel = (people.target_point[0] * [320, 240]).astype(int)
    assert (canvas.owner[pixel[1] - 8 : pixel[1] + 9, pixel[0] - 8 : pixel[0] + 9] == 1).any()
    assert float(unit(aside - figure.head_centre) @ pose.gaze) == pytest.approx(1)


def test_scenes_that_show_nothing_of_it_are_plain() -> None:
    seed = next(seed for seed in range(100) if not shows(seed))

    np.testing.assert_array_equal(render_still(seed, SMALL, style=SALIENCE).bgr, render_still(seed, SMALL).bgr)


def test_most_people_look_at_what_stands_out(people: list[PeopleTruth]) -> None:
    kinds = np.concatenate([rows.target_kind for rows in people])

    assert len(kinds) > 15
    assert np.isin(kinds, STANDS_OUT).mean() > 0.6
    assert np.isin(kinds, BARE).mean() < 0.25
    assert (kinds == TARGET_KINDS.index("hand")).any()


def test_truth_holds(people: list[PeopleTruth]) -> None:
    for rows in people:
        angle = np.degrees(np.arccos(np.clip((rows.head_vector * rows.gaze_vector).sum(axis=1), -1, 1)))
        assert (angle < 36).all(), "eyes stay within reach of the head"
        persons = rows.target_kind == TARGET_KINDS.index("person")
        assert [bool(name) for name in rows.looked_at] == persons.tolist()
        inside = ((rows.target_point >= 0) & (rows.target_point < 1)).all(axis=1)
        assert (inside | ~rows.in_frame).all()
