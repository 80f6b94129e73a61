import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nodes.ops import rotations as rot
from scenes.geometry import yaw_pitch_roll_deg

HALF_TURN = st.floats(-180, 180)
ANGLES = st.tuples(HALF_TURN, st.floats(-90, 90), HALF_TURN)
TURNS = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(part * part for part in q) > 1e-3)
RIGHT, DOWN, AWAY = np.eye(3)


def turn(parts: tuple[float, ...]) -> np.ndarray:
    """Return the rotation (1, 3, 3) of a quaternion of any length."""
    return np.asarray(Rotation.from_quat(np.array(parts)).as_matrix()[None])


def of(yaw: float, pitch: float = 0.0, roll: float = 0.0, *, order: rot.Order = "yxz") -> np.ndarray:
    return rot.matrices(np.array([[yaw, pitch, roll]]), order)


@pytest.mark.parametrize(
    ("angles", "nose", "crown"),
    [
        ((0, 0, 0), -AWAY, -DOWN),
        ((90, 0, 0), RIGHT, -DOWN),
        ((180, 0, 0), AWAY, -DOWN),
        ((-90, 0, 0), -RIGHT, -DOWN),
        ((0, 90, 0), -DOWN, AWAY),
        ((0, -90, 0), DOWN, -AWAY),
        ((180, 90, 0), -DOWN, -AWAY),
        ((0, 0, 90), -AWAY, RIGHT),
        ((90, 0, 90), RIGHT, AWAY),
    ],
    ids=["at rest", "image-right", "away", "image-left", "up", "down", "away and up", "clockwise", "side and rolled"],
)
def test_what_yaw_pitch_and_roll_mean(angles: tuple[float, ...], nose: np.ndarray, crown: np.ndarray) -> None:
    (made,) = of(*angles)

    assert made @ -AWAY == pytest.approx(nose)
    assert made @ -DOWN == pytest.approx(crown)
    assert rot.noses(np.array([angles]))[0] == pytest.approx(nose)


@given(ANGLES)
def test_angles_come_back_from_their_rotation(angles: tuple[float, float, float]) -> None:
    """Straight up and down the same rotation has many angles; there the rotation comes back."""
    made = of(*angles)
    back = rot.yaw_pitch_roll(made)

    assert rot.matrices(back) == pytest.approx(made, abs=1e-9)
    assert (abs(back[0]) <= [180, 90, 180]).all()
    assert (back[0, [0, 2]] > -180).all()
    if abs(angles[1]) < 89.9:
        assert np.abs((back[0] - angles + 180) % 360 - 180) == pytest.approx(0, abs=1e-6)


@given(TURNS)
def test_every_rotation_comes_back_from_each_form(parts: tuple[float, ...]) -> None:
    made = turn(parts)
    quaternion = rot.quaternions(made)

    assert np.linalg.norm(quaternion) == pytest.approx(1)
    assert quaternion[0, 0] >= 0
    assert rot.from_quaternions(quaternion) == pytest.approx(made)
    assert rot.from_quaternions(rot.from_vectors(rot.vectors(quaternion))) == pytest.approx(made)
    assert rot.matrices(rot.yaw_pitch_roll(made)) == pytest.approx(made, abs=1e-7)
    assert rot.from_six(np.concatenate([made[:, :, 0], made[:, :, 1]], axis=1)) == pytest.approx(made)


@given(TURNS, TURNS)
def test_turns_follow_each_other_as_matrices_do(first: tuple[float, ...], then: tuple[float, ...]) -> None:
    a, b = (rot.quaternions(turn(parts)) for parts in (then, first))

    assert rot.from_quaternions(rot.product(a, b)) == pytest.approx(turn(then) @ turn(first))
    assert rot.from_quaternions(rot.product(a, rot.undone(a))) == pytest.approx(np.eye(3)[None], abs=1e-9)


@given(TURNS, TURNS)
def test_the_angle_between_is_that_of_an_independent_library(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    a, b = Rotation.from_quat(np.array(one)), Rotation.from_quat(np.array(other))

    made = rot.angle_between(a.as_matrix()[None], b.as_matrix()[None])

    assert made[0] == pytest.approx(np.degrees((a.inv() * b).magnitude()), abs=1e-5)
    assert rot.angle_between(b.as_matrix()[None], a.as_matrix()[None]) == pytest.approx(made, abs=1e-5)


@pytest.mark.parametrize("order", ["yxz", "xyz", "zyx"])
def test_orders_are_those_of_an_independent_library(order: rot.Order) -> None:
    yaw, pitch, roll = 70, -25, 35
    of_axis = {"y": -yaw, "x": -pitch, "z": roll}

    expected = Rotation.from_euler(order.upper(), [of_axis[axis] for axis in order], degrees=True).as_matrix()

    assert of(yaw, pitch, roll, order=order)[0] == pytest.approx(expected)


@given(ANGLES)
def test_a_mirror_turns_the_sign_of_yaw_and_roll(angles: tuple[float, float, float]) -> None:
    mirror = np.diag([-1.0, 1, 1])

    assert of(-angles[0], angles[1], -angles[2])[0] == pytest.approx(mirror @ of(*angles)[0] @ mirror)


def test_yaw_and_pitch_are_those_of_the_rendered_scenes() -> None:
    """Scenes hold the axes of a head as right, down and forward of the person: half a turn from the picture's."""
    own = np.diag([-1.0, 1, -1])
    for angles in ((30, 10, 0), (-120, -40, 0), (170, 20, 0)):
        assert yaw_pitch_roll_deg(of(*angles)[0] @ own)[:2] == pytest.approx(angles[:2])


@given(ANGLES, st.floats(1, 60))
def test_the_mean_lies_in_the_middle(angles: tuple[float, float, float], apart: float) -> None:
    middle = of(*angles)
    both = [middle @ of(0, 0, side * apart) for side in (-1, 1)]

    assert rot.mean(np.stack(both)) == pytest.approx(middle)
    assert rot.angle_between(rot.mean(np.stack([both[0]] * 2)), both[0])[0] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("opposite", [(180, 0, 0), (0, 180, 0), (0, 0, 180)])
def test_the_mean_of_opposite_rotations_is_a_rotation(opposite: tuple[float, ...]) -> None:
    (made,) = rot.mean(np.stack([of(0), of(*opposite)]))

    assert made @ made.T == pytest.approx(np.eye(3))
    assert np.linalg.det(made) == pytest.approx(1)


def test_six_numbers_of_any_length_and_angle_are_a_rotation() -> None:
    (made,) = rot.from_six(np.array([[0, 0, -3.0, 5.0, 0, 1.0]]))

    assert made == pytest.approx(np.stack([-AWAY, RIGHT, -DOWN], axis=1))
    assert np.isfinite(rot.from_six(np.zeros((1, 6)))).all()


def test_no_turn_and_half_a_turn_are_ordinary() -> None:
    vectors = np.array([[0, 0, 0], [1e-12, 0, 0], [0, np.pi, 0], [0, 0, -np.pi]])

    back = rot.vectors(rot.from_vectors(vectors))

    assert np.linalg.norm(back, axis=1) == pytest.approx([0, 0, np.pi, np.pi], abs=1e-11)
    assert back[:2] == pytest.approx(vectors[:2], abs=1e-15)


def test_nothing_is_ordinary() -> None:
    none = np.zeros((0, 3))

    assert rot.matrices(none).shape == (0, 3, 3)
    assert rot.yaw_pitch_roll(rot.matrices(none)).shape == (0, 3)
    assert rot.quaternions(rot.matrices(none)).shape == (0, 4)
    assert rot.from_quaternions(np.zeros((0, 4))).shape == (0, 3, 3)
    assert rot.mean(np.zeros((2, 0, 3, 3))).shape == (0, 3, 3)


def test_rotations_without_roll_point_where_they_are_told_to() -> None:
    noses = np.random.default_rng(2).normal(size=(50, 3)) * 3

    made = rot.towards(noses)

    np.testing.assert_allclose(-made[:, :, 2], noses / np.linalg.norm(noses, axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(rot.yaw_pitch_roll(made)[:, 2], 0, atol=1e-9)
    np.testing.assert_allclose(rot.noses(rot.yaw_pitch_roll(made)), -made[:, :, 2], atol=1e-12)


def test_what_points_nowhere_is_no_rotation() -> None:
    assert np.isnan(rot.towards(np.array([[0, 0, 0], [np.nan, 0, -1], [np.inf, 0, 0]]))).all()
    assert rot.towards(np.empty((0, 3))).shape == (0, 3, 3)
