"""The motion of the camera on pictures that were moved by a known amount, and on people who move before a fixed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import av
import cv2
import numpy as np
import pytest

from nodes.estimate_camera_motion import EstimateCameraMotion
from nodes.types import CameraMotion, Detections
from pipeline.device_cpu import CpuDevice
from pipeline.frames import Picture
from scenes.still import render_still
from tests.helpers import FakeContext, frames, make_node, table
from tests.repository import ROOT

SIZE_WH = (480, 288)
STILL = np.eye(2, 3)
CORNERS = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], np.float64).T


def opened(**config: Any) -> EstimateCameraMotion:
    node = make_node(EstimateCameraMotion, FakeContext(device=CpuDevice()), **config)
    node.open()
    return node


def shown(pictures: Sequence[np.ndarray], **options: Any) -> Any:
    """Return frames of BGR pictures, or grey ones."""
    made = [Picture((p if p.ndim == 3 else np.dstack([p] * 3),), "bgr") for p in pictures]
    size_wh = made[0].size_wh
    return frames(len(made), pictures=made, size_wh=size_wh, **options)


def moved(picture: np.ndarray, x: float = 0, y: float = 0, zoom: float = 1, turn: float = 0) -> np.ndarray:
    """Return a picture, enlarged by half, after a shift in fractions of it, a zoom and a turn about its centre."""
    height, width = picture.shape[:2]
    onto = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), np.degrees(-turn), 1.5 * zoom)
    onto[:, 2] += (x * width, y * height)
    return cv2.warpAffine(picture, onto, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def expected(x: float = 0, y: float = 0, zoom: float = 1, turn: float = 0) -> np.ndarray:
    """Return the same motion in fractions of a picture of `SIZE_WH`."""
    aspect = SIZE_WH[0] / SIZE_WH[1]
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    linear = np.array([[c, -s / aspect], [s * aspect, c]])
    return np.column_stack([linear, 0.5 - linear @ (0.5, 0.5) + (x, y)])


def misses(motion: np.ndarray, truth: np.ndarray) -> float:
    """Return by how much a motion puts a corner of the frame wrong, in fractions of it."""
    return float(np.abs(motion @ CORNERS - truth @ CORNERS).max())


def total(motion: CameraMotion) -> np.ndarray:
    """Return all motions one after another as one (2, 3)."""
    whole = np.eye(3)
    for one in motion.affine:
        whole = np.vstack([one, [0, 0, 1]]) @ whole
    return whole[:2]


@pytest.fixture(scope="module")
def place() -> np.ndarray:
    return render_still(9_900_003, SIZE_WH, difficulty=0.0).bgr


@pytest.fixture(scope="module")
def shop() -> list[np.ndarray]:
    """Return frames of people walking about before a fixed camera."""
    with av.open(str(ROOT / "scenes/demo/shop.mp4")) as clip:
        every = [frame.to_ndarray(format="bgr24") for k, frame in zip(range(48), clip.decode(video=0), strict=False)]
    return [cv2.resize(picture, SIZE_WH, interpolation=cv2.INTER_AREA) for picture in every[::3]]


@pytest.mark.parametrize(
    "motion",
    [{"x": 0.012, "y": -0.007}, {"x": -0.05}, {"zoom": 1.02}, {"zoom": 0.97, "x": 0.01}, {"turn": 0.03}],
    ids=["shift", "fast", "zoom in", "zoom out", "turn"],
)
def test_the_motion_of_the_picture_is_found(place: np.ndarray, motion: dict[str, float]) -> None:
    made = opened().process(shown([moved(place), moved(place, **motion)]))

    assert made.frame_row.tolist() == [0, 1]
    assert np.array_equal(made.affine[0], STILL)
    assert misses(made.affine[1], expected(**motion)) < 0.001


def test_people_who_move_before_a_fixed_camera_do_not_move_it(shop: list[np.ndarray]) -> None:
    made = opened().process(shown(shop, step_s=0.1))

    assert np.abs(shop[0].astype(int) - shop[-1]).max() > 100
    assert np.array_equal(made.affine, np.broadcast_to(STILL, (len(shop), 2, 3)))


def test_people_who_move_do_not_pull_a_camera_that_pans(shop: list[np.ndarray]) -> None:
    panned = [moved(picture, x=0.01 * k, y=0.002 * k) for k, picture in enumerate(shop)]

    made = opened().process(shown(panned))

    assert max(misses(one, expected(x=0.01, y=0.002)) for one in made.affine[1:]) < 0.0015


def test_a_camera_that_creeps_is_reported_as_soon_as_it_counts(place: np.ndarray) -> None:
    step = 0.0003

    made = opened().process(shown([moved(place, x=step * k) for k in range(20)]))

    reported = [not np.array_equal(one, STILL) for one in made.affine]
    assert 3 <= sum(reported) <= 8
    assert misses(total(made), expected(x=step * 19)) < 0.0015


def test_what_is_in_boxes_of_people_is_not_followed(place: np.ndarray) -> None:
    def scene(step: int) -> np.ndarray:
        picture = np.full((SIZE_WH[1], SIZE_WH[0]), 90, np.uint8)
        picture[20:270:20, 10:470:20] = 200  # a wall with dots, hidden for the most part
        picture[:, 120:] = cv2.cvtColor(place, cv2.COLOR_BGR2GRAY)[:, 8 * step : 360 + 8 * step]
        return picture

    pictures = shown([scene(k) for k in range(5)])
    people = table(Detections, frame_row=range(5), body_box=[[0.25, 0, 1, 1]] * 5)

    alone = opened().process(pictures)
    told = opened().process(pictures, people)

    assert misses(alone.affine[2], STILL) > 0.01
    assert np.array_equal(told.affine, np.broadcast_to(STILL, (5, 2, 3)))


def test_boxes_hide_what_is_in_their_own_frame(place: np.ndarray) -> None:
    pictures = shown([moved(place, x=0.01 * k) for k in range(4)])
    people = table(Detections, frame_row=[1], head_box=[[0, 0, 1, 1]])

    made = opened().process(pictures, people)

    moves = [not np.array_equal(one, STILL) for one in made.affine]
    assert moves == [False, True, False, True]


@pytest.mark.parametrize(
    "second",
    [
        lambda place: np.full_like(place, 60),
        lambda place: np.random.default_rng(1).integers(0, 255, place.shape).astype(np.uint8),
    ],
    ids=["nothing to follow", "nothing that agrees"],
)
def test_where_nothing_can_be_said_it_stands_still_and_goes_on_from_there(
    place: np.ndarray, second: Callable[[np.ndarray], np.ndarray]
) -> None:
    pictures = [moved(place), second(place), moved(place), moved(place, x=0.02)]

    made = opened().process(shown(pictures))

    assert np.array_equal(made.affine[:3], np.broadcast_to(STILL, (3, 2, 3)))
    assert misses(made.affine[3], expected(x=0.02)) < 0.001


def test_motion_never_crosses_a_generation_an_end_or_a_change_of_size(place: np.ndarray) -> None:
    here, there = moved(place), moved(place, x=0.02)
    node = opened()

    anew = node.process(shown([here, there], generation=[0, 1]))
    node.stream_ended("shop")
    again = node.process(shown([here], generation=1))
    cut = node.process(shown([there[:200]], generation=1))
    other = node.process(shown([here], stream="door"))

    for made in (anew, again, cut, other):
        assert np.array_equal(made.affine, np.broadcast_to(STILL, (len(made), 2, 3)))


def test_frames_are_held_against_a_new_one_after_a_second(place: np.ndarray) -> None:
    creeping = shown([moved(place, x=0.0004 * k) for k in range(4)], step_s=1.1)

    made = opened().process(creeping)

    assert np.array_equal(made.affine, np.broadcast_to(STILL, (4, 2, 3)))


def test_frames_of_a_tick_that_failed_are_run_again_as_if_for_the_first_time(place: np.ndarray) -> None:
    node = opened()
    node.process(shown([moved(place)]))
    good = shown([moved(place, x=0.02), moved(place, x=0.04)])
    bad = replace(good, pictures=(good.pictures[0], Picture((), "bgr")))

    with pytest.raises(IndexError):
        node.process(bad)

    assert misses(node.process(good.take([0])).affine[0], expected(x=0.02)) < 0.001


def test_the_same_pictures_give_the_same_motion_bit_for_bit(shop: list[np.ndarray]) -> None:
    panned = shown([moved(picture, x=0.01 * k) for k, picture in enumerate(shop[:5])])
    first = opened().process(panned)
    cv2.setRNGSeed(99)

    again = opened().process(panned)

    assert first.affine.tobytes() == again.affine.tobytes()
