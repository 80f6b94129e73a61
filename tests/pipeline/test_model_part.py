"""Of a file only what leads to the wanted outputs is kept and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.device import open_device
from pipeline.errors import ModelError
from pipeline.model_part import all_fed, leading_to, output_names
from pipeline.session import open_session
from tests.pipeline.test_optional_inputs import picker
from tests.pipeline.tiny_model import install

CPU = open_device("cpu")
F = TensorProto.FLOAT


def model(nodes: list[Any], *outputs: str) -> bytes:
    graph = helper.make_graph(
        nodes,
        "parts",
        [helper.make_tensor_value_info("x", F, ["N"])],
        [helper.make_tensor_value_info(name, F, ["N"]) for name in outputs],
        [numpy_helper.from_array(np.float32(3), "three"), numpy_helper.from_array(np.array(True), "yes")],
        doc_string="kept",
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def forked() -> bytes:
    """Return a model of four nodes: half = -x, low = half + 3, high = |half| · 3, and one that nothing needs."""
    return model(
        [
            helper.make_node("Neg", ["x"], ["half"]),
            helper.make_node("Abs", ["half"], ["size"]),
            helper.make_node("Add", ["half", "three"], ["low"]),
            helper.make_node("Mul", ["size", "three"], ["high"]),
        ],
        "low",
        "high",
    )


def ran(content: bytes) -> list[list[float]]:
    onnx.checker.check_model(onnx.load_from_string(content))
    return [told.tolist() for told in ort.InferenceSession(content).run(None, {"x": np.array([1, -2], np.float32)})]


@pytest.mark.parametrize(
    ("outputs", "nodes", "told"),
    [
        (["low"], ["half", "low"], [[2, 5]]),
        (["high"], ["half", "size", "high"], [[3, 6]]),
        (["high", "low"], ["half", "size", "low", "high"], [[2, 5], [3, 6]]),
    ],
)
def test_only_what_leads_to_the_outputs_is_left(outputs: list[str], nodes: list[str], told: Any) -> None:
    made = leading_to(forked(), outputs)

    assert [node.output[0] for node in onnx.load_from_string(made).graph.node] == nodes
    assert output_names(made) == [name for name in ("low", "high") if name in outputs]
    assert onnx.load_from_string(made).graph.doc_string == "kept"
    assert ran(made) == told
    assert output_names(forked()) == ["low", "high"]


def test_branches_keep_what_they_see_of_the_graph_around_them() -> None:
    def branch(name: str, *needs: str) -> Any:
        node = helper.make_node("Add", needs, [name])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, F, ["N"])])

    content = model(
        [
            helper.make_node("Neg", ["x"], ["seen"]),
            helper.make_node("Abs", ["x"], ["unseen"]),
            helper.make_node(
                "If", ["yes"], ["y"], then_branch=branch("a", "seen", "three"), else_branch=branch("b", "x", "three")
            ),
        ],
        "y",
        "unseen",
    )

    made = leading_to(content, ["y"])

    assert [node.output[0] for node in onnx.load_from_string(made).graph.node] == ["seen", "y"]
    assert ran(made) == [[2, 5]]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_bytes_that_are_no_model_are_refused(cut: int) -> None:
    with pytest.raises(ValueError):
        leading_to(forked()[:-cut], ["low"])
    for junk in (b"<html>404</html>", b"", b"\xff" * 20, b"\x3a\xff\xff\xff\xff\x0f"):
        with pytest.raises(ValueError):
            output_names(junk)


def test_a_session_runs_the_part_and_checks_no_more_of_the_contract(tmp_path: Path) -> None:
    spec = {"shape": ["N"]}
    install(tmp_path, forked(), {"low": spec, "high": {**spec, "range": [-9, -8]}}, {"x": spec})

    with pytest.raises(ModelError, match="expected output 'high' within -9 to -8"):
        open_session("tiny", CPU, tmp_path)
    session = open_session("tiny", CPU, tmp_path, outputs=["low"])

    assert list(session.outputs) == list(session.card.contract.outputs) == ["low"]
    assert session.run({"x": np.array([1], np.float32)}).keys() == {"low"}


def test_outputs_that_are_told_by_their_place_are_found_in_the_part(tmp_path: Path) -> None:
    spec = {"shape": ["N"]}
    outputs = {"near": {**spec, "position": 0}, "far": {**spec, "position": 1}}
    install(tmp_path, forked(), outputs, {"x": spec})

    session = open_session("tiny", CPU, tmp_path, outputs=["far"])

    assert session.run({"x": np.array([1], np.float32)})["far"].tolist() == [3]


def test_a_file_without_the_output_or_that_is_none_is_refused_as_ever(tmp_path: Path) -> None:
    install(tmp_path, forked(), {"middle": {"shape": ["N"]}}, {"x": {"shape": ["N"]}})

    with pytest.raises(ModelError, match=r"expected output 'middle' of float32 .N., got outputs 'low' of float32"):
        open_session("tiny", CPU, tmp_path, outputs=["middle"])
    (tmp_path / "tiny.onnx").write_bytes(b"<html>404</html>")
    with pytest.raises(ModelError, match=r"expected a model that loads, got: .ONNXRuntimeError"):
        open_session("tiny", CPU, tmp_path, outputs=["middle"])


def test_values_of_inputs_are_left_out_and_nothing_else() -> None:
    content = picker()
    assert all_fed(content, []) is content

    made = onnx.load_from_string(all_fed(content, ["row"]))

    assert [held.name for held in made.graph.initializer] == ["w"]
    before = onnx.load_from_string(content)
    assert (made.graph.node, made.graph.input, made.graph.output) == (
        before.graph.node,
        before.graph.input,
        before.graph.output,
    )
