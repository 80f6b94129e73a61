"""Gaze models of every form of file: what goes in, what comes out, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodes.adapters.gaze_models import GazeModel, open_gaze_model
from nodes.ops.heatmap import evened
from pipeline.card_fields import GazeOutputs, PeakInFrame
from pipeline.card_fields import Picture as RecipeOfPicture
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import Picture
from tests.fake_models import FarDevice, FarSession, gaze_model
from tests.helpers import FakeContext, FakeSession, frames, picture

GOLDEN = (0.1, 0.2, 0.5, 0.7)
FORMS = [
    pytest.param({}, id="released"),
    pytest.param({"prepared": True}, id="prepared"),
    pytest.param({"many": True}, id="many pictures"),
    pytest.param({"heads": 1}, id="one head at a time"),
]


def answer(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maps that depend on picture and box."""
    level = (image.mean() / 510 + boxes.sum(axis=1) / 8)[:, None, None]
    return level * np.linspace(0.5, 1, 64).reshape(8, 8), boxes[:, 0]


def opened(session: FakeSession, heads_per_call: int | None = None) -> GazeModel:
    return open_gaze_model(FakeContext(session=session), "some", "gaze.model", heads_per_call)


def refusal(session: FakeSession) -> str:
    with pytest.raises(ModelError) as error:
        opened(session)
    return str(error.value)


def asked(boxes: list[tuple[float, ...]], **form: Any) -> tuple[np.ndarray, np.ndarray, FakeSession]:
    """Ask about heads of one black picture."""
    session = gaze_model(answer, **form)
    maps, probs = opened(session).look(
        frames(1, pictures=True), np.zeros(len(boxes), np.int64), np.array(boxes, np.float32).reshape(-1, 4)
    )
    return maps, probs, session


@pytest.mark.parametrize("form", FORMS)
def test_heads_of_many_frames_get_what_each_gets_alone(form: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    pictures = [Picture((rng.integers(0, 255, (32, 64, 3), np.uint8),), "bgr") for _ in range(5)]
    shown = frames(stream=("shop", "door", "shop", "door", "yard"), pts_s=[0, 0, 1, 1, 1], pictures=pictures)
    rows = np.array([0, 0, 1, 3, 3, 3, 4])
    low = rng.random((7, 2)) * 0.5
    boxes = np.concatenate([low, low + 0.4], axis=1).astype(np.float32)
    model = opened(gaze_model(answer, **form))

    maps, probs = model.look(shown, rows, boxes)

    alone = [
        opened(gaze_model(answer)).look(shown, rows[k : k + 1], boxes[k : k + 1]) for k in range(7)
    ]  # as released, one head a call
    assert maps == pytest.approx(np.concatenate([each[0] for each in alone]), abs=1e-4)
    assert probs == pytest.approx(np.concatenate([each[1] for each in alone]), abs=1e-4)
    assert (maps.dtype, probs.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize("form", FORMS)
def test_no_heads_are_no_call(form: dict[str, Any]) -> None:
    maps, probs, session = asked([], **form)

    assert (len(maps), maps.ndim, len(probs)) == (0, 3, 0)
    assert session.calls == []


def test_a_file_for_one_head_is_asked_head_by_head_about_one_picture() -> None:
    session = gaze_model(answer, heads=1)
    model = opened(session)

    model.look(frames(1, pictures=True), np.zeros(3, np.int64), np.array([GOLDEN] * 3, np.float32))

    assert [call["bboxes_x1y1x2y2"].shape for call in session.calls] == [(1, 1, 4)] * 3
    assert session.calls[0]["image_bgr"] is session.calls[2]["image_bgr"]


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("said", [None, (416, 416)])
def test_the_size_of_pictures_is_that_of_the_file(prepared: bool, said: tuple[int, int] | None) -> None:
    _, _, session = asked([GOLDEN], size_wh=(416, 416), prepared=prepared, input_size_wh=said)

    shape = (1, 416, 416, 3) if prepared else (1, 3, 416, 416)
    assert session.calls[0]["image_bgr"].shape == shape


def test_a_file_for_pictures_of_any_size_gets_that_of_the_card() -> None:
    session = gaze_model(answer, (64, 32))
    session.inputs["image_bgr"] = ((1, 3, "height", None), "float32")

    opened(session).look(frames(1, pictures=True), np.zeros(1, np.int64), np.array([GOLDEN], np.float32))

    assert session.calls[0]["image_bgr"].shape == (1, 3, 32, 64)


def test_a_size_that_is_not_known_or_not_the_cards_is_refused() -> None:
    unknown, other = gaze_model(answer, input_size_wh=None), gaze_model(answer, (320, 320), input_size_wh=(640, 640))
    unknown.inputs["image_bgr"] = ((1, 3, "height", "width"), "float32")

    assert refusal(unknown) == (
        "gaze.model: expected a file with pictures of a fixed size, or `input_size_wh` in its card, got ['width', "
        "'height'] and none in 'some'; write there the size that the model was made for"
    )
    assert refusal(other) == (
        "gaze.model: expected pictures of the size in the card 'some', [640, 640], got a file with [320, 320] (width, "
        "height); correct or leave out `input_size_wh`"
    )


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("image_bgr", (1, 4, 32, 64), "float32"),
        ("image_bgr", (2, 3, 32, 64), "float32"),
        ("image_bgr", (1, 3, 32, 64), "float16"),
        ("bboxes_x1y1x2y2", ("heads", 4), "float32"),
        ("bboxes_x1y1x2y2", (1, 3, 4), "float32"),
        ("depth", (1, 1), "float32"),
        ("image_row", ("heads",), "int64"),
    ],
    ids=["four channels", "two pictures", "halves", "flat boxes", "three heads", "another input", "half prepared"],
)
def test_files_of_another_form_are_refused(name: str, shape: tuple[Any, ...], dtype: str) -> None:
    session = gaze_model(answer)
    session.inputs[name] = (shape, dtype)

    assert refusal(session).startswith("gaze.model: expected a card of the family 'gazelle' whose file takes ")


def test_maps_that_are_not_one_for_each_head_are_refused() -> None:
    session = gaze_model(lambda image, boxes: (np.zeros((1, 8, 8)), boxes[:, 0]))
    flat = gaze_model(lambda image, boxes: (np.zeros((len(boxes), 8, 8)), boxes))

    for wrong, problem in (
        (session, "heatmap [2, h, w] for 2 heads, got [1, 8, 8]"),
        (flat, "inout [2] for 2 heads, got [2, 4]"),
    ):
        with pytest.raises(ModelError) as error:
            opened(wrong).look(frames(1, pictures=True), np.zeros(2, np.int64), np.array([GOLDEN] * 2, np.float32))
        assert str(error.value) == (
            f"model 'fake': expected {problem}; correct the card, or give it a file that fits it"
        )


def test_maps_with_left_out_cells_come_out_even() -> None:
    plain, _, _ = asked([GOLDEN])
    thinned, _, _ = asked([GOLDEN], gaze=GazeOutputs(source_cells_wh=(10, 8)))

    assert thinned == pytest.approx(evened(plain, (10, 8)))
    assert (plain.shape, thinned.shape) == ((1, 8, 8), (1, 8, 10))


def test_a_card_that_says_of_larger_maps_that_they_were_thinned_from_smaller_ones_is_refused() -> None:
    with pytest.raises(ModelError) as error:
        asked([GOLDEN], gaze=GazeOutputs(source_cells_wh=(7, 8)))

    assert str(error.value) == (
        "model 'fake': expected heatmap with at most [7, 8] columns and rows (source_cells_wh), got [1, 8, 8]; correct "
        "the card, or give it a file that fits it"
    )


@pytest.mark.parametrize(
    ("told", "even_at", "slope"), [(None, 0.3, 1.0), (PeakInFrame(even_at=0.1, slope=2.0), 0.1, 2.0)]
)
def test_without_in_out_the_height_of_the_peak_tells(told: PeakInFrame | None, even_at: float, slope: float) -> None:
    maps, probs, _ = asked([GOLDEN], in_frame=False, gaze=GazeOutputs(peak_in_frame=told))

    peak = maps.max()
    odds = ((peak / (1 - peak)) / (even_at / (1 - even_at))) ** slope
    assert probs == pytest.approx([odds / (1 + odds)], rel=1e-4)


@pytest.mark.parametrize(
    ("size", "columns", "rows"),
    [(640, (4, 19), (8, 27)), (320, (2, 9), (4, 13)), (416, (3, 12), (5, 17))],
    ids=["G=40", "G=20", "G=26"],
)
def test_heads_cover_the_cells_that_they_do_upstream(
    size: int, columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    _, _, session = asked([GOLDEN], size_wh=(size, size))

    assert cells(session, size // 16) == [(*columns, *rows)]


@pytest.mark.parametrize(("size", "cell_px"), [(640, None), (416, None), (320, None), (448, 14)])
def test_a_head_at_any_place_covers_a_cell_at_least(size: int, cell_px: int | None) -> None:
    """Halves round to even: an edge at 1.5 goes to 2, one at 2.5 as well."""
    grid = size // (cell_px or 16)
    low = np.arange(0, grid - 1, 0.25) / grid
    small = [(x, x, x + 0.4 / grid, x + 0.4 / grid) for x in low]
    ties = [(1.5 / grid, 1.5 / grid, 2.5 / grid, 2.5 / grid), (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0)]

    _, _, session = asked([*small, *ties], size_wh=(size, size), box_cell_px=cell_px)

    covered = cells(session, grid)
    assert all(left <= right and top <= bottom for left, right, top, bottom in covered)
    assert all(right - left <= 1 for left, right, _, _ in covered)
    middles = [(x + 0.2 / grid) * grid for x in low]
    assert all(left <= middle <= right + 1 for middle, (left, right, _, _) in zip(middles, covered, strict=False))


def cells(session: FakeSession, grid: int) -> list[tuple[int, int, int, int]]:
    """Return first and last column and row that upstream's graph marks of the boxes of the first call."""
    edges = np.rint(session.calls[0]["bboxes_x1y1x2y2"][0] * np.float32(grid)).astype(int)
    return [(x1, x2 - 1, y1, y2 - 1) for x1, y1, x2, y2 in edges.tolist()]


def test_a_device_tells_how_many_heads_go_into_a_call_where_nobody_does() -> None:
    near, session = gaze_model(answer, prepared=True), gaze_model(answer, prepared=True)
    far = FakeContext(session=FarSession(session), device=FarDevice())
    shown, rows, boxes = frames(9, pictures=True), np.arange(9), np.array([GOLDEN] * 9, np.float32)

    opened(near).look(shown, rows, boxes)
    open_gaze_model(far, "some", "gaze.model").look(shown, rows, boxes)

    assert [len(call["image_bgr"]) for call in near.calls] == [1] * 9
    assert [len(call["image_bgr"]) for call in session.calls] == [9]


def test_pictures_are_made_as_the_card_says() -> None:
    rng = np.random.default_rng(1)
    noise = Picture((rng.integers(0, 255, (55, 97, 3), np.uint8),), "bgr")
    how = RecipeOfPicture(shrink="linear", colour="rgb", mean=(1, 2, 3), std=(4, 5, 6))
    session = gaze_model(answer, picture=how)
    shown = frames(1, pictures=[noise])

    model = open_gaze_model(FakeContext(session=session, device=CpuDevice()), "some", "gaze.model")
    model.look(shown, np.zeros(1, np.int64), np.array([GOLDEN], np.float32))

    made = CpuDevice().model_input(shown, (64, 32), "rgb", shrink="linear", mean=(1, 2, 3), std=(4, 5, 6))
    assert np.array_equal(session.calls[0]["image_bgr"], made)
    assert not np.array_equal(made, CpuDevice().model_input(shown, (64, 32), "rgb", mean=(1, 2, 3), std=(4, 5, 6)))


def test_a_picture_that_does_not_fill_the_input_is_refused() -> None:
    assert refusal(gaze_model(answer, picture=RecipeOfPicture(fit="letterbox"))) == (
        "gaze.model: expected pictures that fill the input, as boxes and maps are fractions of it, got picture.fit "
        "'letterbox' in 'some'; take it out of the card"
    )


def test_pictures_are_shown_in_the_order_of_their_heads() -> None:
    session = gaze_model(answer, prepared=True)
    grey = [picture(bgr=(level, level, level)) for level in (10, 20, 30)]

    opened(session, 3).look(frames(3, pictures=grey), np.array([0, 2, 2]), np.array([GOLDEN] * 3, np.float32))

    assert session.calls[0]["image_bgr"][:, 0, 0, 0].tolist() == [10, 30]
    assert session.calls[0]["image_row"].tolist() == [0, 1, 1]
