from typing import Any

import numpy as np
import pytest

from nodes.estimate_gaze import EstimateGaze
from nodes.types import GazeMaps, Tracks
from pipeline.errors import ModelError
from pipeline.values import concat
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


def test_a_model_without_in_out_tells_it_by_its_peaks() -> None:
    node, _ = opened(gaze_model(answer, SIZE_WH, in_frame=False))
    grey = [picture(bgr=(level, level, level)) for level in (51, 153)]

    maps = node.process(frames(2, pictures=grey), heads(LEFT, RIGHT, rows=[0, 1]))

    odds = np.array([0.25, 1.5]) / (0.3 / 0.7)
    assert maps.in_frame_prob == pytest.approx(odds / (1 + odds), abs=1e-6)


def test_heads_of_all_frames_are_one_call_of_a_prepared_model() -> None:
    node, session = opened(gaze_model(answer, SIZE_WH, prepared=True), heads_per_call=3)
    grey = [picture(bgr=(level, level, level)) for level in (51, 204, 102)]

    maps = node.process(frames(3, pictures=grey), heads(LEFT, RIGHT, LEFT, rows=[0, 0, 2]))

    (call,) = session.calls
    assert (call["image_bgr"].shape, call["image_bgr"].dtype) == ((2, 32, 64, 3), np.uint8)
    assert call["image_row"].tolist() == [0, 0, 1]
    assert maps.heatmap[:, 0, 0] == pytest.approx([0.2, 0.2, 0.4])
    assert maps.in_frame_prob == pytest.approx([0.1, 0.6, 0.1])


def test_heads_of_all_frames_are_one_call_of_a_model_that_takes_many_pictures_as_they_ship() -> None:
    node, session = opened(gaze_model(answer, SIZE_WH, many=True), heads_per_call=3)
    grey = [picture(bgr=(level, level, level)) for level in (51, 204, 102)]

    maps = node.process(frames(3, pictures=grey), heads(LEFT, RIGHT, LEFT, rows=[0, 0, 2]))

    (call,) = session.calls
    assert (call["image_bgr"].shape, call["bboxes_x1y1x2y2"].shape) == ((2, 3, 32, 64), (1, 3, 4))
    assert call["image_row"].tolist() == [0, 0, 1]
    assert maps.heatmap[:, 0, 0] == pytest.approx([0.2, 0.2, 0.4])
    assert maps.in_frame_prob == pytest.approx([0.1, 0.6, 0.1])


def test_calls_of_a_prepared_model_hold_whole_frames_as_far_as_told() -> None:
    node, session = opened(gaze_model(answer, SIZE_WH, prepared=True), heads_per_call=3)

    node.process(frames(4, pictures=True), heads(*[LEFT] * 9, rows=[0, 0, 1, 2, 3, 3, 3, 3, 3]))

    assert [call["image_row"].tolist() for call in session.calls] == [[0, 0, 1], [0], [0] * 5]


@pytest.mark.parametrize(
    ("family", "outputs"),
    [("wholebody34", {"label_xyxy_score": ("N", 40, 6)}), ("gazelle", {"masks": ("heads", 64, 64)})],
    ids=["a detector", "a model without maps"],
)
def test_a_model_of_another_kind_is_refused(family: str, outputs: dict[str, tuple]) -> None:
    session = FakeSession(dict, {"image_bgr": (1, 3, 32, 64)}, outputs, family=family, input_size_wh=SIZE_WH)

    with pytest.raises(ModelError) as error:
        opened(session, model="other")

    ((name, shape),) = outputs.items()
    assert str(error.value) == (
        "estimate_gaze.model: expected a card of the family 'gazelle' whose file takes image_bgr [1, 3, H, W] and "
        "bboxes_x1y1x2y2 [1, heads, 4], or [pictures, 3, H, W] or [pictures, H, W, 3], [1, heads, 4] or [heads, 4], "
        "and image_row [heads], and returns heatmap [heads, h, w], got 'other' of "
        f"{family!r} with image_bgr [1, 3, 32, 64], {name} {list(shape)}; choose a gaze model"
    )
