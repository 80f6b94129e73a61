"""Contracts held against what files declare and what comes out of them, in the trial run and on the first frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.card_contract import Contract, TensorSpec
from pipeline.cards import ModelCard, load_card
from pipeline.contract_check import check_declared, check_outputs, names_in_file, trial_inputs
from pipeline.device import open_device
from pipeline.errors import ModelError
from pipeline.session import Session, open_session
from tests.pipeline.tiny_model import install, model
from tests.repository import ROOT

CPU = open_device("cpu")
PATH = Path("models/x.onnx")
ELEMENT = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "int64": TensorProto.INT64}


def spec(*shape: int | str, **values: Any) -> TensorSpec:
    return TensorSpec(shape=shape, **values)


def card(inputs: dict[str, TensorSpec], outputs: dict[str, TensorSpec] | None = None, **values: Any) -> ModelCard:
    contract = Contract(inputs=inputs, outputs=outputs or {})
    return ModelCard(name="tiny", file="x.onnx", family="adder", contract=contract, **values)


Told = dict[str, tuple[Any, ...]]


def graph(nodes: list[Any], inputs: Told, outputs: Told, **held: Any) -> bytes:
    """Return a model: inputs and outputs as (dtype, *shape), `held` arrays as constants."""

    def told(tensors: Told) -> list[Any]:
        return [helper.make_tensor_value_info(name, ELEMENT[dtype], shape) for name, (dtype, *shape) in tensors.items()]

    constants = [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()]
    made = helper.make_graph(nodes, "tiny", told(inputs), told(outputs), constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def opened(root: Path, content: bytes, outputs: Any, inputs: Any, **values: Any) -> Session:
    install(root, content, outputs, inputs, **values)
    return open_session("tiny", CPU, root)


def refusal(call: Any, *args: Any) -> str:
    with pytest.raises(ModelError) as caught:
        call(*args)
    return str(caught.value)


def test_a_trial_picture_is_a_ramp_and_a_trial_box_has_an_area():
    wanted = card(
        {
            "image": spec("N", "H", "W", 3, dtype="uint8", range=(0, 255)),
            "planes": spec(1, 1, "H", "W"),
            "boxes": spec("heads", 4, range=(0, 1)),
            "row": spec("heads", dtype="int64", range=(0, 63)),
            "scale": spec(range=(2, 4)),
        },
        input_size_wh=(3, 2),
    )
    declared = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in wanted.contract.inputs.items()}

    made = trial_inputs(wanted, declared, np)

    assert made["image"].shape == (1, 2, 3, 3)
    assert (made["image"].dtype, made["image"][0, 1, 2].tolist()) == (np.uint8, [0, 127, 255])
    assert made["planes"].tolist() == [[[[0, 0.5, 1], [0, 0.5, 1]]]]
    assert made["boxes"].shape == (1, 4)
    np.testing.assert_allclose(made["boxes"][0], [0, 1 / 3, 2 / 3, 1], rtol=1e-6)
    assert (made["row"].dtype, made["row"].tolist()) == (np.int64, [0])
    assert (made["scale"].shape, float(made["scale"])) == ((), 2)


def test_an_extent_that_the_file_fixes_holds_for_all_axes_of_its_name():
    wanted = card({"boxes": spec("heads", 4), "row": spec("heads", dtype="int64", range=(0, 63))})
    declared = {"boxes": ((5, 4), "float32"), "row": (("any",), "int64")}

    made = trial_inputs(wanted, declared, np)

    assert made["boxes"].shape == (5, 4)
    assert made["row"].tolist() == [0, 0, 0, 0, 0]  # there may be one picture only


def test_names_of_places_are_those_of_the_card():
    specs = {"score": spec("N", position=1), "box": spec("N", position=0), "kept": spec("N")}

    assert names_in_file(specs, ["448", "471", "kept", "more"]) == {
        "box": "448", "score": "471", "kept": "kept", "more": "more"
    }  # fmt: skip
    assert names_in_file({"far": spec("N", position=7)}, ["448"]) == {"448": "448"}


def test_a_model_is_run_by_the_names_of_its_card(tmp_path):
    content = graph(
        [helper.make_node("Neg", ["input.1"], ["448"]), helper.make_node("Abs", ["input.1"], ["471"])],
        {"input.1": ("float32", "N")},
        {"448": ("float32", "N"), "471": ("float32", "N")},
    )
    outputs = {"size": {"shape": ["N"], "position": 1}, "turned": {"shape": ["N"], "position": 0}}

    session = opened(tmp_path, content, outputs, {"image": {"shape": ["N"], "position": 0}})

    assert session.inputs == {"image": (("N",), "float32")}
    assert list(session.outputs) == ["turned", "size"]
    answer = session.run({"image": np.array([-2, 3], np.float32)})
    assert {name: array.tolist() for name, array in answer.items()} == {"size": [2, 3], "turned": [2, -3]}


def test_a_place_that_the_file_does_not_have_is_refused(tmp_path):
    path = install(tmp_path, model(), {"score": {"shape": ["N", 3], "position": 4}})

    assert refusal(open_session, "tiny", CPU, tmp_path) == (
        f"model {path}: expected output 'score' of float32 [N, 3], got outputs 'y' of float32 [N, 3]; the card 'tiny' "
        "wants a file of the family 'adder': give such a file, or the card that fits this one"
    )


def test_a_model_of_pictures_boxes_and_indices_is_tried_out(tmp_path):
    """As gaze models are prepared: the picture of each head is picked by its index."""
    content = graph(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMax", ["pixels"], ["most"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Gather", ["most", "row"], ["of_head"]),
            helper.make_node("ReduceSum", ["boxes", "last"], ["sum"], keepdims=0),
            helper.make_node("Add", ["of_head", "sum"], ["told"]),
        ],
        {"image": ("uint8", "B", 2, 3, 3), "boxes": ("float32", "heads", 4), "row": ("int64", "heads")},
        {"told": ("float32", "heads")},
        last=np.array([1]),
    )
    inputs = {
        "image": {"shape": ["B", "H", "W", 3], "dtype": "uint8", "range": [0, 255]},
        "boxes": {"shape": ["heads", 4], "range": [0, 1]},
        "row": {"shape": ["heads"], "dtype": "int64"},
    }
    install(tmp_path, content, {"told": {"shape": ["heads"], "range": [0, 256]}}, inputs, input_size_wh=[3, 2])

    message = refusal(open_session, "tiny", CPU, tmp_path)

    assert "expected output 'told' within 0 to 256, got 257 to 257 in a trial run" in message
    outputs = {"told": {"shape": ["heads"], "range": [0, 260]}}
    session = opened(tmp_path, content, outputs, inputs, input_size_wh=[3, 2])
    pictures = np.zeros((2, 2, 3, 3), np.uint8)
    pictures[1] = 9
    given = {"image": pictures, "boxes": np.zeros((3, 4), np.float32), "row": np.array([1, 0, 1])}
    assert session.run(given)["told"].tolist() == [9, 0, 9]


def picky(tmp_path: Path, limits: list[float]) -> tuple[Session, Path]:
    """Return a session of a model that takes any number of columns, as it says, and fails unless there are three."""
    content = graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": ("float32", "N", "K")},
        {"y": ("float32", "N", 1)},
        w=np.ones((3, 1), np.float32),
    )
    inputs = {"x": {"shape": ["N", "K"]}}
    session = opened(tmp_path, content, {"y": {"shape": ["N", 1], "range": limits}}, inputs)
    return session, tmp_path / "tiny.onnx"


def test_a_model_that_refuses_the_trial_is_tried_on_its_first_frame(tmp_path):
    session, path = picky(tmp_path, [0, 1])

    assert refusal(session.run, {"x": np.full((2, 3), 5, np.float32)}) == (
        f"model {path}: expected output 'y' within 0 to 1, got 15 to 15 on the first frame; the card 'tiny' wants "
        "another file or another range"
    )
    assert "failed on inputs of shape {'x': (2, 5)}" in refusal(session.run, {"x": np.ones((2, 5), np.float32)})
    assert session.run({"x": np.full((2, 3), 0.25, np.float32)})["y"].tolist() == [[0.75], [0.75]]


def test_only_the_first_frame_with_values_is_looked_at(tmp_path):
    session, _ = picky(tmp_path, [0, 1])

    session.run({"x": np.zeros((0, 3), np.float32)})
    assert "got 3 to 3 on the first frame" in refusal(session.run, {"x": np.ones((1, 3), np.float32)})
    session.run({"x": np.zeros((1, 3), np.float32)})

    assert session.run({"x": np.ones((1, 3), np.float32)})["y"].tolist() == [[3]]


def test_values_may_leave_their_range_by_a_rounding():
    wanted = card({}, {"y": spec("N", range=(0, 2)), "z": spec("N", range=(0, float("inf")))})

    check_outputs(wanted, PATH, {"y": np.array([-0.001, 2.001], np.float32)}, "now")
    for name, value in (("y", -0.01), ("y", 2.01), ("y", float("nan")), ("z", -1e-6)):
        assert f"expected output {name!r} within 0 to" in refusal(
            check_outputs, wanted, PATH, {name: np.array([value], np.float32)}, "now"
        )


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros((2, 5, 6), np.float32), "float32 [2, 5, 6]"),
        (np.zeros((4, 6), np.float32), "float32 [4, 6]"),
        (np.zeros((2, 4, 6)), "float64 [2, 4, 6]"),
    ],
    ids=["rows", "rank", "dtype"],
)
def test_outputs_of_another_size_are_refused(array, got):
    wanted = card({}, {"y": spec("N", "H", 6)}, input_size_wh=(3, 4))

    check_outputs(wanted, PATH, {"y": np.zeros((2, 4, 6), np.float32)}, "on the first frame")
    assert refusal(check_outputs, wanted, PATH, {"y": array}, "on the first frame") == (
        f"model models/x.onnx: expected output 'y' of float32 [N, H, 6], got on the first frame 'y' of {got}; the card "
        "'tiny' wants a file of the family 'adder': give such a file, or the card that fits this one"
    )


def test_a_gaze_file_for_the_card_of_a_detector_tells_both():
    detector, _ = load_card("deimv2-wholebody34-pico", ROOT)
    inputs = {"image_bgr": ((1, 3, 640, 640), "float32"), "bboxes_x1y1x2y2": ((1, "heads", 4), "float32")}

    assert refusal(check_declared, detector, PATH, inputs, {"heatmap": (("heads", "64", "64"), "float32")}) == (
        "model models/x.onnx: expected input 'input_bgr' of float32 [N, 3, H, W], got inputs 'image_bgr' of float32 "
        "[1, 3, 640, 640], 'bboxes_x1y1x2y2' of float32 [1, heads, 4]; the card 'deimv2-wholebody34-pico' wants a file "
        "of the family 'wholebody34': give such a file, or the card that fits this one"
    )


def test_a_file_that_takes_any_size_is_given_the_one_that_is_asked_for(tmp_path: Path) -> None:
    content = graph(
        [helper.make_node("GlobalMaxPool", ["x"], ["y"])],
        {"x": ("float32", "N", 3, "height", "width")},
        {"y": ("float32", "N", 3, 1, 1)},
    )
    inputs = {"x": {"shape": ["N", 3, "H", "W"]}}
    install(tmp_path, content, {"y": {"shape": ["N", 3, 1, 1]}}, inputs, input_size_wh=[4, 2])

    assert open_session("tiny", CPU, tmp_path).card.input_size_wh == (4, 2)
    assert open_session("tiny", CPU, tmp_path, size_wh=(6, 5)).card.input_size_wh == (6, 5)


@pytest.mark.parametrize("shape", [["N", 3, "H", "W"], ["N", 3, 2, 4]])
def test_a_file_of_one_size_is_given_no_other(tmp_path: Path, shape: list[Any]) -> None:
    content = graph(
        [helper.make_node("GlobalMaxPool", ["x"], ["y"])],
        {"x": ("float32", "N", 3, 2, 4)},
        {"y": ("float32", "N", 3, 1, 1)},
    )
    path = install(tmp_path, content, {"y": {"shape": ["N", 3, 1, 1]}}, {"x": {"shape": shape}}, input_size_wh=[4, 2])

    assert refusal(open_session, "tiny", CPU, tmp_path, (), (6, 5)) == (
        f"model {path}: expected pictures of the one size that it takes, [4, 2], got input_size_wh [6, 5]; set "
        "input_size_wh to null, or choose a model whose file takes any size"
    )
    assert open_session("tiny", CPU, tmp_path, size_wh=(4, 2)).card.input_size_wh == (4, 2)
