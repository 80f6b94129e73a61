"""Lenses bend pictures and the truth about them alike."""

import math
from dataclasses import replace

import numpy as np
import pytest

from scenes.attention import attentive_figure
from scenes.bent import bent_truth
from scenes.camera import Camera, aimed_camera
from scenes.canvas import Canvas, Light, plain
from scenes.figure import Figure, Target, draw_people
from scenes.lens import fitted_lens, sample_lens
from scenes.looks import sample_looks
from scenes.sets import fingerprint
from scenes.still import render_still
from scenes.style import FULL, PLAIN, Style
from scenes.truth import no_people

SMALL = (160, 96)
LENS = Style(lens=True)
LIGHT = Light(0.7, 0.4, np.array([0.0, -1.0, 0.0]))


def _camera() -> Camera:
    return aimed_camera((480, 288), focal_in_widths=0.6, height_m=1.6, yaw_deg=0, pitch_down_deg=12)


def _person(x: float, z: float, number: int) -> Figure:
    rng = np.random.default_rng(number)
    looks = sample_looks(rng)
    looks = replace(looks, hat="none", mask=None, scarf=None, hair=replace(looks.hair, style="bald"))
    target = Target(np.array([0.3, -1.0, 3.0]), "surface")
    return attentive_figure(rng, number, looks, np.array([x, 0.0, z]), False, target)


@pytest.mark.parametrize("bend", [0.3, 0.7, 1.1])
@pytest.mark.parametrize("spot", [(0.0, -1.4, 3.0), (2.2, -1.0, 3.0), (-1.5, -2.2, 2.5), (1.2, -0.2, 2.0)])
def test_a_ball_is_seen_where_its_middle_maps_to(bend: float, spot: tuple[float, float, float]) -> None:
    lens = fitted_lens(_camera(), bend, math.radians(50))
    canvas = Canvas(lens.camera, LIGHT)
    canvas.ellipsoid(np.array(spot), np.eye(3), np.full(3, 0.04), plain(np.array([255.0, 255, 255])), owner=1)

    rows, columns = np.nonzero(lens.picture(canvas.bgr)[..., 1] > 60)
    pixel, _ = lens.camera.project(np.array(spot))

    np.testing.assert_allclose(
        lens.bent_px(pixel), [columns.mean() + 0.5, rows.mean() + 0.5], atol=0.8, err_msg="picture"
    )
    assert (lens.owners(canvas.owner) == 1).sum() == pytest.approx(len(rows), rel=0.35)


def test_the_edges_are_where_the_angle_says_and_the_corners_are_drawn() -> None:
    lens = fitted_lens(_camera(), 0.9, math.radians(52))
    axes = lens.camera.world_from_camera
    edge = lens.camera.position + axes @ np.array([math.tan(math.radians(52)), 0.0, 1.0])

    pixel, _ = lens.camera.project(edge)
    x, y = lens.maps()

    np.testing.assert_allclose(lens.bent_px(pixel), [480, 144], atol=1e-6)
    assert x.min() >= -0.5 and y.min() >= -0.5
    assert x.max() <= lens.camera.size_wh[0] - 0.5 and y.max() <= lens.camera.size_wh[1] - 0.5


def test_a_weak_lens_is_a_pinhole() -> None:
    lens = fitted_lens(_camera(), 1e-4, math.atan(0.5 / 0.6))
    points = np.array([[1.0, -1.0, 3.0], [-0.5, -0.3, 2.0]])

    np.testing.assert_allclose(lens.bent_px(lens.camera.project(points)[0]), _camera().project(points)[0], atol=1e-3)
    assert np.isnan(lens.bent_px(np.full(2, np.nan))).all()


def test_boxes_and_targets_are_those_of_the_bent_picture() -> None:
    lens = fitted_lens(_camera(), 1.0, math.radians(52))
    canvas = Canvas(lens.camera, LIGHT)
    figures = [_person(-2.0, 2.4, 4), _person(0.2, 3.0, 2), _person(2.3, 3.2, 7)]
    people = draw_people(canvas, figures)

    bent = bent_truth(lens, canvas, figures, people)

    size = np.array([480, 288])
    owners = lens.owners(canvas.owner)
    assert bent.person_id.tolist() == [2, 4, 7]
    for row, person in enumerate(bent.person_id):
        owner = 2 * [figure.person_id for figure in figures].index(int(person)) + 1
        rows, columns = np.nonzero((owners == owner) | (owners == owner + 1))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(bent.body_box[row] * np.tile(size, 2), box)
        # Necks hide behind jaws: of the head's own pixels the left, top and right ends are known.
        rows, columns = np.nonzero(owners == owner + 1)
        head = [columns.min(), rows.min(), columns.max() + 1]
        np.testing.assert_allclose((bent.head_box[row] * np.tile(size, 2))[:3], head, atol=1.6)
    pixel, _ = lens.camera.project(figures[0].target.point)
    np.testing.assert_allclose(bent.target_point, np.tile(lens.bent_px(pixel) / size, (3, 1)))
    assert bent.in_frame.all()
    for name in ("head_vector", "gaze_vector", "yaw_pitch_roll_deg", "direction", "looked_at"):
        np.testing.assert_array_equal(getattr(bent, name), getattr(people, name))


def test_who_is_only_in_the_wider_picture_has_no_row() -> None:
    lens = fitted_lens(_camera(), 1.0, math.radians(52))
    canvas = Canvas(lens.camera, LIGHT)
    figures = [_person(0.2, 3.0, 2), _person(4.5, 3.2, 1)]
    people = draw_people(canvas, figures)

    bent = bent_truth(lens, canvas, figures, people)

    assert people.person_id.tolist() == [1, 2]
    assert bent.person_id.tolist() == [2]
    assert len(bent_truth(lens, canvas, figures, no_people())) == 0


def test_lensed_stills_repeat_and_their_truth_is_within_the_frame() -> None:
    camera = _camera()
    seeds = [seed for seed in range(12) if sample_lens(LENS, seed, camera, "eye") is not None]
    assert 4 <= len(seeds) <= 10
    assert sample_lens(PLAIN, seeds[0], camera, "eye") is sample_lens(FULL.without("lens"), 1, camera, "eye") is None
    for seed in seeds[:4]:
        first, second = (render_still(seed, SMALL, style=LENS) for _ in range(2))

        np.testing.assert_array_equal(first.bgr, second.bgr)
        assert fingerprint([first.people]) == fingerprint([second.people])
        assert first.bgr.shape == (96, 160, 3)
        for box in (first.people.head_box, first.people.body_box):
            assert ((box >= 0) & (box <= 1)).all() and (box[:, :2] < box[:, 2:]).all()
        for share in (first.people.head_visible, first.people.body_visible, first.people.face_visible):
            assert ((share >= 0) & (share <= 1)).all()
