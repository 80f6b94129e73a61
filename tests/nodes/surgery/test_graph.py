"""What becomes a constant when a graph is taken apart."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from nodes.surgery.graph import Graph
from nodes.surgery.probing import open_engine, run


def made(kind: type[np.floating], to: int) -> ModelProto:
    """Return a model `y = x + cast(w)` whose weights are of a kind."""
    graph = helper.make_graph(
        [helper.make_node("Cast", ["kept"], ["w"], to=to), helper.make_node("Add", ["x", "w"], ["y"])],
        "kept",
        [helper.make_tensor_value_info("x", to, [3])],
        [helper.make_tensor_value_info("y", to, [3])],
        [numpy_helper.from_array(np.array([0.1, 1, -3], kind), "kept")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_weights_kept_in_half_precision_are_constants_of_single_precision() -> None:
    graph = Graph(made(np.float16, TensorProto.FLOAT))
    graph.prune()
    rewritten = graph.model()

    assert [node.op_type for node in graph.nodes] == ["Add"]
    assert graph.constants == {"w"}
    assert rewritten.graph.initializer[0].data_type == TensorProto.FLOAT
    onnx.checker.check_model(rewritten)
    given = {"x": np.ones(3, np.float32)}
    before, after = (run(open_engine(model), None, given)[0] for model in (made(np.float16, 1), rewritten))
    np.testing.assert_array_equal(before, after)


def test_other_casts_stay() -> None:
    assert [node.op_type for node in Graph(made(np.float32, TensorProto.FLOAT16)).nodes] == ["Cast", "Add"]
    assert [node.op_type for node in Graph(made(np.float32, TensorProto.DOUBLE)).nodes] == ["Cast", "Add"]
