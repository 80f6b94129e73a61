"""Clips in which people look at things: areas that can be told apart, looks as shoppers have them, things in hands."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from scenes.actor import Actor, Look
from scenes.aois import Framing
from scenes.branding import schemes
from scenes.clip import Clip, make_clip
from scenes.figure import draw_people
from scenes.habits import PLAIN_HABITS, SHOPPERS, Habits
from scenes.place import Display
from scenes.pose import GRIP
from scenes.script import before
from scenes.showroom import SHOWN
from scenes.style import Style

SMALL = (160, 96)
SQUARE = np.array([[0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.1, 0.4]])


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [make_clip(seed, seconds=8.0, size_wh=SMALL, style=Style.parse("salience")) for seed in (500, 505)]


def looks_in_hand(clips: list[Clip]) -> list[tuple[Clip, Actor, Look]]:
    return [
        (clip, actor, look)
        for clip in clips
        for actor in clip.actors
        for look in actor.plan
        if look.held is not None and look.end_s < actor.leaves_s
    ]


def test_areas_are_large_and_apart(clips: list[Clip]) -> None:
    for clip in clips:
        assert len(clip.aois) >= 2
        for aoi in clip.aois:
            assert SHOWN.smallest <= area(aoi.polygon) <= SHOWN.largest
        for one, other in combinations(clip.aois, 2):
            gap = (one.polygon.mean(axis=0) - other.polygon.mean(axis=0)) * [1, SMALL[1] / SMALL[0]]
            assert np.hypot(*gap) >= 0.2


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def moved(x: float, y: float) -> np.ndarray:
    return np.asarray(SQUARE + np.array([x, y]))


def test_framing_by_hand() -> None:
    framing = Framing(smallest=0.05, largest=0.1, apart=0.2)

    assert framing.suits(SQUARE, [], 0.6)
    assert not framing.suits(SQUARE * 0.5, [], 0.6), "too small"
    assert not framing.suits(SQUARE * 1.2, [], 0.6), "too large"
    assert framing.suits(SQUARE, [moved(0.21, 0.0)], 0.6)
    assert not framing.suits(SQUARE, [moved(0.19, 0.0)], 0.6)
    assert not framing.suits(SQUARE, [moved(0.0, 0.3)], 0.6), "0.18 of the frame's width"


def test_main_colours_of_displays_lie_apart() -> None:
    for seed in range(10):
        for one, other in combinations(schemes(np.random.default_rng(seed), 4), 2):
            assert np.abs(one.main - other.main).max() > 60


def test_areas_look_different(clips: list[Clip]) -> None:
    for clip in clips:
        colours = []
        for aoi in clip.aois:
            column, row = (aoi.polygon.mean(axis=0) * clip.place.canvas.camera.size_wh).astype(int)
            colours.append(clip.place.canvas.bgr[row - 8 : row + 9, column - 8 : column + 9].mean(axis=(0, 1)))
        assert min(np.abs(a - b).max() for a, b in combinations(colours, 2)) > 15


def test_most_of_the_time_areas_and_people_are_looked_at(clips: list[Clip]) -> None:
    named = [fixation for clip in clips for fixation in clip.fixations if fixation.target not in ("", "camera")]
    everything = sum(fixation.end_s - fixation.start_s for clip in clips for fixation in clip.fixations)

    assert sum(fixation.end_s - fixation.start_s for fixation in named) > 0.6 * everything


def test_looks_have_the_lengths_of_shoppers(clips: list[Clip]) -> None:
    for clip in clips:
        names = [aoi.name for aoi in clip.aois]
        for actor in clip.actors:
            for look in actor.plan:
                if look.name in names:
                    assert 0.8 <= look.end_s - look.start_s <= 4.0


@pytest.mark.parametrize("habits", [PLAIN_HABITS, SHOPPERS])
def test_shares_add_up(habits: Habits) -> None:
    assert sum(habits.at_stop.values()) == pytest.approx(1)
    assert sum(habits.walking.values()) == pytest.approx(1)


def test_what_is_looked_at_in_the_hand_is_there(clips: list[Clip]) -> None:
    found = looks_in_hand(clips)

    assert found
    for _, actor, look in found:
        figure = actor.figure((look.start_s + look.end_s) / 2)
        assert look.kind == "hand" and look.name == ""
        assert figure.held is look.held
        assert GRIP in figure.pose.arms
        assert figure.pose.grip is not None
        np.testing.assert_allclose(figure.target.point, figure.pose.grip)
        assert 0.3 < np.linalg.norm(figure.pose.grip - figure.head_centre) < 0.7


def test_the_thing_is_drawn_at_the_target_and_goes_when_the_next_look_has_begun(clips: list[Clip]) -> None:
    seen = 0
    for clip, actor, look in looks_in_hand(clips):
        following = next(after for before, after in pairwise(actor.plan) if before is look)
        figure = actor.figure((look.start_s + look.end_s) / 2)
        assert actor.figure(following.start_s + 0.2).held is None
        canvas, bare = clip.place.canvas.copy(), clip.place.canvas.copy()
        people = draw_people(canvas, [figure])
        draw_people(bare, [type(figure)(**{**vars(figure), "held": None})])
        changed = (canvas.bgr != bare.bgr).any(axis=2)
        if len(people) and people.in_frame[0] and changed.sum() > 20:
            middle = np.argwhere(changed).mean(axis=0)[::-1] / canvas.camera.size_wh
            assert np.abs(middle - people.target_point[0]).max() < 0.08
            seen += 1
    assert seen


def test_hands_are_mostly_seen_beside_areas(clips: list[Clip]) -> None:
    over = []
    for clip, actor, look in looks_in_hand(clips):
        pixel, _ = clip.place.canvas.camera.project(actor.figure((look.start_s + look.end_s) / 2).target.point)
        over.append(any(aoi.contains(pixel / clip.place.canvas.camera.size_wh) for aoi in clip.aois))
    assert sum(over) < len(over)


def test_truth_agrees_with_areas_and_fixations(clips: list[Clip]) -> None:
    hits = 0
    for clip in clips:
        areas = {aoi.name: aoi for aoi in clip.aois}
        for index in range(5, len(clip), 30):
            frame = clip.frame(index)
            for row, name in enumerate(frame.people.looked_at):
                if name in areas:
                    hits += 1
                    assert areas[name].contains(frame.people.target_point[row])
                    assert frame.people.in_frame[row]
    assert hits > 5


def test_people_stand_beside_a_table_and_look_down_at_its_top() -> None:
    top = Display("table", np.array([[-0.6, -0.8, 3.4], [0.6, -0.8, 3.4], [0.6, -0.8, 2.6], [-0.6, -0.8, 2.6]]))
    upright = Display("shelf", np.array([[0, -2, 3], [1, -2, 3], [1, 0, 3], [0, 0, 3.0]]))
    rng = np.random.default_rng(1)
    spots = np.stack([before(top, rng) for _ in range(60)])

    assert top.lies and not upright.lies
    assert ((spots[:, 2] > 3.4 + 0.34) | (spots[:, 2] < 2.6 - 0.34)).all()
    assert (spots[:, 2] > 3.4).mean() > 0.6, "mostly beyond it"
    assert (np.stack([before(upright, rng) for _ in range(20)])[:, 2] < 3 - 0.69).all()
