"""Directions as angles and as vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops import rotations as rot
from nodes.ops.directions import leaned, vectors, yaw_pitch

CASES = [
    ((0, 0), (0, 0, -1)),
    ((90, 0), (1, 0, 0)),
    ((-90, 0), (-1, 0, 0)),
    ((180, 0), (0, 0, 1)),
    ((0, 30), (0, -0.5, -np.sqrt(0.75))),
]


@pytest.mark.parametrize(("angles", "vector"), CASES)
def test_angles_are_vectors(angles: tuple[float, float], vector: tuple[float, ...]) -> None:
    assert vectors(np.array([angles]))[0] == pytest.approx(vector, abs=1e-12)
    assert yaw_pitch(3 * np.array([vector]))[0] == pytest.approx(angles)


@given(yaw=st.floats(-179, 180), pitch=st.floats(-85, 85))
def test_a_direction_is_where_a_head_without_roll_points(yaw: float, pitch: float) -> None:
    made = vectors(np.array([[yaw, pitch]]))

    assert made == pytest.approx(rot.noses(np.array([[yaw, pitch, 0]])), abs=1e-9)
    assert yaw_pitch(made)[0] == pytest.approx([yaw, pitch], abs=1e-6)


def test_what_has_no_direction_has_no_angles() -> None:
    made = yaw_pitch(np.array([[0, 0, 0], [np.nan, 0, 0], [-0.0, 0, 1]]))

    assert np.isnan(made[:2]).all()
    assert made[2].tolist() == [180, 0]
    assert np.isnan(vectors(np.array([[10, np.nan]]))).any()


def test_leaning_turns_clockwise_in_the_image() -> None:
    right = np.array([[1.0, 0, -1]])

    assert leaned(right, np.array([90]))[0] == pytest.approx([0, 1, -1], abs=1e-12)
    assert leaned(right, np.array([-90]))[0] == pytest.approx([0, -1, -1], abs=1e-12)
