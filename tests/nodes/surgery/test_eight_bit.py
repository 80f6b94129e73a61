"""Sums in 8 bits: what is quantised, and that the answers stay near."""

import numpy as np
import onnx
import pytest

from nodes.surgery.eight_bit import to_eight_bit
from nodes.surgery.probing import open_engine, run
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import Builder

RNG = np.random.default_rng(0)
FRAMES = [{"x": RNG.uniform(0, 1, (1, 3, 8, 8)).astype(np.float32)} for _ in range(4)]


def file(opset: int = 17) -> onnx.ModelProto:
    """Return a convolution, a product of two activations, and a product with weights."""
    b = Builder()
    planes = b.add("Relu", b.add("Conv", "x", b.weights(4, 3, 3, 3), pads=[1, 1, 1, 1]))
    tokens = b.add("Reshape", planes, b.ints(1, 4, 64))
    mixed = b.add("MatMul", b.add("Transpose", tokens, perm=[0, 2, 1]), tokens)
    b.name(b.add("Sigmoid", b.add("MatMul", mixed, b.weights(64, 2))), "y")
    return b.model({"x": (1, 3, 8, 8)}, {"y": (1, 64, 2)}, opset)


def quantised(model: onnx.ModelProto) -> set[str]:
    """Return the nodes that read dequantised weights."""
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    return {n.name for n in model.graph.node if len(n.input) > 1 and made_by.get(n.input[1]) == "DequantizeLinear"}


def test_products_with_weights_are_quantised_and_answers_stay_near() -> None:
    made = to_eight_bit(file(), FRAMES, [])

    assert quantised(made) == {"Conv_0", "MatMul_5"}
    wanted, got = (run(open_engine(model), None, FRAMES[0])[0] for model in (file(), made))
    assert 0 < np.abs(wanted - got).max() < 0.03


def test_nodes_can_be_left_out() -> None:
    assert quantised(to_eight_bit(file(), FRAMES, ["MatMul_5"])) == {"Conv_0"}


def test_files_of_old_operators_are_brought_to_newer_ones() -> None:
    made = to_eight_bit(file(opset=12), FRAMES, [])

    assert made.opset_import[0].version >= 13
    assert run(open_engine(made), None, FRAMES[0])[0].shape == (1, 64, 2)


def test_what_the_quantiser_cannot_do_is_said() -> None:
    with pytest.raises(ModelError, match=r"^8 bits: expected a model that can be quantised, got: "):
        to_eight_bit(file(), [], [])
