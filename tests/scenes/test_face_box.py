"""Where faces are and how much of them is seen."""

import numpy as np
import pytest

from scenes.canvas import plain
from scenes.figure import draw_people
from scenes.truth import PeopleTruth
from tests.scenes.stages import Floats, empty_canvas, standing

CAMERA = np.array([0.0, -1.6, 0.0])


def looking(at: Floats, ball_at: float | None = None) -> PeopleTruth:
    """Return the truth of somebody two metres before the camera; on the way to the head, at a share, is a ball."""
    canvas, person = empty_canvas(), standing((0.0, 2.0), at)
    if ball_at is not None:
        centre = CAMERA + ball_at * (person.head_centre - CAMERA)
        canvas.ellipsoid(centre, np.eye(3), np.full(3, 0.04), plain(np.full(3, 128.0)), owner=99)
    return draw_people(canvas, [person])


def test_a_face_to_the_camera_is_within_the_head_and_seen() -> None:
    truth = looking(CAMERA)

    face, head = truth.face_box[0], truth.head_box[0]
    assert (face[:2] >= head[:2]).all()
    assert (face[2:] <= head[2:]).all()
    assert truth.face_visible[0] == pytest.approx(1.0, abs=0.05)
    assert (face[2] - face[0]) / (head[2] - head[0]) > 0.3  # much hair
    assert (face[1] + face[3]) / 2 > (head[1] + head[3]) / 2  # below hair and forehead


@pytest.mark.parametrize("side", [-1, 1])
def test_of_a_face_from_the_side_less_is_seen_and_on_its_side(side: int) -> None:
    truth = looking(np.array([9.0 * side, -1.6, 2.0]))

    face, head = truth.face_box[0], truth.head_box[0]
    assert 0.2 < truth.face_visible[0] < 0.7
    assert np.sign((face[0] + face[2]) - (head[0] + head[2])) == side


def test_from_behind_there_is_none() -> None:
    truth = looking(np.array([0.0, -1.6, 9.0]))

    assert np.isnan(truth.face_box).all()
    assert truth.face_visible.tolist() == [0.0]


def test_what_is_before_a_face_hides_its_share_and_leaves_the_box() -> None:
    free, covered = looking(CAMERA), looking(CAMERA, ball_at=0.8)

    np.testing.assert_array_equal(covered.face_box, free.face_box)
    assert 0.0 < covered.face_visible[0] < free.face_visible[0] - 0.1


def test_what_stands_behind_hides_nothing() -> None:
    assert looking(CAMERA, ball_at=1.5).face_visible[0] == looking(CAMERA).face_visible[0]
