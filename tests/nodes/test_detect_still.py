"""Things that look like heads among people who sway, on pictures whose every pixel is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from nodes.detect_still import DetectStill
from nodes.ops.spots import MOST
from nodes.types import Detections
from pipeline.device_cpu import CpuDevice
from pipeline.frames import Picture
from tests.helpers import FakeContext, frames, make_node, table

SIZE_WH = (320, 180)
LEFT, RIGHT = [0.2, 0.3, 0.3, 0.5], [0.6, 0.3, 0.7, 0.5]
LEFT_BODY, RIGHT_BODY = [0.15, 0.28, 0.35, 0.95], [0.55, 0.28, 0.75, 0.95]
STEP_S = 0.25
STILL_S = 4.0

Shown = Callable[[float], np.ndarray]


@cache
def texture(seed: int) -> np.ndarray:
    """Return a picture with edges everywhere. Do not write into it."""
    rough = np.random.default_rng(seed).uniform(40, 215, (SIZE_WH[1] // 4, SIZE_WH[0] // 4)).astype(np.float32)
    return cv2.resize(rough, SIZE_WH, interpolation=cv2.INTER_CUBIC)


def px(box: Sequence[float]) -> tuple[slice, slice]:
    """Return the rows and columns of a box, with a margin."""
    x1, y1, x2, y2 = (round(v * side) for v, side in zip(box, SIZE_WH * 2, strict=True))
    return slice(y1 - 6, y2 + 6), slice(x1 - 6, x2 + 6)


def shifted(picture: np.ndarray, shift_px: float) -> np.ndarray:
    onto = np.array([[1, 0, shift_px], [0, 1, 0]])
    return cv2.warpAffine(picture, onto, SIZE_WH, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def shop(at_s: float, sway_px: float = 1.0) -> np.ndarray:
    """Return a picture in which whoever is on the right sways, and nothing else moves."""
    picture = texture(1).copy()
    here = px(RIGHT)
    picture[here] = shifted(picture, sway_px * np.sin(2 * np.pi * 0.4 * at_s))[here]
    return picture


def opened(**config: Any) -> DetectStill:
    node = make_node(DetectStill, FakeContext(device=CpuDevice()), **{"still_s": STILL_S, **config})
    node.open()
    return node


def at(times_s: Sequence[float], shown: Shown = shop, **options: Any) -> Any:
    """Return the frames of a scene at some times."""
    grey = [np.clip(shown(at_s) + 0.5, 0, 255).astype(np.uint8) for at_s in times_s]
    pictures = [Picture((np.dstack([one] * 3),), "bgr") for one in grey]
    return frames(pts_s=times_s, pictures=pictures, size_wh=SIZE_WH, **options)


def heads(*boxes: Sequence[float], row: int = 0, scores: Sequence[float] = ()) -> Detections:
    count = len(boxes)
    return table(
        Detections, frame_row=[row] * count, head_box=list(boxes), head_score=scores or [0.8, 0.7, 0.6][:count]
    )


def times(until_s: float, since_s: float = 0.0) -> list[float]:
    return [round(k * STEP_S, 6) for k in range(round(since_s / STEP_S), round(until_s / STEP_S))]


def told(
    node: DetectStill, when: Sequence[float], *boxes: Sequence[float], shown: Shown = shop, **options: Any
) -> dict[float, list[list[float]]]:
    """Return the heads that are left of the same ones in every frame."""
    made = {}
    for at_s in when:
        left = node.process(at([at_s], shown, **options), heads(*boxes))
        made[at_s] = left.head_box.round(3).tolist()
    return made


def gone(found: dict[float, list[list[float]]], box: Sequence[float]) -> list[float]:
    """Return when a head was not told."""
    wanted = np.array(box, np.float32).round(3).tolist()
    return [at_s for at_s, boxes in found.items() if wanted not in boxes]


def test_a_thing_goes_when_it_has_been_still_for_long_and_who_sways_stays() -> None:
    found = told(opened(), times(12), LEFT, RIGHT)

    assert gone(found, LEFT) == times(12, since_s=STILL_S)
    assert gone(found, RIGHT) == []


def test_time_is_that_of_the_stream_and_not_a_count_of_frames() -> None:
    found = told(opened(), np.arange(0, 40, 0.9).tolist(), LEFT)

    assert min(gone(found, LEFT)) == pytest.approx(4.5)


def test_detections_that_flicker_are_of_a_thing_all_the_same() -> None:
    found = told(opened(), np.arange(0, 30, 3.0).tolist(), LEFT)

    assert min(gone(found, LEFT)) == pytest.approx(12)  # a gap counts for one second


def test_a_small_sway_is_seen_and_one_below_the_limit_is_not() -> None:
    def swaying(sway_px: float) -> list[float]:
        return gone(told(opened(), times(8), RIGHT, shown=lambda at_s: shop(at_s, sway_px)), RIGHT)

    assert swaying(0.5) == []
    assert swaying(0.05) == times(8, since_s=STILL_S)


def test_noise_of_the_camera_is_no_motion() -> None:
    def noisy(at_s: float) -> np.ndarray:
        return shop(at_s) + np.random.default_rng(round(at_s * 10)).normal(0, 4, SIZE_WH[::-1])

    found = told(opened(), times(8), LEFT, RIGHT, shown=noisy)

    assert gone(found, LEFT) == times(8, since_s=STILL_S)
    assert gone(found, RIGHT) == []


def test_somebody_in_front_of_a_thing_is_told_and_the_thing_is_not_when_it_comes_back() -> None:
    def passed(at_s: float) -> np.ndarray:
        picture = shop(at_s)
        if 6 <= at_s < 8.25:
            picture[px(LEFT)] = shifted(texture(2), 3 * at_s)[px(LEFT)]
        return picture

    found = told(opened(), times(12), LEFT, shown=passed)

    hidden = set(times(8.25, since_s=6.5))  # seen at the next look, half a second later at most
    assert not hidden & set(gone(found, LEFT))
    assert set(times(12, since_s=8.25)) | set(times(6, since_s=4)) <= set(gone(found, LEFT))


def test_a_thing_of_which_a_part_is_hidden_stays_away() -> None:
    def beside(at_s: float) -> np.ndarray:
        picture = shop(at_s)
        if at_s >= 6:
            rows, columns = px(LEFT)
            picture[rows, columns.start : columns.start + 10] = 30
        return picture

    assert gone(told(opened(), times(9), LEFT, shown=beside), LEFT) == times(9, since_s=STILL_S)


@pytest.mark.parametrize("light", [lambda at_s: 1 - 0.4 * (at_s > 6), lambda at_s: 1 - 0.02 * at_s])
def test_other_light_brings_no_thing_back(light: Callable[[float], float]) -> None:
    found = told(opened(), times(12), LEFT, shown=lambda at_s: light(at_s) * shop(at_s))

    assert gone(found, LEFT) == times(12, since_s=STILL_S)


def test_somebody_in_the_place_of_a_thing_is_told_for_good() -> None:
    def replaced(at_s: float) -> np.ndarray:
        return shop(at_s) if at_s < 6 else shifted(texture(2), np.sin(2 * np.pi * 0.4 * at_s))

    found = told(opened(), times(25), LEFT, shown=replaced)

    assert max(gone(found, LEFT)) < 6.5


def test_where_somebody_moved_stillness_has_to_last_as_much_longer() -> None:
    found = told(opened(), times(30), RIGHT, shown=lambda at_s: shop(min(at_s, 8)))

    first_s = min(gone(found, RIGHT))
    assert 8 + 8 + STILL_S - 2 < first_s < 8 + 8 + STILL_S + 3


def test_of_a_camera_that_shakes_nothing_is_told_to_be_a_thing() -> None:
    found = told(opened(), times(10), LEFT, RIGHT, shown=lambda at_s: shifted(shop(at_s), np.sin(9 * at_s)))

    assert (gone(found, LEFT), gone(found, RIGHT)) == ([], [])


def people(scores: Sequence[float] = (0.8, 0.7)) -> Detections:
    """Return one on the left and one on the right, with heads and bodies."""
    return table(
        Detections,
        frame_row=[0, 0],
        head_box=[LEFT, RIGHT],
        head_score=scores,
        body_box=[LEFT_BODY, RIGHT_BODY],
        body_score=[0.5, 0.5],
        direction_scores=np.full((2, 8), 0.3),
    )


def last_of(shown: Shown, given: Detections) -> Detections:
    """Return what is left of the same people after some seconds."""
    node = opened()
    for at_s in times(2 * STILL_S):
        left = node.process(at([at_s], shown), given)
    return left


def test_the_body_of_who_moves_the_head_is_somebody_and_that_of_a_thing_goes_with_it() -> None:
    left = last_of(lambda at_s: shop(at_s, sway_px=0.4), people())  # too little for the body as a whole

    assert left.head_box.tolist() == [np.array(RIGHT, np.float32).tolist()]
    assert left.body_box.tolist() == [np.array(RIGHT_BODY, np.float32).tolist()]


def test_a_still_head_goes_from_a_body_that_moves_and_the_best_come_first() -> None:
    def moving_bodies(at_s: float) -> np.ndarray:
        picture = shifted(shop(at_s), 20 * np.sin(2 * np.pi * 0.4 * at_s))
        picture[px(LEFT)] = texture(1)[px(LEFT)]
        return picture

    left = last_of(moving_bodies, people())

    assert left.head_score.tolist() == pytest.approx([0.7, 0])
    assert np.isnan(left.head_box[1]).all() and not left.direction_scores[1].any()
    assert left.body_box.tolist() == [
        np.array(RIGHT_BODY, np.float32).tolist(),
        np.array(LEFT_BODY, np.float32).tolist(),
    ]
    assert left.body_score.tolist() == [0.5, 0.5]


def test_streams_know_nothing_of_each_other() -> None:
    node = opened()
    told(node, times(STILL_S + 1), LEFT, stream="shop")

    assert gone(told(node, times(6, since_s=5), LEFT, stream="door"), LEFT) == []
    assert gone(told(node, times(6, since_s=5), LEFT, stream="shop"), LEFT) == times(6, since_s=5)


def test_a_new_generation_and_an_ended_stream_begin_anew() -> None:
    node = opened()
    told(node, times(STILL_S + 1), LEFT)

    assert gone(told(node, times(6, since_s=5), LEFT, generation=1), LEFT) == []
    told(node, times(10, since_s=6), LEFT, generation=1)
    node.stream_ended("shop")
    assert gone(told(node, times(11, since_s=10), LEFT, generation=1), LEFT) == []


def test_frames_of_one_tick_are_gone_through_in_order() -> None:
    when = times(STILL_S + 1)
    batch = heads(LEFT)
    rows = [replace(batch, frame_row=np.array([row])) for row in range(len(when))]
    every = {name: np.concatenate([getattr(row, name) for row in rows]) for name in Detections.__dataclass_fields__}

    left = opened().process(at(when), Detections(**every))

    assert left.frame_row.tolist() == list(range(len(times(STILL_S))))


def test_a_tick_that_is_run_again_gives_the_same() -> None:
    node = opened()
    told(node, times(STILL_S), LEFT)

    again = [node.process(at([STILL_S]), heads(LEFT)) for _ in range(3)]

    assert [len(one) for one in again] == [0, 0, 0]


def test_frames_without_people_are_told_as_they_are_and_change_nothing() -> None:
    node = opened()
    told(node, times(STILL_S + 1), LEFT)

    nothing = node.process(at([5.0, 5.2]), Detections.empty())

    assert len(nothing) == 0 and nothing.head_box.shape == (0, 4)
    assert gone(told(node, [5.4], LEFT), LEFT) == [5.4]


def test_other_values_are_taken_up_while_it_runs() -> None:
    node = opened(still_s=100.0)
    told(node, times(6), LEFT)

    node.config = node.config.model_copy(update={"still_s": 5.0})

    assert gone(told(node, [6.0, 6.5], LEFT), LEFT) == [6.0, 6.5]


def test_places_are_forgotten_and_never_too_many() -> None:
    node, rng = opened(), np.random.default_rng(1)
    for at_s in np.arange(60) * 0.5:
        corner = rng.uniform(0, 0.9, (20, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(0.02, 0.1, (20, 2))], axis=1)
        node.process(at([at_s]), heads(*boxes.tolist(), scores=[0.5] * 20))

    assert len(node._streams["shop"][1].spots) <= MOST + 20
    told(node, [100.0, 100.4], LEFT)
    assert len(node._streams["shop"][1].spots) == 1
