"""A camera that moves, and says so: three people, too few to tell of it themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nodes.track_people import TrackPeople
from nodes.types import CameraMotion, Tracks
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, table
from tests.nodes.walkers import found, ids, person

ASPECT = 16 / 9
STILL = np.eye(2, 3)
PLACES = ((0.15, 0.1), (0.4, 0.2), (0.65, 0.15))
JUMP = 12
"""The frame before which the camera moves."""


def turned(degrees: float, zoom: float) -> np.ndarray:
    """Return how the picture is turned and zoomed about its centre, in fractions of the frame."""
    angle, middle = math.radians(degrees), np.array([0.5, 0.5])
    in_heights = zoom * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turn = in_heights * np.array([[1, 1 / ASPECT], [ASPECT, 1]])
    return np.concatenate([turn, (middle - turn @ middle)[:, None]], axis=1)


def seen(motion: np.ndarray, told: np.ndarray | None, dx: float = 0.0, hidden: bool = False) -> list[Tracks]:
    """Return the tracks of people who walk by `dx` a frame, while the camera moves once; from then on maybe hidden."""
    node = make_node(TrackPeople, high_score=0.6, new_score=0.6, min_likeness=0.2, coast_s=1.0, coast_spread=9.0)
    node.open()
    made = []
    for index in range(JUMP + 8):
        people = [person(x + dx * index, y) for x, y in PLACES]
        if index >= JUMP:
            zoom = math.sqrt(abs(np.linalg.det(motion[:, :2])))
            people = [moved(x + dx * index, y, motion, zoom) for x, y in PLACES if not hidden]
        camera = [] if told is None else [table(CameraMotion, frame_row=[0], affine=[told if index == JUMP else STILL])]
        made.append(node.process(frames(1, start_s=index * 0.1, step_s=0.1), found(*people), *camera))
    return made


def moved(x: float, y: float, motion: np.ndarray, zoom: float) -> dict[str, object]:
    """Return a person as the camera that has moved sees it: upright about the place of the crown, and larger."""
    x, y = motion @ (x, y, 1)
    head, body = ([x - wide * zoom, y, x + wide * zoom, y + high * zoom] for wide, high in ((0.025, 0.08), (0.06, 0.6)))
    return person(x, y) | {"head_box": head, "body_box": body}


@pytest.mark.parametrize(
    "motion", [np.array([[1, 0, 0.25], [0, 1, 0.0]]), np.array([[1, 0, -0.12], [0, 1, 0.3]]), turned(-40, 1.3)]
)
def test_people_keep_their_numbers_when_the_camera_says_that_it_moved(motion: np.ndarray) -> None:
    with_camera, without = seen(motion, motion), seen(motion, None)

    assert ids(with_camera) == [[1, 2, 3]] * (JUMP + 8)
    assert all(frame.observed.all() for frame in with_camera)
    assert ids(without)[-1] != [1, 2, 3]


def test_walkers_go_on_in_the_picture_as_it_is_now() -> None:
    """Turned by 90°, they walk down where they walked to the right."""
    quarter = turned(90, 1.0)

    tracks = seen(quarter, quarter, dx=0.02, hidden=True)

    first, later = (frame.body_box[0] for frame in (tracks[JUMP], tracks[JUMP + 4]))
    middle = (later[[0, 1]] + later[[2, 1]]) / 2 - (first[[0, 1]] + first[[2, 1]]) / 2
    assert middle == pytest.approx([0, 4 * 0.02 * ASPECT], abs=0.04)
    assert middle[0] == pytest.approx(0, abs=0.001)


def test_a_camera_that_stands_still_changes_nothing() -> None:
    assert equal(concat(seen(STILL, STILL, dx=0.01)), concat(seen(STILL, None, dx=0.01)))


def test_a_frame_of_which_nothing_is_told_is_taken_as_it_is() -> None:
    node = make_node(TrackPeople)
    node.open()
    batch = frames(3, step_s=0.1)
    people = concat([found(person(0.3)), found(person(0.55)), found(person(0.55))])
    people = replace(people, frame_row=np.arange(3))

    tracks = node.process(batch, people, table(CameraMotion, frame_row=[1], affine=[[[1, 0, 0.25], [0, 1, 0]]]))

    assert tracks.track_id[tracks.observed].tolist() == [1, 1, 1]
