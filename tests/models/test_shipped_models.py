"""The files that ship keep their contracts; needs ONNX Runtime and no torch."""

import hashlib
from functools import cache

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import yaml

from nodes.ops.boxes import iou
from pipeline.cards import load_card
from scenes.still import render_still
from tests.repository import ROOT

PEOPLE, GAZE = "people-shop-480", "gaze-shop-480"
HELD_OUT_SEED = 9_000_000
BODY, HEAD, FRONT, FACE = 0, 7, 8, 16


@cache
def session(name: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # it warns of each input that has a default
    return ort.InferenceSession(str(load_card(name, ROOT)[1]), options, providers=["CPUExecutionProvider"])


def planes(*pictures: np.ndarray) -> np.ndarray:
    return np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32)


@cache
def still(k: int) -> np.ndarray:
    return render_still(HELD_OUT_SEED + k, size_wh=(480, 288)).bgr


def detect(pictures: np.ndarray) -> np.ndarray:
    (rows,) = session(PEOPLE).run(["label_xyxy_score"], {"input_bgr": pictures})
    return rows


@pytest.mark.parametrize("name", [PEOPLE, GAZE])
def test_card_and_record_are_of_the_file(name: str) -> None:
    card, path = load_card(name, ROOT)
    record = yaml.safe_load(path.with_suffix(".record.yaml").read_text("utf-8"))

    checksum = hashlib.sha256(path.read_bytes()).hexdigest()

    assert (card.sha256, record["sha256"]) == (checksum, checksum)
    assert {"command", "code_commit", "hours", "steps"} <= set(record)
    trained = record["started_from"] if "labels" in record else record  # one that was adapted has labels of footage
    assert {"command", "code_commit", "hours", "steps", "figures", "head_network"} <= set(trained)
    assert (card.shipped, card.url, card.input_size_wh) == (True, None, (480, 288))


def test_detector_has_the_names_and_types_of_its_family() -> None:
    (given,), (made,) = session(PEOPLE).get_inputs(), session(PEOPLE).get_outputs()

    assert (given.name, given.type, given.shape[1]) == ("input_bgr", "tensor(float)", 3)
    assert [isinstance(given.shape[k], str) for k in (0, 2, 3)] == [True, True, True]
    assert (made.name, made.type, made.shape[2]) == ("label_xyxy_score", "tensor(float)", 6)


def test_detector_takes_several_pictures_of_odd_size() -> None:
    rows = detect(planes(still(0)[:201, :333], still(1)[:201, :333]))
    alone = detect(planes(still(1)[:201, :333]))

    assert rows.shape == (2, 200 if FACE in load_card(PEOPLE, ROOT)[0].classes else 160, 6)
    np.testing.assert_allclose(rows[1][:, 5], alone[0][:, 5], atol=1e-5)


def test_rows_are_sorted_and_in_range() -> None:
    rows = detect(planes(still(0), still(1)))

    assert (np.diff(rows[..., 5], axis=1) <= 0).all()
    assert set(np.unique(rows[..., 0])) <= set(load_card(PEOPLE, ROOT)[0].classes)
    assert (rows[..., 1:] >= 0).all()
    assert (rows[..., 1:] <= 1).all()
    assert (rows[..., 3:5] >= rows[..., 1:3]).all()


def test_direction_rows_repeat_their_head_and_share_its_score() -> None:
    rows = detect(planes(still(0)))[0]
    heads = rows[(rows[:, 0] == HEAD) & (rows[:, 5] > 0.2)]
    directions = rows[(rows[:, 0] >= FRONT) & (rows[:, 0] < FRONT + 8) & (rows[:, 5] > 0)]

    of_head = [directions[(directions[:, 1:5] == head[1:5]).all(1)] for head in heads]

    assert len(heads) > 0
    assert [len(own) for own in of_head] == [2] * len(heads)
    assert [abs(own[0, 0] - own[1, 0]) in (1, 7) for own in of_head] == [True] * len(heads)
    np.testing.assert_allclose([own[:, 5].sum() for own in of_head], heads[:, 5], rtol=1e-5)


def test_a_picture_without_heads_is_an_ordinary_input() -> None:
    rows = detect(np.full((1, 3, 288, 480), 90, np.float32))

    assert rows[0, 0, 5] < 0.3


@pytest.mark.parametrize("size_wh", [(320, 192), (416, 256), (640, 384)])
def test_heads_are_found_in_pictures_of_other_sizes(size_wh: tuple[int, int]) -> None:
    other = cv2.resize(still(0), size_wh, interpolation=cv2.INTER_AREA)

    def heads(picture: np.ndarray, least: float) -> np.ndarray:
        rows = detect(planes(picture))[0]
        return rows[(rows[:, 0] == HEAD) & (rows[:, 5] > least), 1:5]

    wanted, found = heads(still(0), 0.5), heads(other, 0.2)

    assert len(wanted) > 0
    assert (iou(wanted, found).max(axis=1) > 0.4).mean() >= 0.6


def test_detector_finds_the_heads_of_held_out_stills() -> None:
    found = wanted = 0
    for k in range(6):
        people = render_still(HELD_OUT_SEED + k, size_wh=(480, 288)).people
        rows = detect(planes(still(k)))[0]
        boxes = rows[(rows[:, 0] == HEAD) & (rows[:, 5] > 0.3), 1:5]
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        tall = (people.head_box[:, 3] - people.head_box[:, 1]) * 288 >= 20
        for x1, y1, x2, y2 in people.head_box[tall & (people.head_visible > 0.7)]:
            wanted += 1
            found += bool(((centres > (x1, y1)) & (centres < (x2, y2))).all(1).any())

    assert wanted >= 6
    assert found / wanted >= 0.8


def test_gaze_model_has_the_names_and_types_of_its_family() -> None:
    inputs = {value.name: (value.type, value.shape) for value in session(GAZE).get_inputs()}
    outputs = {value.name: (value.type, value.shape) for value in session(GAZE).get_outputs()}

    dtype, (images, *picture) = inputs.pop("image_bgr")
    assert (dtype, picture) == ("tensor(float)", [3, 288, 480])
    assert images == "images"
    assert inputs == {"bboxes_x1y1x2y2": ("tensor(float)", [1, "heads", 4])}  # no client need feed more
    assert outputs == {
        "heatmap": ("tensor(float)", ["heads", 64, 64]),
        "inout": ("tensor(float)", ["heads"]),
        "direction": ("tensor(float)", ["heads", 6]),
    }


def test_gaze_model_takes_heads_of_many_pictures() -> None:
    boxes = np.array([[0.1, 0.2, 0.2, 0.35], [0.6, 0.3, 0.68, 0.42], [0.4, 0.1, 0.5, 0.3]], np.float32)
    rows = np.array([1, 0, 1])

    together = session(GAZE).run(
        None, {"image_bgr": planes(still(0), still(1)), "bboxes_x1y1x2y2": boxes[None], "image_row": rows}
    )

    for k, row in enumerate(rows.tolist()):
        alone = session(GAZE).run(None, {"image_bgr": planes(still(row)), "bboxes_x1y1x2y2": boxes[None, k : k + 1]})
        for all_heads, one in zip(together, alone, strict=True):
            np.testing.assert_allclose(all_heads[k], one[0], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(together[2].reshape(3, 2, 3), axis=2), 1, atol=1e-3)


def test_gaze_rows_belong_to_their_boxes() -> None:
    boxes = np.array([[0.1, 0.2, 0.2, 0.35], [0.6, 0.3, 0.68, 0.42], [0.4, 0.1, 0.5, 0.3]], np.float32)

    def look(some: np.ndarray) -> list[np.ndarray]:
        return session(GAZE).run(["heatmap", "inout"], {"image_bgr": planes(still(0)), "bboxes_x1y1x2y2": some[None]})

    together, turned, alone = look(boxes), look(boxes[::-1]), look(boxes[1:2])

    for all_heads, backwards, one in zip(together, turned, alone, strict=True):
        assert len(all_heads) == 3
        assert all_heads.min() >= 0
        assert all_heads.max() <= 1
        np.testing.assert_allclose(backwards[::-1], all_heads, atol=1e-5)
        np.testing.assert_allclose(one, all_heads[1:2], atol=1e-5)


def test_gaze_model_tells_the_look_at_the_camera_from_the_look_into_the_scene() -> None:
    inside, outside = [], []
    for k in range(12):
        people = render_still(HELD_OUT_SEED + k, size_wh=(480, 288)).people
        large = (people.head_box[:, 3] - people.head_box[:, 1]) * 288 >= 16
        seen = np.flatnonzero(large & (people.head_visible > 0.6))
        if len(seen):
            feed = {"image_bgr": planes(still(k)), "bboxes_x1y1x2y2": people.head_box[seen][None].astype(np.float32)}
            (inout,) = session(GAZE).run(["inout"], feed)
            inside.extend(inout[people.in_frame[seen]])
            outside.extend(inout[~people.in_frame[seen]])

    assert np.mean(inside) > np.mean(outside) + 0.2
