from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from pydantic import ValidationError

from nodes.detect_people import Config, DetectPeople
from nodes.types import Detections
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.values import equal
from tests.fake_models import detector
from tests.helpers import FakeDevice, FakeSession, frames, make_node
from tests.pipeline.tiny_model import install

BODY, HEAD, FRONT, RIGHT, BACK, FACE = 0, 7, 8, 10, 12, 16
ANNA_BODY, ANNA_HEAD = [0.2, 0.1, 0.4, 0.9], [0.27, 0.1, 0.33, 0.2]
BERT_BODY, BERT_HEAD = [0.6, 0.3, 0.8, 1.0], [0.67, 0.3, 0.73, 0.4]
NONE = [np.nan] * 4


def detect(*rows: list[float], masks: tuple = (), **config: float) -> Detections:
    """Return what is made of the model's rows for one frame."""
    node = make_node(DetectPeople, session=detector(lambda _: rows), **config)
    node.open()
    return node.process(frames(1, pictures=True, config={"shop": {"masks": masks}}))


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_a_head_and_its_body_are_one_person() -> None:
    people = detect([BODY, *ANNA_BODY, 0.8], [HEAD, *ANNA_HEAD, 0.7])

    assert len(people) == 1
    assert np.array_equal(people.head_box, boxes(ANNA_HEAD))
    assert np.array_equal(people.body_box, boxes(ANNA_BODY))
    assert (people.head_score, people.body_score) == (np.float32(0.7), np.float32(0.8))


def test_heads_go_to_their_own_bodies_and_best_comes_first() -> None:
    people = detect([HEAD, *ANNA_HEAD, 0.5], [HEAD, *BERT_HEAD, 0.9], [BODY, *ANNA_BODY, 0.6], [BODY, *BERT_BODY, 0.4])

    assert np.array_equal(people.head_box, boxes(BERT_HEAD, ANNA_HEAD))
    assert np.array_equal(people.body_box, boxes(BERT_BODY, ANNA_BODY))


def test_halves_of_people_stay_alone() -> None:
    people = detect([HEAD, *ANNA_HEAD, 0.9], [BODY, *BERT_BODY, 0.8])

    assert np.array_equal(people.head_box, boxes(ANNA_HEAD, NONE), equal_nan=True)
    assert np.array_equal(people.body_box, boxes(NONE, BERT_BODY), equal_nan=True)
    assert people.head_score == pytest.approx([0.9, 0.0])
    assert people.body_score == pytest.approx([0.0, 0.8])


def test_a_head_without_a_body_must_be_surer() -> None:
    rows = [HEAD, *ANNA_HEAD, 0.5], [BODY, *ANNA_BODY, 0.8], [HEAD, *BERT_HEAD, 0.5]

    assert len(detect(*rows)) == 2
    assert np.array_equal(detect(*rows, lone_head_min_score=0.51).head_box, boxes(ANNA_HEAD))
    assert len(detect(*rows, lone_head_min_score=0.5)) == 2


def test_a_head_seen_behind_somebody_is_not_given_the_body() -> None:
    behind = [0.22, 0.35, 0.26, 0.42]

    people = detect([HEAD, *ANNA_HEAD, 0.7], [HEAD, *behind, 0.6], [BODY, *ANNA_BODY, 0.8])

    assert np.array_equal(people.head_box, boxes(ANNA_HEAD, behind))
    assert np.array_equal(people.body_box, boxes(ANNA_BODY, NONE), equal_nan=True)


def test_directions_join_the_head_they_lie_on() -> None:
    nearly, hardly = [0.271, 0.1, 0.331, 0.2], [0.27, 0.1, 0.33, 0.165]

    people = detect(
        [HEAD, *ANNA_HEAD, 0.9],
        [HEAD, *BERT_HEAD, 0.8],
        [BACK, *BERT_HEAD, 0.6],
        [FRONT, *ANNA_HEAD, 0.5],
        [FRONT, *nearly, 0.4],
        [RIGHT, *nearly, 0.3],
        [BACK, *hardly, 0.9],
        [RIGHT, *ANNA_BODY, 0.9],
    )

    assert people.direction_scores == pytest.approx(
        np.array([[0.5, 0, 0.3, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0.6, 0, 0, 0]]), abs=1e-6
    )


def test_doubled_boxes_go() -> None:
    people = detect(
        [HEAD, *ANNA_HEAD, 0.7], [HEAD, 0.27, 0.1, 0.33, 0.19, 0.6], [BODY, *ANNA_BODY, 0.8], [BODY, *ANNA_BODY, 0.7]
    )

    assert len(people) == 1
    assert (people.head_score, people.body_score) == (np.float32(0.7), np.float32(0.8))


@pytest.mark.parametrize(
    "row",
    [
        [HEAD, *ANNA_HEAD, 0.29],
        [BODY, *ANNA_BODY, 0.34],
        [HEAD, 0.3, 0.3, 0.3, 0.4, 0.9],
        [HEAD, 0.4, 0.3, 0.3, 0.4, 0.9],
        [HEAD, 0.3, 0.3, 0.4, 0.311, 0.9],
        [HEAD, 1.1, 0.3, 1.2, 0.4, 0.9],
        [HEAD, np.nan, 0.3, 0.4, 0.4, 0.9],
        [HEAD, 0.3, 0.3, 0.4, 0.4, np.inf],
        [16, *ANNA_HEAD, 0.9],
        [FRONT, *ANNA_HEAD, 0.9],
    ],
    ids=["weak head", "weak body", "no width", "inside out", "too low", "outside", "nan", "inf", "face", "direction"],
)  # fmt: skip
def test_rows_that_are_nobody_are_left_out(row: list[float]) -> None:
    assert len(detect(row)) == 0


def test_boxes_end_at_the_frame() -> None:
    people = detect([HEAD, -0.1, -0.2, 0.1, 0.2, 0.9], [BODY, -0.3, 0.5, 1.4, 1.7, 0.8])

    assert np.array_equal(people.head_box[0], np.array([0, 0, 0.1, 0.2], np.float32))
    assert np.array_equal(people.body_box[1], np.array([0, 0.5, 1, 1], np.float32))


def test_nobody_is_looked_for_under_a_mask() -> None:
    left = ((0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0))
    rows = [[HEAD, *ANNA_HEAD, 0.9], [BODY, *BERT_BODY, 0.8], [BODY, 0.0, 0.2, 0.2, 0.9, 0.7]]

    assert np.array_equal(detect(*rows, masks=(left,)).body_box, boxes(BERT_BODY))


def test_a_person_before_a_mask_stays_whole() -> None:
    """The head decides: a body may well hide a poster."""
    poster = ((0.0, 0.3), (1.0, 0.3), (1.0, 0.7), (0.0, 0.7))

    people = detect([HEAD, *ANNA_HEAD, 0.9], [BODY, *ANNA_BODY, 0.8], masks=(poster,))

    assert np.array_equal(people.body_box, boxes(ANNA_BODY))


def test_the_best_people_are_kept() -> None:
    people = detect([HEAD, *ANNA_HEAD, 0.5], [HEAD, *BERT_HEAD, 0.9], max_people=1)

    assert np.array_equal(people.head_box, boxes(BERT_HEAD))


@pytest.mark.parametrize(("device", "batch", "together"), [("cuda", "N", 3), ("cuda", 1, 1), ("cpu", "N", 1)])
def test_the_model_is_called_once_for_all_frames_on_a_gpu_if_it_can(
    device: str, batch: object, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeDevice, "kind", device)
    session = detector(lambda _: [[HEAD, *ANNA_HEAD, 0.9]], batch=batch)
    node = make_node(DetectPeople, session=session)
    node.open()

    people = node.process(frames(3, pictures=True))

    assert [call["input_bgr"].shape for call in session.calls] == [(together, 3, 32, 64)] * (3 // together)
    assert people.frame_row.tolist() == [0, 1, 2]


def test_faces_of_heads_are_nobody_besides() -> None:
    face = [0.28, 0.12, 0.32, 0.19]
    rows = [HEAD, *ANNA_HEAD, 0.7], [BODY, *ANNA_BODY, 0.8], [BODY, *BERT_BODY, 0.6]
    session = detector(lambda _: [*rows, [FACE, *face, 0.95], [FACE, *BERT_HEAD, 0.9]])
    session.card.classes = {**session.card.classes, FACE: "face"}
    node = make_node(DetectPeople, session=session)
    node.open()

    people = node.process(frames(1, pictures=True))

    assert equal(people, detect(*rows))
    assert len(people) == 2


def test_pictures_are_brought_to_the_size_that_is_set() -> None:
    session = detector(lambda _: [])
    for size in (None, [320, 192]):
        node = make_node(DetectPeople, session=session, input_size_wh=size)
        node.open()
        node.process(frames(1, pictures=True))

    assert [call["input_bgr"].shape[2:] for call in session.calls] == [(32, 64), (192, 320)]


@pytest.mark.parametrize("size", [[0, 192], [320], [320, 5000], [31, 192]])
def test_sizes_that_are_none_are_refused(size: list[int]) -> None:
    with pytest.raises(ValidationError):
        Config(input_size_wh=size)


def test_a_model_of_one_size_takes_no_other(tmp_path: Path) -> None:
    card = one_size(tmp_path)

    with pytest.raises(ModelError) as error:
        make_node(DetectPeople, Context("people", CpuDevice(), tmp_path, tmp_path, Graph("", ())), model=card,
                  input_size_wh=[320, 192]).open()  # fmt: skip

    assert str(error.value) == (
        f"model {tmp_path}/tiny.onnx: expected pictures of the one size that it takes, [64, 32], got input_size_wh "
        "[320, 192]; set input_size_wh to null, or choose a model whose file takes any size"
    )


def one_size(folder: Path) -> str:
    """Write a detector of pictures of 64 x 32, which finds nothing, and its card; return the card."""
    constant = helper.make_node(
        "Constant", [], ["rows"], value=numpy_helper.from_array(np.zeros((1, 40, 6), np.float32))
    )
    graph = helper.make_graph(
        [constant, helper.make_node("Identity", ["rows"], ["label_xyxy_score"])],
        "nothing",
        [helper.make_tensor_value_info("input_bgr", TensorProto.FLOAT, [1, 3, 32, 64])],
        [helper.make_tensor_value_info("label_xyxy_score", TensorProto.FLOAT, [1, 40, 6])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    shape = {"label_xyxy_score": {"shape": ["N", 40, 6]}}
    picture = {"input_bgr": {"shape": ["N", 3, "H", "W"]}}
    classes = {0: "body", 7: "head"}
    install(
        folder, made.SerializeToString(), shape, picture, family="wholebody34", input_size_wh=[64, 32], classes=classes
    )
    return "tiny"


def test_no_frames_are_no_call() -> None:
    session = detector(lambda _: [])
    node = make_node(DetectPeople, session=session)
    node.open()

    assert len(node.process(frames(0))) == 0
    assert session.calls == []


def test_a_model_of_another_kind_is_refused() -> None:
    session = FakeSession(dict, {}, {}, family="gazelle", input_size_wh=(64, 32), classes={})

    with pytest.raises(ModelError) as error:
        make_node(DetectPeople, session=session, model="gaze-shop-480").open()

    assert str(error.value) == (
        "detect_people.model: expected a card of a detector (wholebody34, wholebody25, yolox, boxes, yunet, scrfd) "
        "with input_size_wh, got 'gaze-shop-480' of 'gazelle' with (64, 32); choose a detector"
    )
