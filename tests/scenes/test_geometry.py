import math

import numpy as np
import pytest

from scenes.geometry import along, azimuth_elevation, cross, direction, looking_along, wrapped, yaw_pitch_roll_deg


def test_direction_and_its_angles_undo_each_other() -> None:
    for azimuth, elevation in ((0.0, 0.0), (1.2, 0.3), (-2.9, -0.7)):
        assert azimuth_elevation(direction(azimuth, elevation)) == pytest.approx((azimuth, elevation))


def test_direction_forward_right_and_up() -> None:
    np.testing.assert_allclose(direction(0, 0), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(direction(math.pi / 2, 0), [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(direction(0, math.pi / 2), [0, -1, 0], atol=1e-12)


def test_looking_forward_has_the_world_axes() -> None:
    np.testing.assert_allclose(looking_along(np.array([0, 0, 2.0])), np.eye(3), atol=1e-12)


def test_looking_along_is_a_rotation_whose_right_side_sinks_with_roll() -> None:
    turn = looking_along(np.array([0.3, -0.2, 0.9]), 0.4)

    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert turn[1, 0] > 0.3


@pytest.mark.parametrize(
    ("nose", "yaw", "pitch"),
    [
        ((0, 0, -1), 0, 0),
        ((1, 0, 0), 90, 0),
        ((-1, 0, 0), -90, 0),
        ((0, 0, 1), 180, 0),
        ((0, -0.5, -math.sqrt(0.75)), 0, 30),
        ((math.sqrt(0.5), 0, -math.sqrt(0.5)), 45, 0),
    ],
)
def test_head_angles_of_noses_by_hand(nose: tuple[float, float, float], yaw: float, pitch: float) -> None:
    angles = yaw_pitch_roll_deg(looking_along(np.array(nose, np.float64)))

    np.testing.assert_allclose(np.abs(angles), np.abs([yaw, pitch, 0]), atol=1e-6)
    assert abs(yaw) == 180 or angles[0] == pytest.approx(yaw, abs=1e-6)
    assert angles[1] == pytest.approx(pitch, abs=1e-6)


def test_roll_of_a_head_that_faces_the_camera_leans_to_its_own_right_shoulder() -> None:
    head = looking_along(np.array([0, 0, -1.0]), math.radians(20))

    assert yaw_pitch_roll_deg(head)[2] == pytest.approx(20)
    crown = -head[:, 1]
    assert crown[0] < 0, "the person's right is the image's left"


def test_cross_and_along_agree_with_numpy() -> None:
    a, b = np.array([1.0, 2, 3]), np.array([-2.0, 0.5, 4])

    np.testing.assert_allclose(cross(a, b), np.cross(a, b))
    axes = along(a / np.linalg.norm(a))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(axes[:, 1], a / np.linalg.norm(a))


def test_wrapped_angles() -> None:
    assert wrapped(3 * math.pi) == pytest.approx(math.pi)
    assert wrapped(-math.pi / 2) == pytest.approx(-math.pi / 2)
    assert wrapped(1.5 * math.pi) == pytest.approx(-math.pi / 2)
