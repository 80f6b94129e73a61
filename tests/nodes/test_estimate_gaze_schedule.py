"""Gaze maps where heads are asked about on the adaptive schedule."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nodes.estimate_gaze import EstimateGaze
from nodes.types import Tracks
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal
from tests.fake_models import gaze_model
from tests.helpers import FakeSession, frames, picture, table
from tests.nodes.test_estimate_gaze import LEFT, RIGHT, SIZE_WH, asked_s, heads, opened


def adaptive(**config: Any) -> tuple[EstimateGaze, FakeSession]:
    return opened(schedule="adaptive", **config)


def still(count: int, step_s: float = 0.1) -> tuple[FrameBatch, Tracks]:
    """Return frames with one head that keeps still."""
    return frames(count, step_s=step_s, pictures=True), heads(*[LEFT] * count, rows=list(range(count)), track_id=1)


def test_a_head_that_is_not_asked_about_keeps_its_last_map_with_its_time_and_the_box_of_now() -> None:
    node, session = adaptive(max_age_s=0.3)
    shown, tracks = still(4)
    grey = [picture(bgr=(level, level, level)) for level in (51, 102, 153, 204)]
    shown = replace(shown, pictures=tuple(grey))
    nudged = tracks.head_box.copy()
    nudged[1] += np.float32(0.01)

    maps = node.process(shown, replace(tracks, head_box=nudged))

    assert maps.asked_ns.tolist() == [0, 0, 0, 300_000_000]
    assert maps.heatmap[:, 0, 0] == pytest.approx([0.2, 0.2, 0.2, 0.8])
    assert maps.in_frame_prob == pytest.approx([0.1] * 4)
    assert np.array_equal(maps.head_box, nudged)
    assert len(session.calls) == 2


def test_a_map_stays_as_it_was_when_the_model_uses_its_memory_again() -> None:
    memory = np.zeros((1, 8, 8), np.float32)

    def reusing(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        memory[:] += 0.25
        return memory, boxes[:, 0]

    node, _ = adaptive(session=gaze_model(reusing, SIZE_WH), max_age_s=10)
    one, two = heads(LEFT), heads(LEFT, RIGHT, rows=[1, 1])

    maps = node.process(frames(2, pts_s=[0, 0.01], pictures=True), concat([one, two]))

    assert maps.heatmap[:, 0, 0].tolist() == [0.25, 0.25, 0.5]


def test_frames_in_which_nobody_is_due_are_not_looked_at() -> None:
    node, _ = adaptive(max_age_s=0.3)

    node.process(*still(3))

    assert node.context.device.calls == [(1, SIZE_WH)]


def test_a_head_without_a_map_and_without_budget_has_no_row() -> None:
    node, _ = adaptive(heads_per_s=1)

    maps = node.process(frames(1, pictures=True), heads(LEFT, RIGHT, scores=[0.5, 0.9]))

    assert maps.track_id.tolist() == [2]


def test_a_head_that_turns_or_moves_is_asked_about_again() -> None:
    node, _ = adaptive(max_age_s=10)
    shown, tracks = still(5)
    facing = np.zeros((5, 8), np.float32)
    facing[:2, 0], facing[2:, 2] = 0.9, 0.5  # turns in the third frame
    box = tracks.head_box.copy()
    box[4] += 0.3 * np.float32(0.31)  # moves in the fifth

    maps = node.process(shown, replace(tracks, direction_scores=facing, head_box=box))

    assert asked_s(maps) == [[0], [0], [0.2], [0.2], [0.4]]


def test_a_map_goes_with_the_person_when_the_tracker_corrects_itself() -> None:
    node, session = adaptive(max_age_s=10)
    before, after = heads(LEFT, track_id=3), heads(LEFT, rows=[1], track_id=7)
    after = replace(after, taken_from=np.array([3]), taken_since_ns=np.array([0]))

    maps = node.process(frames(2, pictures=True), concat([before, after]))

    assert (maps.track_id.tolist(), maps.asked_ns.tolist()) == ([3, 7], [0, 0])
    assert len(session.calls) == 1


@pytest.mark.parametrize("how", ["the stream ended", "a new generation"])
def test_maps_are_forgotten_with_their_stream(how: str) -> None:
    node, session = adaptive(max_age_s=10)
    shown, tracks = still(1)
    node.process(shown, tracks)

    if how == "the stream ended":
        node.stream_ended("shop")
    again = frames(1, pts_s=[0.1], generation=int(how == "a new generation"), pictures=True)
    maps = node.process(again, tracks)

    assert maps.asked_ns.tolist() == [100_000_000]
    assert len(session.calls) == 2


def test_streams_have_budgets_of_their_own() -> None:
    node, _ = adaptive(heads_per_s=1)

    maps = node.process(frames(stream=("shop", "door"), pts_s=[0, 0], pictures=True), heads(LEFT, RIGHT, rows=[0, 1]))

    assert (maps.frame_row.tolist(), maps.track_id.tolist()) == ([0, 1], [1, 1])


def test_values_may_change_between_two_ticks() -> None:
    node, session = adaptive(max_age_s=10)
    shown, tracks = still(3)
    one = [(shown.take([row]), replace(tracks.take([row]), frame_row=np.zeros(1, np.int64))) for row in range(3)]

    node.process(*one[0])
    node.process(*one[1])
    node.config = node.config.model_copy(update={"schedule": "every_frame"})
    node.reconfigured()
    node.process(*one[2])

    assert len(session.calls) == 2


def crowd(count: int) -> tuple[FrameBatch, Tracks]:
    """Return frames of two streams, two of the one to one of the other, with four restless heads each."""
    rng = np.random.default_rng(5)
    grey = [picture(bgr=(level, level, level)) for level in rng.integers(0, 255, count).tolist()]
    streams = [("shop", "shop", "door")[row % 3] for row in range(count)]
    shown = frames(count, stream=streams, pts_s=np.arange(count) * 0.025, pictures=grey)
    low = rng.random((4 * count, 2)) * 0.5
    tracks = table(
        Tracks,
        frame_row=np.repeat(np.arange(count), 4),
        track_id=np.tile(np.arange(4) + 1, count),
        head_box=np.concatenate([low, low + 0.3], axis=1),
        head_score=rng.random(4 * count) * 0.5 + 0.3,
        direction_scores=rng.random((4 * count, 8)),
    )
    return shown, tracks


def wandering(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maps whose hill lies elsewhere in each picture."""
    maps = np.zeros((len(boxes), 8, 8))
    maps[:, int(image.mean()) % 8] = 0.5
    return maps, boxes[:, 0]


@pytest.mark.parametrize("prepared", [False, True], ids=["released", "prepared"])
@pytest.mark.parametrize(
    "config",
    [
        {"heads_per_s": 20, "max_heads": 3, "max_age_s": 0.3},
        {"heads_per_s": 20, "max_heads": 3, "max_age_s": 0.3, "unsettled": 0},
        {"heads_per_s": 40, "rest_s": 0, "max_move": 9, "max_turn": 1, "max_age_s": 0.15, "unsettled": 9},
        {"schedule": "every_frame", "max_heads": 3},
    ],
    ids=["short of budget", "whatever it says", "as the gaze wanders", "every frame"],
)
def test_a_batch_gives_what_its_frames_give_one_by_one(config: dict[str, Any], prepared: bool) -> None:
    shown, tracks = crowd(30)
    config = {"schedule": "adaptive", **config}

    many = opened(gaze_model(wandering, SIZE_WH, prepared=prepared), **config)[0].process(shown, tracks)

    one, _ = opened(gaze_model(wandering, SIZE_WH, prepared=prepared), **config)
    parts = []
    for row in range(30):
        part = replace(tracks.take(tracks.frame_row == row), frame_row=np.zeros(4, np.int64))
        maps = one.process(shown.take([row]), part)
        parts.append(replace(maps, frame_row=np.full(len(maps), row)))
    assert equal(many, concat(parts))
    assert 0 < (many.asked_ns == shown.pts_ns[many.frame_row]).mean() < 0.9


@pytest.mark.parametrize(
    ("config", "calls"),
    [
        ({"schedule": "every_frame"}, [8]),
        ({"schedule": "adaptive", "rest_s": 0, "unsettled": 0}, [8]),
        ({"schedule": "adaptive", "rest_s": 0, "unsettled": 5}, [2, 2, 1, 1, 1, 1]),
    ],
    ids=["every frame", "whatever it says", "by what it says of the frame before"],
)
def test_frames_of_a_stream_are_asked_about_together_where_answers_have_no_part_in_it(
    config: dict[str, Any], calls: list[int]
) -> None:
    node, session = opened(gaze_model(wandering, SIZE_WH, prepared=True), heads_per_call=99, **config)

    node.process(*crowd(8))

    assert [len(call["image_bgr"]) for call in session.calls] == calls


def test_what_a_model_failed_to_say_is_not_taken_for_an_answer() -> None:
    broken = False

    def failing(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if broken:
            raise RuntimeError("out of memory")
        return wandering(image, boxes)

    node, session = adaptive(session=gaze_model(failing, SIZE_WH), max_age_s=0.1)
    shown, tracks = still(3)
    one = [(shown.take([row]), replace(tracks.take([row]), frame_row=np.zeros(1, np.int64))) for row in range(3)]
    node.process(*one[0])

    broken = True
    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        node.process(*one[1])
    again = node.process(*one[1])
    broken = False
    later = node.process(*one[2])

    assert (asked_s(again), asked_s(later)) == ([[0]], [[0.2]])
    assert again.heatmap.max() == 0.5
    assert len(session.calls) == 3
