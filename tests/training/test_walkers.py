"""Heads of people who walk, seen by a camera that is known here and not there: how it looks down, and where they go."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from training.floor import Floor
from training.footage import Sample
from training.labelled_footage import Clip, keep_labels, with_noses
from training.teacher import UNKNOWN, WANTED, Boxes, Labels
from training.walkers import WALKS_FROM, followed, noses, steadied

BODY, HEAD = 0, 1
ASPECT, TILT = 16 / 9, np.radians(30.0)
HEAD_M, CAMERA_M = 0.23, 1.8
"""Height of a head, and of the camera above heads."""
MOMENT_S = 0.2


def seen(spot: np.ndarray) -> np.ndarray:
    """Return boxes (..., 4) of heads at places (..., 2) to the right and ahead, metres, of a camera one width long."""
    right, ahead = spot[..., 0], spot[..., 1]
    depth = ahead * np.cos(TILT) + CAMERA_M * np.sin(TILT)
    x = 0.5 + right / depth
    y = 0.5 + (CAMERA_M * np.cos(TILT) - ahead * np.sin(TILT)) / depth * ASPECT
    far = np.sqrt(right**2 + ahead**2 + CAMERA_M**2)
    height = HEAD_M / far * ASPECT
    width = 0.8 * height / ASPECT
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


@pytest.fixture
def crowd() -> np.ndarray:
    """Return (120, 2) places that the camera sees."""
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(-0.8, 0.8, 120), rng.uniform(2.0, 6.0, 120)], axis=1)


def test_sizes_of_heads_tell_how_a_camera_looks_down(crowd: np.ndarray) -> None:
    floor = Floor.of_heads(seen(crowd), ASPECT)

    assert floor is not None and np.degrees(floor.tilt_rad) == pytest.approx(30.0, abs=3.0)


def test_a_few_children_and_seated_people_do_not_tilt_it(crowd: np.ndarray) -> None:
    heads = seen(crowd)
    near = np.argsort(-heads[:, 3])[:15]
    heads[near, 1] += 0.5 * (heads[near, 3] - heads[near, 1])

    floor = Floor.of_heads(heads, ASPECT)

    assert floor is not None and np.degrees(floor.tilt_rad) == pytest.approx(30.0, abs=5.0)


def test_heads_that_tell_nothing_make_no_floor(crowd: np.ndarray) -> None:
    for seed in range(6):
        alike, sizes = seen(crowd), np.random.default_rng(seed).uniform(0.7, 1.3, len(crowd))
        alike[:, 3] = alike[:, 1] + 0.1 * sizes
        assert Floor.of_heads(alike, ASPECT) is None
    assert Floor.of_heads(seen(crowd[:19]), ASPECT) is None
    assert Floor.of_heads(np.empty((0, 4), np.float32), ASPECT) is None
    cut = seen(crowd)
    cut[:, 1] = 0.0
    assert Floor.of_heads(cut, ASPECT) is None


@pytest.mark.parametrize(
    ("right", "ahead", "yaw_deg"),
    [(0.0, -1.0, 0.0), (1.0, 0.0, 90.0), (0.0, 1.0, 180.0), (-1.0, 0.0, -90.0), (0.707, 0.707, 135.0)],
)
def test_a_nose_points_where_somebody_walks(right: float, ahead: float, yaw_deg: float) -> None:
    floor = Floor(ASPECT, TILT)
    now = np.array([[0.0, 4.0]])
    step = 1.2 * MOMENT_S * np.array([right, ahead])

    nose = noses(floor, seen(now), np.stack([seen(now - step), seen(now + step)], axis=1), MOMENT_S)

    # Seen from above, a way off to the side looks flatter or steeper than it is.
    told = np.degrees(np.arctan2(nose[0, 0], -nose[0, 2]))
    assert abs((told - yaw_deg + 180) % 360 - 180) < 12
    assert np.linalg.norm(nose[0]) == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(nose[0, 1] > 0.1, ahead < -0.5)  # level and towards a camera above: down in its picture


def test_a_way_is_told_from_where_the_head_is_and_not_from_the_middle_of_the_picture() -> None:
    floor, now = Floor(ASPECT, TILT), np.array([[1.5, 3.0]])
    step = -1.2 * MOMENT_S * now / np.linalg.norm(now)  # straight to the camera, and so to the lower left

    nose = noses(floor, seen(now), np.stack([seen(now - step), seen(now + step)], axis=1), MOMENT_S)

    assert abs(np.degrees(np.arctan2(nose[0, 0], -nose[0, 2]))) < 1


@pytest.mark.parametrize("what", ["slow", "turns off", "turns back", "runs like a car", "not seen before"])
def test_who_does_not_walk_straight_on_says_nothing(what: str) -> None:
    floor, now = Floor(ASPECT, TILT), np.array([[0.0, 4.0]])
    speed = {"slow": 0.9 * WALKS_FROM * HEAD_M, "runs like a car": 9.0}.get(what, 1.2)
    step = speed * MOMENT_S * np.array([1.0, 0.0])
    way = np.stack([seen(now - step), seen(now + step)], axis=1)
    if what == "turns off":
        way[:, 1] = seen(now + step[::-1])
    if what == "turns back":
        way[:, 1] = way[:, 0]
    if what == "not seen before":
        way[:, 0] = np.nan

    assert np.isnan(noses(floor, seen(now), way, MOMENT_S)).all()


def heads(box: np.ndarray, kind: int = HEAD) -> Boxes:
    return Boxes(np.full(len(box), kind), box.astype(np.float32), np.full(len(box), 0.9, np.float32))


def test_a_head_is_followed_to_the_nearest_one_whose_nearest_it_is() -> None:
    here = np.array([[0.10, 0.1, 0.14, 0.2], [0.16, 0.1, 0.20, 0.2], [0.7, 0.1, 0.74, 0.2]])
    moved = here + 0.01 * np.array([1, 0, 1, 0])

    way = followed(heads(here), [heads(moved[[1, 0]]), heads(moved[[0]])])

    assert way[:2, 0] == pytest.approx(moved[:2], abs=1e-6)
    assert way[0, 1] == pytest.approx(moved[0], abs=1e-6)
    assert np.isnan(way[1, 1]).all() and np.isnan(way[2]).all()
    assert np.isnan(followed(heads(here), [heads(moved)])).all()
    assert np.isnan(followed(heads(here, BODY), [heads(moved, BODY)] * 2)).all()


def test_who_stands_does_not_walk_where_the_camera_sways() -> None:
    rng = np.random.default_rng(0)
    wall = cv2.resize(rng.integers(0, 255, (48, 90, 3), np.uint8), (720, 384), interpolation=cv2.INTER_CUBIC)
    here, there = wall[:, 8:648].copy(), wall[:, :640].copy()  # what is at x there is at x - 8 here
    here[77:364, 192:384] = wall[77:364, 300:492]  # somebody who moves by himself fills much of the picture
    person = heads(np.array([[0.3, 0.2, 0.6, 0.95], [0.7, 0.1, 0.75, 0.2]]))

    swayed = steadied(person, there, here)

    assert swayed.box == pytest.approx(person.box - np.array([8 / 640, 0, 8 / 640, 0]), abs=1e-3)
    assert np.array_equal(steadied(person, there, there).box, person.box)
    blank = np.full_like(here, 90)
    assert np.array_equal(steadied(person, blank, blank).box, person.box)
    assert len(steadied(heads(np.empty((0, 4))), there, here).box) == 0


def test_labels_of_one_camera_get_the_noses_of_those_who_walk_and_are_sure(crowd: np.ndarray) -> None:
    step = np.array([0.25, 0.0])
    ways = np.stack([seen(crowd - step), seen(crowd + step)], axis=1)
    verdict = np.where(np.arange(len(crowd)) < 100, WANTED, UNKNOWN)
    unknown = np.full((len(crowd), 3), np.nan, np.float32)

    (label,) = with_noses([Labels(heads(seen(crowd)), verdict, unknown)], [ways], ASPECT)

    assert (~np.isnan(label.nose[:, 0])).tolist() == (verdict == WANTED).tolist()
    people = label.people()
    assert np.isnan(people.vectors[:, 3:]).all() and (people.vectors[:100, 0] > 0.7).all()
    (too_few,) = with_noses([Labels(heads(seen(crowd[:5])), verdict[:5], unknown[:5])], [ways[:5]], ASPECT)
    assert np.isnan(too_few.nose).all()


def test_labels_that_are_kept_show_where_a_walker_points(tmp_path: Path) -> None:
    box = np.array([[0.4, 0.4, 0.45, 0.5]])  # about (272, 173) of 640 x 384
    nose = np.array([[1, 0, 0]], np.float32)
    for name, told in (("arrow", nose), ("none", np.full((1, 3), np.nan, np.float32))):
        sample = Sample("a", 0.0, 0.5, np.zeros((384, 640, 3), np.uint8))
        keep_labels([Clip("a", [sample], [Labels(heads(box), np.array([WANTED]), told)], [False])], tmp_path / name)

    arrow, none = (cv2.imread(str(next((tmp_path / name).glob("*.jpg")))) for name in ("arrow", "none"))

    assert arrow[165:181, 300:340, 0].max() > 150  # to the right of the head
    assert arrow[165:181, 200:250, 0].max() < 60 and none[165:181, 300:340, 0].max() < 60
