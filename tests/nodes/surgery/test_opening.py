"""Files that nobody vouches for are read, or refused in a sentence; nothing crashes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from nodes.surgery.opening import read_model
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import gaze_file


def written(path: Path, model: ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def test_a_file_is_read_with_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.write_bytes(gaze_file().SerializeToString(deterministic=True))

    model, sha256 = read_model(path)

    assert len(model.graph.node) == len(gaze_file().graph.node)
    assert len(sha256) == 64


def with_external_weights(model: ModelProto) -> str:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return "expected all weights inside the file, got some that lie in other files"


def with_a_loop(model: ModelProto) -> str:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=body))
    return "expected no loops, got ['Loop']; simplify the file first (onnxsim, onnxslim)"


def with_operators_of_others(model: ModelProto) -> str:
    model.graph.node.append(helper.make_node("FusedConv", ["heatmap"], ["y"], domain="com.microsoft"))
    return (
        "expected standard operators alone, got ['com.microsoft.FusedConv']; take the file as it was before it was "
        "optimised"
    )


def of_the_future(model: ModelProto) -> str:
    model.opset_import[0].version = 99
    return "expected standard operators of version 9 to 23, got 99"


def with_a_constant_of_text(model: ModelProto) -> str:
    model.graph.node.append(helper.make_node("Constant", [], ["text"], value_string="x"))
    return "expected constants that are dense numbers, got ['value_string']"


def without_nodes(model: ModelProto) -> str:
    del model.graph.node[:]
    return "expected a model with inputs, nodes and outputs, got bytes without them"


@pytest.mark.parametrize(
    "spoil",
    [
        with_external_weights,
        with_a_loop,
        with_operators_of_others,
        of_the_future,
        with_a_constant_of_text,
        without_nodes,
    ],
)
def test_what_cannot_be_rewritten_is_refused(spoil: Callable[[ModelProto], str], tmp_path: Path) -> None:
    model = gaze_file()
    wanted = spoil(model)
    path = written(tmp_path / "m.onnx", model)

    with pytest.raises(ModelError) as caught:
        read_model(path)

    assert str(caught.value) == f"model {path}: {wanted}"


def test_an_invalid_graph_is_refused_with_the_reason(tmp_path: Path) -> None:
    model = gaze_file()
    model.graph.node[3].input[0] = "nowhere"
    path = written(tmp_path / "m.onnx", model)

    with pytest.raises(ModelError, match="expected a valid ONNX model, got Nodes in a graph must be topologically"):
        read_model(path)


def test_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.onnx"

    with pytest.raises(ModelError) as caught:
        read_model(path)

    assert str(caught.value) == (
        f"model {path}: expected a file, got No such file or directory; get it with `models pull`"
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a file of at most 2147483647 bytes, got \d+ or no file"):
        read_model(tmp_path)


@given(st.binary(max_size=200))
def test_garbage_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=f"^model {path}: expected "):
        read_model(path)


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(_WHOLE)
    for place in rng.integers(0, len(content), count):
        content[place] = int(rng.integers(0, 256))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content[: int(rng.integers(1, len(content) + 1))])

    try:
        model, _ = read_model(path)
    except ModelError as error:
        assert str(error).startswith(f"model {path}: expected ")
    else:
        onnx.checker.check_model(model)


_WHOLE = helper.make_model(
    helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.ones(2, np.float32), "w")],
    ),
    opset_imports=[helper.make_opsetid("", 17)],
    ir_version=8,
).SerializeToString()
