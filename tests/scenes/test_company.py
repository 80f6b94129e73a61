from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from scenes.clip import make_clip
from scenes.company import MOST_PEOPLE, Company, actors_of_clip
from scenes.figure import Figure, draw_people
from scenes.geometry import direction
from scenes.looks import Looks
from scenes.place import Place
from scenes.riders import bound_figure, toddler, with_riders
from scenes.room import sample_room
from scenes.seats import PRAM_LIFT_M, SEATS
from scenes.spots import try_spot
from scenes.stature import with_stature
from scenes.still import render_still
from scenes.style import PLAIN, Style
from tests.scenes.stages import empty_canvas, standing

CAMERA = np.array([0.0, -1.6, 0.0])
PEOPLE = Style(people=True)


def _unchanged(looks: Looks) -> Looks:
    return looks


def _wide_place() -> Place:
    rng = np.random.default_rng(0)
    room = sample_room(rng, size_m=(-6.0, 6.0, 16.0, -4.0), stocked_share=0.0, clutter_share=0.0)
    return Place(kind="shop", room=room, canvas=empty_canvas())


def _company(check: Callable[[int], bool]) -> int:
    """Return the largest number of people in some scenes of a wide place."""
    place = _wide_place()
    counts = [len(Company(PEOPLE, seed).joined(place, [], "wall")) for seed in range(24)]
    return sum(check(count) for count in counts)


def test_crowds_reach_thirty_and_never_more() -> None:
    assert _company(lambda count: count >= 20) >= 2
    assert _company(lambda count: count > MOST_PEOPLE) == 0
    assert _company(lambda count: count == 0) >= 4, "scenes in which nobody joins"


def test_thirty_people_have_thirty_rows() -> None:
    place, rng = _wide_place(), np.random.default_rng(3)
    figures: list[Figure] = []
    while len(figures) < 30:
        person = try_spot(place, rng, (2.0, 14.0), seated=False)
        if person is not None:
            figure = standing((person.ground[0], person.ground[2]), CAMERA, person_id=len(figures) + 1)
            figures.append(replace(figure, looks=replace(figure.looks, height_m=1.2 + 0.02 * len(figures))))

    truth = draw_people(empty_canvas(), figures)

    assert len(truth) >= 24, "some may be hidden wholly"
    assert (truth.head_box[:, 3] - truth.head_box[:, 1]).min() * 288 < 16


def test_plain_scenes_have_no_company() -> None:
    plain: list[Figure] = [standing((0.0, 4.0), CAMERA)]

    assert Company(PLAIN, 3).joined(_wide_place(), [], "wall") == []
    assert Company(PLAIN, 3).with_riders(_wide_place(), plain, _unchanged) is plain
    assert actors_of_clip(PLAIN, 3, 4) == 4


def test_a_child_in_a_pram_has_its_own_row() -> None:
    parent = standing((0.0, 5.0), CAMERA)
    child = toddler(parent.looks, np.random.default_rng(1), facing=False)
    ground = parent.pose.ground + 0.98 * direction(parent.pose.body_yaw_rad, 0.0) - [0, PRAM_LIFT_M, 0]
    rider = bound_figure(np.random.default_rng(2), 2, child, ground, parent.pose.body_yaw_rad, parent, seated=True)

    truth = draw_people(empty_canvas(), [parent, rider])

    assert truth.person_id.tolist() == [1, 2]
    assert truth.head_visible[1] > 0.5
    parent_box, child_box = truth.head_box
    assert child_box[1] > parent_box[3], "the child's head is below the parent's"
    assert 0.5 < (child_box[3] - child_box[1]) / (parent_box[3] - parent_box[1]) < 1.2


def test_prams_are_pushed_by_adults_with_both_hands() -> None:
    parents = [standing((x, 6.0), CAMERA, person_id=k + 1) for k, x in enumerate((-3.0, -1.0, 1.0, 3.0))]
    parents = [replace(parent, looks=replace(parent.looks, height_m=1.7)) for parent in parents]
    for seed in range(30):
        everybody = with_riders(_wide_place(), parents, np.random.default_rng(seed), _unchanged, 4)
        children = [figure for figure in everybody if figure.looks.seat in ("pram", "facing-pram")]
        pushing = [figure for figure in everybody if figure.pose.arms == ("hold", "hold")]
        assert len(children) == len(pushing)
        if children:
            break

    assert children
    for child in children:
        away = [np.linalg.norm((child.pose.ground - parent.pose.ground)[[0, 2]]) for parent in parents]
        assert min(away) == pytest.approx(0.98)
        assert child.pose.ground[1] == pytest.approx(-PRAM_LIFT_M)
    assert [figure.person_id for figure in everybody] == list(range(1, len(everybody) + 1))
    assert len(with_riders(_wide_place(), parents, np.random.default_rng(seed), _unchanged, 0)) == 4


def test_wheelchairs_are_pushed_from_behind() -> None:
    sitter = standing((0.0, 4.0), CAMERA)
    sitter = replace(sitter, looks=replace(sitter.looks, seat="wheelchair"), pose=replace(sitter.pose, seated=True))
    pushed = [with_riders(_wide_place(), [sitter], np.random.default_rng(seed), _unchanged, 5) for seed in range(12)]

    pusher = next(figures[1] for figures in pushed if len(figures) == 2)
    assert pusher.pose.ground[2] == pytest.approx(4.72, abs=0.02)
    assert not pusher.pose.seated


@pytest.mark.parametrize("seat", [seat for seat in SEATS if seat != "none"])
def test_seats_belong_to_nobody_and_are_for_who_sits(seat: str) -> None:
    person = standing((0.0, 4.0), CAMERA)
    purple = np.array([250, 0, 250], np.float32)
    looks = replace(person.looks, seat=seat, seat_colour=purple, height_m=0.9 if "pram" in seat else 1.7)
    upright, sitting = empty_canvas(), empty_canvas()

    draw_people(upright, [replace(person, looks=looks)])
    draw_people(sitting, [replace(person, looks=looks, pose=replace(person.pose, seated=True))])

    assert not ((upright.owner == 0) & (upright.bgr[..., 0] > 1)).any()
    seen = (sitting.bgr[..., 0] > 100) & (sitting.bgr[..., 1] < 90) & (sitting.bgr[..., 2] > 100)
    assert seen.sum() > 20
    assert (sitting.owner[seen] == 0).mean() > 0.8


def test_statures_range_from_toddlers_to_tall_adults() -> None:
    rng, looks = np.random.default_rng(0), standing((0.0, 4.0), CAMERA).looks
    heights = np.array([with_stature(looks, rng).height_m for _ in range(300)])

    assert 0.12 < (heights < 1.4).mean() < 0.3
    assert heights.min() < 1.0 and heights.max() > 1.85


def test_company_changes_stills_and_their_truth_is_consistent() -> None:
    rows = []
    for seed in (100, 101, 105):
        people = render_still(seed, (160, 96), style=PEOPLE).people
        rows.append(len(people))
        assert len(set(people.person_id.tolist())) == len(people)
        assert (people.head_box[:, :2] < people.head_box[:, 2:]).all()
        angle = np.degrees(np.arccos(np.clip((people.head_vector * people.gaze_vector).sum(axis=1), -1, 1)))
        assert (angle < 40).all()
    assert max(rows) > 8


def test_clips_may_be_crowded_and_wheelchairs_roll() -> None:
    counts = [actors_of_clip(PEOPLE, seed, 3) for seed in range(40)]
    assert 3 in counts and max(counts) >= 10

    clips = (make_clip(seed, seconds=1.0, fps=4.0, size_wh=(96, 64), people=2, style=PEOPLE) for seed in range(14, 60))
    roller = next(actor for clip in clips for actor in clip.actors if actor.looks.seat == "wheelchair")
    assert roller.seated


def test_crowds_are_seen_by_wide_cameras_from_above() -> None:
    camera = empty_canvas().camera
    crowds = [company for seed in range(60) if (company := Company(PEOPLE, seed)).mode == "crowd"]

    assert 4 < len(crowds) < 24
    assert all(company.view("close") == "wall" for company in crowds)
    assert all(company.camera(camera).focal_px < 0.91 * camera.focal_px for company in crowds)
    assert Company(PLAIN, 1).camera(camera) is camera
    assert Company(PLAIN, 1).view("close") == "close"


def test_a_crowded_still_has_thirty_rows_at_most_and_many() -> None:
    crowd = next(seed for seed in range(3000, 3100) if Company(PEOPLE, seed).mode == "crowd")

    assert 8 < len(render_still(crowd, (160, 96), style=PEOPLE).people) <= MOST_PEOPLE
