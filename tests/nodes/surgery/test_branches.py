"""Branches that ask about shapes are taken; others are refused."""

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper

from nodes.surgery.branches import take_branches
from nodes.surgery.probing import open_engine, run
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import Builder

X = np.arange(12, dtype=np.float32).reshape(3, 1, 4)


def branch(op: str) -> GraphProto:
    """Return a branch that does something to `x` of the graph around it."""
    node = helper.make_node(op, ["x"], ["made"])
    return helper.make_graph([node], op, [], [helper.make_tensor_value_info("made", TensorProto.FLOAT, None)])


def branching(about: str, than: int = 1) -> ModelProto:
    """Return `if extent of axis 1 == than: -x else: |x|`, or one that asks about the first value of x."""
    b = Builder()
    if about == "shape":
        asked = b.add("Gather", b.add("Shape", "x"), b.constant(1, np.int64))
        answer = b.add("Equal", asked, b.constant(than, np.int64))
    elif about == "heads":
        asked = b.add("Gather", b.add("Shape", "x"), b.constant(0, np.int64))
        answer = b.add("Equal", asked, b.constant(than, np.int64))
    else:
        answer = b.add("Cast", b.add("ReduceMax", "x", keepdims=0), to=TensorProto.BOOL)
    b.name(b.add("If", answer, then_branch=branch("Neg"), else_branch=branch("Abs")), "y")
    return b.model({"x": ("n", 1, 4)}, {"y": ("n", 1, 4)})


@pytest.mark.parametrize(("than", "wanted"), [(1, -X), (2, np.abs(X))])
def test_the_branch_that_shapes_ask_for_is_taken(than: int, wanted: np.ndarray) -> None:
    made = take_branches(branching("shape", than), [{"x": X}, {"x": X[:2]}])

    assert "If" not in [node.op_type for node in made.graph.node]
    np.testing.assert_array_equal(run(open_engine(made), None, {"x": X})[0], wanted)


def test_a_condition_on_values_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        take_branches(branching("values"), [{"x": X}])

    assert str(caught.value) == "condition 't1_0': expected one that asks about shapes, got one about 'x'"


def test_a_condition_on_the_number_of_heads_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        take_branches(branching("heads"), [{"x": X[:1]}, {"x": X}])

    assert str(caught.value) == "node 'If_3': expected a condition with one answer, got one that depends on sizes"


def test_a_model_without_branches_stays() -> None:
    b = Builder()
    b.name(b.add("Relu", "x"), "y")
    model = b.model({"x": ("n", 1, 4)}, {"y": ("n", 1, 4)})

    assert take_branches(model, []).SerializeToString() == model.SerializeToString()
