"""Inputs that a file has values for: they may be fed, and need not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from pydantic import ValidationError

from pipeline.card_contract import Contract
from pipeline.device import open_device
from pipeline.errors import ModelError
from pipeline.session import Session, open_session
from tests.pipeline.tiny_model import install

CPU = open_device("cpu")
X, ROW = {"shape": ["N"]}, {"shape": ["heads"], "dtype": "int64", "optional": True}
OUTPUT = {"y": {"shape": ["heads"]}}


def picker(default: bool = True) -> bytes:
    """Return a model that tells `x[row]`, row [0] where it is not told; w is a weight that may be fed, too."""
    inputs = {"x": (TensorProto.FLOAT, ["N"]), "row": (TensorProto.INT64, ["heads"]), "w": (TensorProto.FLOAT, [1])}
    held = {"w": np.ones(1, np.float32)} | ({"row": np.zeros(1, np.int64)} if default else {})
    graph = helper.make_graph(
        [helper.make_node("Gather", ["x", "row"], ["of"]), helper.make_node("Mul", ["of", "w"], ["y"])],
        "picker",
        [helper.make_tensor_value_info(name, *told) for name, told in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["heads"])],
        [numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def opened(root: Path, content: bytes, **inputs: Any) -> Session:
    install(root, content, OUTPUT, inputs)
    return open_session("tiny", CPU, root)


def test_it_is_fed_or_has_the_value_of_the_file(tmp_path: Path) -> None:
    session = opened(tmp_path, picker(), x=X, row=ROW)
    x = np.array([5, 7], np.float32)

    assert session.inputs == {"x": (("N",), "float32"), "row": (("heads",), "int64")}
    assert session.optional == {"row"}
    assert session.run({"x": x, "row": np.array([1, 0, 1])})["y"].tolist() == [7, 5, 7]
    assert session.run({"x": x})["y"].tolist() == [5]


def test_one_that_the_card_does_not_name_is_no_input(tmp_path: Path) -> None:
    session = opened(tmp_path, picker(), x=X)

    assert (list(session.inputs), session.optional) == (["x"], frozenset())
    with pytest.raises(ModelError) as caught:
        session.run({"x": np.ones(1, np.float32), "row": np.zeros(1, np.int64)})
    assert str(caught.value) == f"model {tmp_path}/tiny.onnx: expected inputs ['x'], got ['x', 'row']"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"row": np.zeros(1, np.int64)}, "expected inputs ['x'] and perhaps ['row'], got ['row']"),
        ({"x": np.ones(1, np.float32), "z": np.ones(1)}, "expected inputs ['x'] and perhaps ['row'], got ['x', 'z']"),
        (
            {"x": np.ones(1, np.float32), "row": np.zeros((1, 1), np.int64)},
            "input 'row': expected int64 [heads], got int64 [1, 1]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: Any, message: str) -> None:
    session = opened(tmp_path, picker(), x=X, row=ROW)

    with pytest.raises(ModelError) as caught:
        session.run(given)

    assert str(caught.value) == f"model {tmp_path}/tiny.onnx: {message}"


def test_a_file_without_a_value_for_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        opened(tmp_path, picker(default=False), x=X, row=ROW)

    assert str(caught.value) == (
        f"model {tmp_path}/tiny.onnx: expected a value for the input 'row' in the file, got none for 'row' of int64 "
        "[heads]; the card 'tiny' wants a file of the family 'adder': give such a file, or the card that fits this one"
    )
    assert opened(tmp_path, picker(default=False), x=X, row={**ROW, "optional": False}).optional == frozenset()


def test_a_file_that_lacks_it_altogether_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected input 'column' of int64 .heads., got inputs 'x'"):
        opened(tmp_path, picker(), x=X, column=ROW)


def test_it_is_fed_in_the_trial_run(tmp_path: Path) -> None:
    """Fed with row 1 of one, the file fails, and so the trial shows nothing."""
    install(tmp_path, picker(), {"y": {"shape": ["heads"], "range": [0, 1]}}, {"x": {**X, "range": [2, 3]}, "row": ROW})

    with pytest.raises(ModelError, match=r"expected output 'y' within 0 to 1, got 2 to 2 in a trial run"):
        open_session("tiny", CPU, tmp_path)
    install(
        tmp_path,
        picker(),
        {"y": {"shape": ["heads"], "range": [0, 1]}},
        {"x": {**X, "range": [2, 3]}, "row": {**ROW, "range": [1, 2]}},
    )
    open_session("tiny", CPU, tmp_path)


def test_outputs_are_always_there() -> None:
    with pytest.raises(ValidationError, match=r"outputs: expected `optional` of inputs only, got it of .'y'.; take it"):
        Contract.model_validate({"inputs": {"x": X}, "outputs": {"y": {"shape": ["N"], "optional": True}}})


def test_the_runtime_says_nothing_of_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    opened(tmp_path, picker(), x=X, row=ROW).run({"x": np.ones(1, np.float32)})

    assert capfd.readouterr() == ("", "")
