import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scenes.aois import Aoi, clip_to_frame, image_of
from scenes.clip import Clip, make_clip
from scenes.place import Display, Place
from scenes.route import Floor, Route
from scenes.sets import fingerprint
from scenes.truth import Fixation
from tests.scenes.stages import empty_canvas

SMALL = (160, 96)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip(4, seconds=6.0, size_wh=SMALL, place="shop", people=4)


def test_frames_depend_on_their_index_alone(clip: Clip) -> None:
    later, earlier, again = clip.frame(30), clip.frame(3), clip.frame(30)
    other = make_clip(4, seconds=6.0, size_wh=SMALL, place="shop", people=4).frame(30)

    for same in (again, other):
        np.testing.assert_array_equal(later.bgr, same.bgr)
        assert fingerprint([later.people]) == fingerprint([same.people])
    assert earlier.pts_ns == 240_000_000
    assert len(clip) == 75


def test_people_keep_their_identity_and_move_smoothly(clip: Clip) -> None:
    for actor in clip.actors:
        times = np.arange(actor.enters_s, actor.leaves_s, 0.04)
        ground = np.stack([actor.ground(float(t)) for t in times])
        heads = np.stack([actor.figure(float(t)).pose.head[:, 2] for t in times])
        speed = np.linalg.norm(np.diff(ground, axis=0), axis=1) / 0.04
        turn = np.degrees(np.arccos(np.clip((heads[1:] * heads[:-1]).sum(axis=1), -1, 1))) / 0.04
        assert speed.max() < 2.0, "metres a second"
        assert turn.max() < 700, "degrees a second"
    ids = [actor.person_id for actor in clip.actors]
    assert ids == sorted(set(ids))
    assert len(ids) >= 3


def test_somebody_walks_and_somebody_stands(clip: Clip) -> None:
    walked = [actor.route.walked_m(actor.leaves_s) for actor in clip.actors]

    assert max(walked) > 1.0
    assert any(start <= 0 < end - 1 for actor in clip.actors for start, end in [_first_stop(actor.route)])


def _first_stop(route: Route) -> tuple[float, float]:
    return float(route.times_s[0]), float(route.times_s[1])


def test_looks_tile_the_time_of_each_person(clip: Clip) -> None:
    for actor in clip.actors:
        assert actor.plan[0].start_s == actor.enters_s
        assert actor.plan[-1].end_s >= actor.leaves_s
        for look, following in pairwise(actor.plan):
            assert look.start_s < look.end_s < following.start_s
            assert 0.1 < following.start_s - look.end_s < 0.7, "a shift of the gaze"


def test_fixations_are_ordered_and_lie_within_the_presence_of_their_person(clip: Clip) -> None:
    actors = {actor.person_id: actor for actor in clip.actors}
    assert clip.fixations
    for fixation in clip.fixations:
        actor = actors[fixation.person_id]
        assert max(0.0, actor.enters_s) <= fixation.start_s < fixation.end_s <= min(6.0, actor.leaves_s)
    for fixation, following in pairwise(clip.fixations):
        if fixation.person_id == following.person_id:
            assert fixation.end_s < following.start_s
        else:
            assert fixation.person_id < following.person_id


def test_truth_of_frames_agrees_with_the_fixations_and_the_areas(clip: Clip) -> None:
    areas = {aoi.name: aoi for aoi in clip.aois}
    hits = 0
    for index in range(0, len(clip), 5):
        frame = clip.frame(index)
        for row in range(len(frame.people)):
            name = frame.people.looked_at[row]
            now = _at(clip.fixations, int(frame.people.person_id[row]), frame.pts_ns / 1e9)
            if name in areas:
                hits += 1
                assert areas[name].contains(frame.people.target_point[row])
                assert frame.people.in_frame[row]
            if now is not None and now.kind != "camera":
                assert name == now.target
    assert hits > 5


def test_a_gaze_that_moves_within_one_display_does_not_leave_it() -> None:
    clip = make_clip(129, seconds=10.0, size_wh=SMALL, place="shop", people=4)
    moves = [
        (actor, look, following)
        for actor in clip.actors
        for look, following in pairwise(actor.plan)
        if look.name == following.name and any(aoi.name == look.name for aoi in clip.aois)
    ]

    assert moves
    for actor, look, following in moves:
        between = (look.end_s + following.start_s) / 2
        assert actor.figure(between).target.name == look.name
        if between < 9.5 and actor.present(between) and actor.present(following.end_s):
            assert _at(clip.fixations, actor.person_id, between) is not None


def _at(fixations: tuple[Fixation, ...], person_id: int, at_s: float) -> Fixation | None:
    return next((f for f in fixations if f.person_id == person_id and f.start_s <= at_s < f.end_s), None)


def test_areas_lie_in_the_frame_under_names_of_their_own(clip: Clip) -> None:
    names = [aoi.name for aoi in clip.aois]

    assert len(names) >= 2
    assert names == sorted(set(names))
    for aoi in clip.aois:
        assert (aoi.polygon >= 0).all() and (aoi.polygon <= 1).all()
        assert aoi.contains(aoi.polygon.mean(axis=0))
        assert not aoi.contains(np.array([-0.2, 0.5]))
        assert not aoi.contains(np.array([np.nan, np.nan]))


def test_a_display_that_looks_tiny_gets_no_name() -> None:
    corners = np.array([[-0.5, -2.1, 3], [0.5, -2.1, 3], [0.5, -1.1, 3], [-0.5, -1.1, 3.0]])

    assert image_of(empty_canvas(), Display("near", corners)) is not None
    assert image_of(empty_canvas(), Display("far", corners - [0, 0, -9.0])) is None
    assert image_of(empty_canvas(), Display("behind", corners - [0, 0, 4.0])) is None


def test_clip_to_frame_cuts_a_square_at_the_corner() -> None:
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])

    cut = clip_to_frame(square)

    assert {tuple(corner) for corner in cut.round(6).tolist()} == {(0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5)}
    assert len(clip_to_frame(square - 2)) == 0


def test_the_front_of_a_display_is_where_its_corners_run_clockwise() -> None:
    display = Display("shelf", np.array([[0, -2, 3], [1, -2, 3], [1, 0, 3], [0, 0, 3.0]]))

    np.testing.assert_allclose(display.normal, [0, 0, -1])
    np.testing.assert_allclose(display.at(0.25, 0.5), [0.25, -1, 3])
    aoi = Aoi("shelf", np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]), display)
    assert aoi.contains(np.array([0.0, 0.5])), "the edge belongs to it"


def test_ways_lead_around_furniture(clip: Clip) -> None:
    place: Place = clip.place
    floor = Floor(place)
    rng = np.random.default_rng(0)
    found = 0
    while found < 5:
        (x0, x1), (z0, z1) = rng.uniform(place.room.left, place.room.right, 2), rng.uniform(1, place.room.back, 2)
        if not (place.free(x0, z0) and place.free(x1, z1)):
            continue
        way = floor.way((x0, z0), (x1, z1))
        if way is None:
            continue
        found += 1
        assert way[0] == (x0, z0) and way[-1] == (x1, z1)
        for a, b in pairwise(way):
            for share in np.linspace(0, 1, 20):
                x, z = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
                assert not any(block.holds(x, z, 0.0) for block in place.blocks)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "make_clip: expected a seed of at least 0, got -1"),
        ({"seconds": 0.0}, "make_clip: expected seconds between 0 and 3600, got 0.0"),
        ({"fps": 0.0}, "make_clip: expected fps between 0 and 240, got 0.0"),
        ({"size_wh": (32, 20)}, "make_clip: expected a size between 64 and 4096 pixels a side, got (32, 20)"),
        ({"place": "zoo"}, "make_clip: expected a place among shop, office, corridor, queue, got 'zoo'"),
        ({"people": 99}, "make_clip: expected 0 to 12 people, got 99"),
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_clip(**{"seed": 1, **wrong})


@pytest.mark.parametrize("place", ["office", "corridor", "queue"])
def test_every_kind_of_place_can_be_filmed(place: str) -> None:
    clip = make_clip(11, seconds=2.0, size_wh=SMALL, place=place)

    assert clip.place.kind == place
    assert clip.frame(0).bgr.shape == (96, 160, 3)


def test_a_clip_without_people_is_empty() -> None:
    clip = make_clip(3, seconds=1.0, size_wh=SMALL, people=0)

    assert len(clip.frame(0).people) == 0
    assert clip.fixations == ()
