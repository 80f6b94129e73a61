"""Distances from the angle under which heads are seen: one pinhole camera for every field of view."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest

from nodes.estimate_distance import EstimateDistance
from nodes.ops.distance import head_distance_m, lens_of, metres, seen_width_m, sights
from nodes.ops.medians import Samples
from nodes.types import Distances, Tracks
from scenes.clip import make_clip
from tests.helpers import frames, make_node, run_node, table

SIZE_WH = (1920, 1080)
UPSTREAM = {"head_width_m": 0.26, "head_depth_m": 0.26, "head_height_m": 0.26}
FRONT = [1, 0, 0, 0, 0, 0, 0, 0]


def square(x: float, y: float, side_px: float = 100) -> list[float]:
    """Return a box about a point in pixels, as fractions of the frame."""
    half = side_px / 2
    return ((np.array([x, y, x, y]) + np.array([-half, -half, half, half])) / (SIZE_WH * 2)).tolist()


MIDDLE = square(960, 540)


def heads(
    *boxes: list[float], directions: list[list[float]] | None = None, frame_row: int = 0, first: int = 1
) -> Tracks:
    count = len(boxes)
    columns = {"direction_scores": directions} if directions else {}
    ids = np.arange(first, first + count)
    return table(Tracks, frame_row=[frame_row] * count, track_id=ids, head_box=list(boxes), **columns)


def told(tracks: Tracks, stream: dict[str, Any] | None = None, **config: Any) -> Distances:
    node = make_node(EstimateDistance, **config)
    (distances,) = run_node(node, [(frames(1, size_wh=SIZE_WH, config={"shop": stream or {}}), tracks)])
    return distances


@pytest.mark.parametrize(("hfov_deg", "wanted_m"), [(60, 4.3232), (90, 2.4960)])
def test_golden_values_of_upstream_hold_where_its_camera_is_a_pinhole(hfov_deg: float, wanted_m: float) -> None:
    distances = told(heads(MIDDLE), {"hfov_deg": hfov_deg}, **UPSTREAM)

    np.testing.assert_allclose(distances.distance_m, [wanted_m], atol=5e-5)
    np.testing.assert_allclose(distances.point_m, [[0, 0, wanted_m]], atol=1e-4)


def test_there_is_no_jump_at_ninety_degrees() -> None:
    fields = np.arange(80, 100.5, 0.5)
    far = np.array([told(heads(MIDDLE), {"hfov_deg": field}, **UPSTREAM).distance_m[0] for field in fields])

    steps = np.diff(far)
    assert (steps < 0).all()
    assert (np.abs(steps) < 0.03).all()  # upstream jumps by +0.647 m from 90° to 91°
    np.testing.assert_allclose(far[fields == 91], 26 * 9.6 / 100 / math.tan(math.radians(45.5)), rtol=1e-4)


@pytest.mark.parametrize("hfov_deg", [50.0, 90.0, 120.0])
def test_a_ball_is_as_far_away_at_the_edge_as_in_the_middle(hfov_deg: float) -> None:
    lens, radius_m = lens_of(hfov_deg, 16 / 9), 0.12
    side = math.tan(math.radians(hfov_deg) / 2)
    turn = np.linspace(0, 2 * np.pi, 721)[:-1]
    for x in (0.0, 0.4, 0.8):
        for y in (0.0, 0.7):
            along = np.array([x * side, y * side * 9 / 16, 1.0])
            centre = 3.0 * along / np.linalg.norm(along)
            across = np.cross(centre, [0.3, 1, 0.2])
            across /= np.linalg.norm(across)
            other = np.cross(centre / 3.0, across)
            # where rays touch the ball: a circle that lies a little before its middle
            touching = centre * (1 - radius_m**2 / 9) + radius_m * math.sqrt(1 - radius_m**2 / 9) * (
                np.outer(np.cos(turn), across) + np.outer(np.sin(turn), other)
            )
            seen = touching @ lens.T
            seen = seen[:, :2] / seen[:, 2:]
            box = np.concatenate([seen.min(axis=0), seen.max(axis=0)])
            angles, where = sights(box[None], np.linalg.inv(lens)[None])
            found = head_distance_m(angles, where, np.array([0.24]), 0.24, np.zeros((1, 2), bool))
            assert found[0] == pytest.approx(3.0, rel=2e-3)
            np.testing.assert_allclose(where[0], centre / 3.0, atol=1e-4)


def test_the_distance_is_along_the_line_of_sight_and_the_point_lies_there() -> None:
    distances = told(heads(square(1560, 740)), {"hfov_deg": 90}, **UPSTREAM)

    x, y, z = distances.point_m[0].tolist()
    assert math.hypot(x, y, z) == pytest.approx(float(distances.distance_m[0]), rel=1e-5)
    assert (x / z, y / z) == (pytest.approx(600 / 960, rel=3e-3), pytest.approx(200 / 960, rel=3e-3))


def test_a_camera_matrix_goes_before_the_field_of_view_whatever_picture_it_was_made_for() -> None:
    lens = [[960.0, 0, 960], [0, 960, 540], [0, 0, 1]]
    wanted = told(heads(MIDDLE, square(300, 900)), {"hfov_deg": 90})

    half = [[480.0, 0, 480], [0, 480, 270], [0, 0, 1]]
    centred = [[960.0, 0, 0, 7], [0, 960, 0, -3], [0, 0, 1, 2]]
    for stream in (
        {"camera_matrix": lens, "hfov_deg": 30},
        {"camera_matrix": half, "camera_size_wh": (960, 540)},
        {"camera_matrix": centred, "camera_origin": "centre"},
        {"camera_matrix": (np.array(lens) @ [[0, 1, 0, 3], [0, 0, 1, 4], [1, 0, 0, 5]]).tolist()},
    ):
        got = told(heads(MIDDLE, square(300, 900)), stream)
        np.testing.assert_allclose(got.distance_m, wanted.distance_m, rtol=1e-5)
        np.testing.assert_allclose(got.point_m, wanted.point_m, atol=1e-4)


def test_profiles_are_deeper_than_faces_are_wide() -> None:
    side, unknown = [0, 0, 1, 0, 0, 0, 0, 0], [0.0] * 8
    scores = np.array([FRONT, side, [1, 0, 1, 0, 0, 0, 0, 0], unknown, [0, 0.5, 0, 0, 0, 0, 0, 0]])

    wide = seen_width_m(scores, 0.17, 0.21)

    between = math.sqrt((0.17**2 + 0.21**2) / 2)
    np.testing.assert_allclose(wide, [0.17, 0.21, between, between, between])
    near, far = told(heads(MIDDLE, MIDDLE, directions=[FRONT, side]), {"hfov_deg": 90}).distance_m
    assert far / near == pytest.approx(math.sqrt(0.21 / 0.17), rel=1e-5)


def test_what_the_edge_of_the_frame_cuts_off_says_nothing() -> None:
    left, low, corner = [0, 0.45, 0.02, 0.55], [0.45, 0.95, 0.5, 1.0], [0.98, 0.0, 1.0, 0.05]
    size = {"head_width_m": 0.2, "head_depth_m": 0.2, "head_height_m": 0.24}

    distances = told(heads(left, low, corner), {"hfov_deg": 90}, **size)

    assert distances.track_id.tolist() == [1, 2]
    angles, along = sights(np.array([left, low]), np.linalg.inv(lens_of(90, 16 / 9))[None].repeat(2, axis=0))
    by_height, by_width = metres(angles[:, 1], along, 1, 0.24), metres(angles[:, 0], along, 0, 0.2)
    np.testing.assert_allclose(distances.distance_m, [by_height[0], by_width[1]], rtol=1e-5)


def test_streams_without_a_camera_have_no_rows_which_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    shown = frames(stream=("shop", "door"), pts_s=[0, 0], size_wh=SIZE_WH, config={"door": {"hfov_deg": 90}})
    both = table(Tracks, frame_row=[0, 1], track_id=[1, 1], head_box=[MIDDLE, MIDDLE])

    with caplog.at_level(logging.WARNING):
        first, _ = run_node(make_node(EstimateDistance), [(shown, both), (shown, both)])

    assert first.frame_row.tolist() == [1]
    assert [record.getMessage() for record in caplog.records] == [
        "stream=shop has neither hfov_deg nor camera_matrix: no distances are told"
    ]


def test_the_median_of_a_moment_is_told_per_person_stream_and_generation() -> None:
    known = {"shop": {"hfov_deg": 90}}
    node = make_node(EstimateDistance, median_s=0.5, **UPSTREAM)
    sides = [100, 100, 50, 100, 200]
    ticks = [
        (
            frames(pts_s=[0.2 * k], generation=k // 4, size_wh=SIZE_WH, config=known),
            heads(square(960, 540, side), square(960, 540, 10 + k)),
        )
        for k, side in enumerate(sides)
    ]

    got = run_node(node, ticks)

    once = 26 * 9.6 / 100
    np.testing.assert_allclose([one.distance_m[0] for one in got], [once, once, once, once, once / 2], rtol=1e-5)
    np.testing.assert_allclose(got[3].distance_m[1], once * 100 / 12, rtol=1e-4)


def test_medians_are_of_samples_in_the_window_and_of_each_frame_once() -> None:
    ids = np.array([1, 2])
    held = Samples.none()
    for at, values in ((0, [1.0, 5.0]), (10, [3.0, 5.0]), (20, [2.0, 7.0]), (20, [4.0, 7.0])):
        held = held.after(at * 10**8, ids, np.array(values), 1.5)

    np.testing.assert_allclose(held.medians(ids), [3.5, 6.0])
    np.testing.assert_allclose(held.medians(ids[::-1]), [6.0, 3.5])


def test_nothing_comes_of_tracks_without_heads() -> None:
    assert len(told(heads([np.nan] * 4), {"hfov_deg": 90})) == 0
    assert len(told(Tracks.empty(), {"hfov_deg": 90})) == 0


def test_a_stream_that_ended_leaves_nothing() -> None:
    node = make_node(EstimateDistance)
    node.open()
    known = {"shop": {"hfov_deg": 90}}
    node.process(frames(1, size_wh=SIZE_WH, config=known), heads(MIDDLE))

    node.stream_ended("shop")

    again = node.process(frames(1, start_s=0.1, size_wh=SIZE_WH, config=known), heads(square(960, 540, 50)))
    alone = told(heads(square(960, 540, 50)), {"hfov_deg": 90})
    np.testing.assert_array_equal(again.distance_m, alone.distance_m)


@pytest.mark.parametrize("seed", [202, 205])
def test_people_of_rendered_scenes_are_where_they_stand(seed: int) -> None:
    clip = make_clip(seed, size_wh=(480, 288))
    camera = clip.place.canvas.camera
    hfov_deg = math.degrees(2 * math.atan(camera.size_wh[0] / 2 / camera.focal_px))
    frame = clip.frame(round(clip.seconds * clip.fps / 2))
    people = frame.people
    true_m = [
        np.linalg.norm(actor.figure(frame.pts_ns / 1e9).head_centre - camera.position)
        for actor in clip.actors
        if actor.person_id in people.person_id
    ]
    boxes = people.head_box.astype(np.float32).tolist()
    tracks = heads(*boxes, directions=np.eye(8)[people.direction].tolist())

    distances = told(tracks, {"hfov_deg": hfov_deg})

    assert len(distances) >= 1
    ratio = distances.distance_m / np.array(true_m)[distances.track_id - 1]
    assert np.abs(ratio - 1).mean() < 0.12
