from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nodes.estimate_gaze import EstimateGaze
from nodes.types import GazeMaps, Tracks
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal
from tests.fake_models import gaze_model
from tests.helpers import FakeSession, frames, make_node, picture, table

SIZE_WH = (64, 32)
LEFT, RIGHT = [0.1, 0.2, 0.4, 0.8], [0.6, 0.2, 0.9, 0.8]
NONE = [np.nan] * 4


def answer(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maps full of the picture's grey, and each box's left edge as its in-frame probability."""
    return np.full((len(boxes), 8, 8), image.mean() / 255), boxes[:, 0]


def opened(session: FakeSession | None = None, **config: Any) -> tuple[EstimateGaze, FakeSession]:
    session = session or gaze_model(answer, SIZE_WH)
    node = make_node(EstimateGaze, session=session, **config)
    node.open()
    return node, session


def heads(
    *boxes: list[float], rows: list[int] | None = None, scores: list[float] | None = None, track_id: int = 0
) -> Tracks:
    """Return heads, numbered within their frame, or all of one track."""
    rows = rows or [0] * len(boxes)
    numbers = [track_id or 1 + rows[:k].count(row) for k, row in enumerate(rows)]
    return table(
        Tracks,
        frame_row=rows,
        track_id=numbers,
        head_box=boxes,
        head_score=scores or [0.9] * len(boxes),
    )


def asked_s(maps: GazeMaps) -> list[list[float]]:
    """Return, for each frame with maps, when each was asked for."""
    return [(maps.asked_ns[maps.frame_row == row] / 1e9).tolist() for row in np.unique(maps.frame_row)]


def adaptive(**config: Any) -> tuple[EstimateGaze, FakeSession]:
    return opened(schedule="adaptive", **config)


def still(count: int, step_s: float = 0.1) -> tuple[FrameBatch, Tracks]:
    """Return frames with one head that keeps still."""
    return frames(count, step_s=step_s, pictures=True), heads(*[LEFT] * count, rows=list(range(count)), track_id=1)


def test_all_heads_of_a_frame_are_one_call() -> None:
    node, session = opened()
    grey = [picture(bgr=(level, level, level)) for level in (51, 102)]

    maps = node.process(frames(2, pictures=grey), heads(LEFT, RIGHT, LEFT, rows=[0, 0, 1]))

    assert [call["bboxes_x1y1x2y2"].shape for call in session.calls] == [(1, 2, 4), (1, 1, 4)]
    assert [call["image_bgr"].shape for call in session.calls] == [(1, 3, 32, 64)] * 2
    assert (maps.frame_row.tolist(), maps.track_id.tolist()) == ([0, 0, 1], [1, 2, 1])
    assert maps.heatmap[:, 0, 0] == pytest.approx([0.2, 0.2, 0.4])
    assert maps.asked_ns.tolist() == [0, 0, 40_000_000]
    assert maps.in_frame_prob == pytest.approx([0.1, 0.6, 0.1])
    assert np.array_equal(maps.head_box, np.array([LEFT, RIGHT, LEFT], np.float32))
    assert maps.asked_ns.tolist() == [0, 0, 40_000_000]


def test_only_pictures_with_heads_are_made_into_inputs() -> None:
    node, session = opened()

    node.process(frames(3, pictures=True), heads(LEFT, rows=[1]))

    assert node.context.device.calls == [(1, SIZE_WH)]
    assert len(session.calls) == 1


@pytest.mark.parametrize("boxes", [[], [NONE, NONE]], ids=["nobody", "only bodies"])
def test_no_heads_are_no_call(boxes: list[list[float]]) -> None:
    node, session = opened()

    maps = node.process(frames(2, pictures=True), heads(*boxes))

    assert len(maps) == 0
    assert session.calls == []
    assert node.context.device.calls == []


def test_bodies_and_doubtful_heads_are_not_asked_about() -> None:
    node, _ = opened(min_head_score=0.5)

    maps = node.process(frames(1, pictures=True), heads(LEFT, NONE, RIGHT, LEFT, scores=[0.4, 0.9, 0.9, 0.5]))

    assert maps.track_id.tolist() == [3, 4]


def test_of_many_heads_the_best_are_asked_about_in_their_order() -> None:
    node, _ = opened(max_heads=2)

    maps = node.process(frames(1, pictures=True), heads(LEFT, RIGHT, LEFT, RIGHT, scores=[0.6, 0.7, 0.5, 0.9]))

    assert maps.track_id.tolist() == [2, 4]


def test_of_too_many_heads_those_without_a_map_come_first_then_those_with_the_oldest() -> None:
    node, session = opened(max_heads=2)
    three = [heads(LEFT, RIGHT, LEFT, rows=[row] * 3, scores=[0.9, 0.8, 0.7]) for row in range(3)]
    shown = frames(3, pts_s=[0, 1, 2], pictures=True)

    maps = node.process(shown, concat(three))

    assert [call["bboxes_x1y1x2y2"].shape[1] for call in session.calls] == [2, 2, 2]
    assert asked_s(maps) == [[0, 0], [1, 0, 1], [2, 2, 1]]


def test_a_head_smaller_than_a_cell_is_asked_about_with_a_cell_and_reported_as_it_is() -> None:
    node, session = opened()
    small = [0.51, 0.26, 0.55, 0.74]  # 4 cells across, 2 down: rounds to column 2 to 2, row 1 to 1

    maps = node.process(frames(1, pictures=True), heads(small))

    asked = session.calls[0]["bboxes_x1y1x2y2"][0, 0]
    assert asked == pytest.approx([0.53 - 0.12625, 0.5 - 0.2525, 0.53 + 0.12625, 0.5 + 0.2525])
    assert np.array_equal(maps.head_box, np.array([small], np.float32))


@pytest.mark.parametrize(
    ("cell_px", "width"),
    [(0, 0.04), (8, 1.01 / 8), (2, 0.04)],
    ids=["a model that does not round", "finer cells", "cells it covers"],
)
def test_the_card_says_how_boxes_are_rounded(cell_px: int, width: float) -> None:
    node, session = opened(gaze_model(answer, SIZE_WH, box_cell_px=cell_px))

    node.process(frames(1, pictures=True), heads([0.51, 0.2, 0.55, 0.8]))

    asked = session.calls[0]["bboxes_x1y1x2y2"][0, 0]
    assert asked == pytest.approx([0.53 - width / 2, 0.2, 0.53 + width / 2, 0.8])


@pytest.mark.parametrize(
    ("family", "outputs", "problem"),
    [
        ("wholebody34", {"label_xyxy_score": ("N", 40, 6)}, "'wholebody34' with ['label_xyxy_score']"),
        ("gazelle", {"heatmap": ("heads", 64, 64)}, "'gazelle' with ['heatmap']"),
    ],
    ids=["a detector", "a model without in/out"],
)
def test_a_model_of_another_kind_is_refused(family: str, outputs: dict[str, tuple], problem: str) -> None:
    session = FakeSession(dict, {}, outputs, family=family, input_size_wh=SIZE_WH)

    with pytest.raises(ModelError) as error:
        opened(session, model="other")

    assert str(error.value) == (
        "estimate_gaze.model: expected a card of the family 'gazelle' with input_size_wh and a model with the output "
        f"'inout', got 'other' of {problem}; choose a gaze model with in/out"
    )


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


def test_a_batch_gives_what_its_frames_give_one_by_one_when_adaptive() -> None:
    rng = np.random.default_rng(5)
    shown = frames(30, stream=("shop", "door") * 15, pts_s=np.repeat(np.arange(15) * 0.05, 2), pictures=True)
    rows = np.repeat(np.arange(30), 4)
    low = rng.random((120, 2)) * 0.5
    tracks = table(
        Tracks,
        frame_row=rows,
        track_id=np.tile(np.arange(4) + 1, 30),
        head_box=np.concatenate([low, low + 0.3], axis=1),
        head_score=rng.random(120) * 0.5 + 0.3,
        direction_scores=rng.random((120, 8)),
    )
    config = {"heads_per_s": 20, "max_heads": 3, "max_age_s": 0.3}

    many = adaptive(**config)[0].process(shown, tracks)

    one, _ = adaptive(**config)
    parts = []
    for row in range(30):
        part = replace(tracks.take(rows == row), frame_row=np.zeros(4, np.int64))
        maps = one.process(shown.take([row]), part)
        parts.append(replace(maps, frame_row=np.full(len(maps), row)))
    assert equal(many, concat(parts))
    assert 0 < (many.asked_ns == shown.pts_ns[many.frame_row]).mean() < 0.7
