import math

import numpy as np

from scenes.camera import aimed_camera
from scenes.canvas import FAR_M, plain
from scenes.place import Block
from tests.scenes.stages import empty_canvas, level_camera

RED = plain(np.array([0, 0, 200.0]))
BLUE = plain(np.array([200.0, 0, 0]))


def test_camera_projects_by_hand_and_back() -> None:
    camera = level_camera()

    pixel, depth = camera.project(np.array([0.5, -1.6, 4.0]))

    np.testing.assert_allclose(pixel, [160 + 320 * 0.5 / 4, 120])
    assert depth == 4
    np.testing.assert_allclose(camera.point_at((float(pixel[0]), float(pixel[1])), 4.0), [0.5, -1.6, 4.0])


def test_what_is_behind_the_camera_has_no_pixel() -> None:
    pixel, depth = level_camera().project(np.array([0.0, -1.6, -1.0]))

    assert np.isnan(pixel).all()
    assert depth == -1


def test_a_camera_pitched_down_sees_the_floor_ahead() -> None:
    camera = aimed_camera((320, 240), focal_in_widths=1, height_m=2, yaw_deg=0, pitch_down_deg=45)

    pixel, _ = camera.project(np.array([0.0, 0.0, 2.0]))

    np.testing.assert_allclose(pixel, [160, 120], atol=1e-9)


def test_outline_of_a_sphere_is_its_tangent_cone_and_its_pixels_fill_it() -> None:
    canvas = empty_canvas()

    box = canvas.ellipsoid(np.array([0, -1.6, 3.0]), np.eye(3), np.full(3, 0.5), RED, owner=7)

    half = 320 * 0.5 / math.sqrt(3.0**2 - 0.5**2)
    assert box is not None
    np.testing.assert_allclose(box, [160 - half, 120 - half, 160 + half, 120 + half], atol=1e-6)
    ys, xs = np.nonzero(canvas.owner == 7)
    assert abs(xs.min() - box[0]) <= 1
    assert abs(xs.max() + 1 - box[2]) <= 1
    assert abs(ys.min() - box[1]) <= 1
    np.testing.assert_allclose(canvas.depth[120, 160], 2.5, atol=1e-4)


def test_outline_of_a_turned_ellipsoid_off_the_axis_encloses_its_pixels_tightly() -> None:
    canvas = empty_canvas()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]

    box = canvas.ellipsoid(np.array([0.7, -1.2, 2.5]), turn, np.array([0.1, 0.4, 0.2]), RED, owner=1)

    ys, xs = np.nonzero(canvas.owner == 1)
    assert box is not None
    np.testing.assert_allclose([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], box, atol=1.2)


def test_the_nearer_of_two_hides_the_other_in_either_order() -> None:
    for first in (0, 1):
        canvas = empty_canvas()
        for number in (first, 1 - first):
            shader = (RED, BLUE)[number]
            canvas.ellipsoid(np.array([0, -1.6, 3.0 + number]), np.eye(3), np.full(3, 0.3), shader, owner=number + 1)
        assert canvas.owner[120, 160] == 1


def test_what_lies_behind_the_camera_is_not_drawn() -> None:
    canvas = empty_canvas()

    assert canvas.ellipsoid(np.array([0, -1.6, -2.0]), np.eye(3), np.full(3, 0.3), RED) is None
    assert (canvas.depth == FAR_M).all()


def test_a_quad_covers_the_pixels_of_its_corners_at_its_depth() -> None:
    canvas = empty_canvas()
    corners = np.array([[-1, -2.6, 4], [1, -2.6, 4], [1, -0.6, 4], [-1, -0.6, 4.0]])

    assert canvas.quad(corners, np.full((8, 8, 3), 90, np.uint8))

    inside = canvas.depth < FAR_M
    ys, xs = np.nonzero(inside)
    np.testing.assert_allclose([xs.min(), ys.min(), xs.max(), ys.max()], [80, 40, 240, 200], atol=1)
    np.testing.assert_allclose(canvas.depth[inside], 4.0, rtol=1e-4)
    np.testing.assert_allclose(canvas.bgr[120, 160], 90)


def test_a_copy_is_drawn_on_without_touching_the_original() -> None:
    canvas = empty_canvas()

    canvas.copy().ellipsoid(np.array([0, -1.6, 3.0]), np.eye(3), np.full(3, 0.3), RED, owner=1)

    assert not canvas.owner.any()
    assert not canvas.covered.any()


def test_a_block_cuts_lines_through_it_but_not_to_its_face() -> None:
    block = Block(x=0, z=3, half_x=1, half_z=0.5, height=1.5, yaw=0.3)
    near, far = block.point(0, -2, 1.0), block.point(0, 2, 1.0)

    assert block.cuts(near, far)
    assert not block.cuts(near, block.point(0, -0.5, 1.0))
    assert not block.cuts(block.point(0, -2, 1.7), block.point(0, 2, 1.7))
    np.testing.assert_allclose(block.local(near), [0, 1.0, -2], atol=1e-12)
    assert block.holds(0.1, 3.1, 0.0)
    assert not block.holds(0, 4.5, 0.3)
