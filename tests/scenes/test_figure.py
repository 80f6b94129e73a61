from dataclasses import replace

import numpy as np
import pytest

from scenes.canvas import plain
from scenes.figure import draw_people
from scenes.truth import TARGET_KINDS
from tests.scenes.stages import Floats, empty_canvas, standing

CAMERA = np.array([0.0, -1.6, 0.0])


@pytest.mark.parametrize(
    ("offset", "direction", "yaw"),
    [((0, 0, -9), 0, 0), ((9, 0, 0), 2, 90), ((0, 0, 9), 4, 180), ((-9, 0, 0), 6, -90), ((9, 0, -9), 1, 45)],
)
def test_yaw_and_direction_of_a_person_ahead_of_the_camera(
    offset: tuple[float, float, float], direction: int, yaw: float
) -> None:
    person = standing((0.0, 3.0), np.array([0.0, -1.6, 3.0]))
    target = person.head_centre + np.array(offset)

    truth = draw_people(empty_canvas(), [standing((0.0, 3.0), target)])

    assert truth.direction.tolist() == [direction]
    assert abs(truth.yaw_pitch_roll_deg[0, 0]) == pytest.approx(abs(yaw), abs=0.5)
    assert np.sign(round(truth.head_vector[0, 0], 6)) == np.sign(offset[0])
    np.testing.assert_allclose(truth.head_vector, truth.gaze_vector, atol=1e-9)


def test_who_looks_into_the_camera_has_yaw_zero_anywhere_in_the_picture() -> None:
    for x in (-1.0, 0.6):
        truth = draw_people(empty_canvas(), [standing((x, 3.0), CAMERA)])

        np.testing.assert_allclose(truth.yaw_pitch_roll_deg[0, :2], 0, atol=1e-6)
        np.testing.assert_allclose(truth.head_vector[0], [0, 0, -1], atol=1e-9)


def test_mirrored_people_have_mirrored_truth() -> None:
    targets = (np.array([2.0, -1.0, 2.0]), np.array([-2.0, -1.0, 2.0]))
    left, right = (
        draw_people(empty_canvas(), [standing((x, 3.0), target)])
        for x, target in zip((0.5, -0.5), targets, strict=True)
    )

    np.testing.assert_allclose(left.yaw_pitch_roll_deg, right.yaw_pitch_roll_deg * [-1, 1, -1], atol=1e-6)
    np.testing.assert_allclose(left.target_point, [1, 0] + right.target_point * [-1, 1], atol=1e-9)
    np.testing.assert_allclose(left.head_box[0, 1::2], right.head_box[0, 1::2], atol=0.01)


def test_target_point_is_the_pixel_where_the_target_is_seen() -> None:
    canvas = empty_canvas()
    target = np.array([0.9, -1.1, 3.4])
    canvas.ellipsoid(target, np.eye(3), np.full(3, 0.03), plain(np.full(3, 255.0)), owner=99)

    truth = draw_people(canvas, [standing((-0.7, 3.0), target)])

    ys, xs = np.nonzero(canvas.owner == 99)
    np.testing.assert_allclose(truth.target_point[0] * [320, 240], [xs.mean() + 0.5, ys.mean() + 0.5], atol=0.6)
    assert truth.in_frame.tolist() == [True]
    assert truth.looked_at == ("shelf",)
    assert TARGET_KINDS[truth.target_kind[0]] == "object"


def test_targets_beside_and_behind_the_picture_are_not_in_frame() -> None:
    beside = draw_people(empty_canvas(), [standing((0, 3.0), np.array([5.0, -1.0, 3.0]))])
    behind = draw_people(empty_canvas(), [standing((0, 3.0), np.array([0.5, -1.0, -3.0]))])

    assert not beside.in_frame[0]
    assert beside.target_point[0, 0] > 1
    assert not behind.in_frame[0]
    assert np.isnan(behind.target_point).all()


def test_the_camera_itself_is_never_in_frame() -> None:
    person = standing((0.2, 3.0), CAMERA + np.array([0.0, 0.0, 0.6]))

    assert draw_people(empty_canvas(), [person]).in_frame[0]
    into_camera = replace(person, target=replace(person.target, kind="camera"))
    assert not draw_people(empty_canvas(), [into_camera]).in_frame[0]


def test_boxes_enclose_the_visible_person_and_the_head_is_its_top() -> None:
    canvas = empty_canvas()
    person = standing((0.2, 4.6), CAMERA)

    truth = draw_people(canvas, [person])

    centre = canvas.camera.project(person.head_centre)[0] / [320, 240]
    head, body = truth.head_box[0], truth.body_box[0]
    assert (head[:2] < centre).all() and (centre < head[2:]).all()
    assert body[1] == pytest.approx(head[1], abs=0.02)
    assert body[3] > 0.75
    assert truth.head_visible[0] == pytest.approx(1)
    assert truth.body_visible[0] == pytest.approx(1, abs=0.02)
    height_px = (head[3] - head[1]) * 240
    assert 0.2 < height_px * 4.6 / 320 < 0.36, "a head is about 25 cm tall"


def _occluded(corners: Floats) -> tuple[float, float]:
    canvas = empty_canvas()
    canvas.quad(corners, np.full((8, 8, 3), 90, np.uint8))
    truth = draw_people(canvas, [standing((0.0, 4.0), CAMERA)])
    return float(truth.head_visible[0]), float(truth.body_visible[0])


def test_a_counter_hides_the_body_but_not_the_head() -> None:
    head, body = _occluded(np.array([[-2, -1.25, 2], [2, -1.25, 2], [2, 0, 2], [-2, 0, 2.0]]))

    assert head == pytest.approx(1)
    assert 0.15 < body < 0.8


def test_nobody_is_reported_whom_a_wall_hides() -> None:
    canvas = empty_canvas()
    canvas.quad(np.array([[-3, -4.0, 2], [3, -4.0, 2], [3, 2, 2], [-3, 2, 2.0]]), np.full((8, 8, 3), 90, np.uint8))

    assert len(draw_people(canvas, [standing((0.0, 4.0), CAMERA)])) == 0


def test_the_frame_edge_cuts_boxes_and_visibility() -> None:
    truth = draw_people(empty_canvas(), [standing((1.5, 3.0), CAMERA)])

    assert truth.head_box[0, 2] == 1.0
    assert 0.2 < truth.head_visible[0] < 0.8


def test_rows_are_ordered_by_person_whatever_the_order_of_drawing() -> None:
    people = [standing((0.8, 4.0), CAMERA, person_id=9), standing((-0.8, 4.0), CAMERA, person_id=2)]

    assert draw_people(empty_canvas(), people).person_id.tolist() == [2, 9]
    assert draw_people(empty_canvas(), []).head_box.shape == (0, 4)
