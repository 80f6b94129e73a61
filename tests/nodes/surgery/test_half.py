"""Half precision: what is computed in it, what is not, and how the nodes that need more are found."""

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from nodes.surgery.graph import Graph
from nodes.surgery.half import to_half
from nodes.surgery.half_search import half_with_islands
from nodes.surgery.probing import open_engine, run
from nodes.surgery.ranges import largest_values, too_large_for_half
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import Builder

X = np.random.default_rng(0).uniform(0.1, 1, (1, 4)).astype(np.float32)


def answer(model: ModelProto) -> np.ndarray:
    return run(open_engine(model), None, {"x": X})[0]


def kinds(model: ModelProto) -> dict[str, int]:
    """Return the element type of what each node makes."""
    infos = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    return {item.name: item.type.tensor_type.elem_type for item in (*infos.value_info, *infos.output)}


def plain() -> ModelProto:
    b = Builder()
    b.name(b.add("Sigmoid", b.add("MatMul", b.add("Relu", "x"), b.weights(4, 4))), "y")
    return b.model({"x": (1, 4)}, {"y": (1, 4)})


def test_all_is_computed_in_half_precision_between_inputs_and_outputs() -> None:
    made = to_half(plain(), [])
    onnx.checker.check_model(made, full_check=True)

    found = kinds(made)

    assert {found[node.output[0]] for node in made.graph.node if node.op_type != "Cast"} == {TensorProto.FLOAT16}
    assert {item.data_type for item in made.graph.initializer} == {TensorProto.FLOAT16}
    assert found["y"] == TensorProto.FLOAT
    assert np.abs(answer(made) - answer(plain())).max() == pytest.approx(0, abs=2e-3)


def test_an_island_stays_in_single_precision() -> None:
    made = to_half(plain(), ["MatMul_1"])
    found = kinds(made)

    types = {node.op_type: found[node.output[0]] for node in made.graph.node if node.op_type != "Cast"}

    assert types == {"Relu": TensorProto.FLOAT16, "MatMul": TensorProto.FLOAT, "Sigmoid": TensorProto.FLOAT16}
    onnx.checker.check_model(made, full_check=True)


def test_one_cast_serves_all_who_read_a_tensor() -> None:
    b = Builder()
    first = b.add("Relu", "x")
    b.name(b.add("Add", b.add("Neg", first), b.add("Abs", first)), "y")

    made = to_half(b.model({"x": (1, 4)}, {"y": (1, 4)}), ["Neg_1", "Abs_2"])

    assert [node.op_type for node in made.graph.node].count("Cast") == 5  # x; relu to single; both back; y
    onnx.checker.check_model(made, full_check=True)


def test_constants_too_small_or_too_large_are_held() -> None:
    b = Builder()
    b.name(b.add("Mul", b.add("Add", "x", b.constant([1e-9, -1e-9, 0, 1])), b.constant([1e9, -1e9, np.inf, 1])), "y")

    made = Graph(to_half(b.model({"x": (1, 4)}, {"y": (1, 4)}), []))

    held = [made.constant(name) for name in sorted(made.constants)]
    np.testing.assert_array_equal(held[0], np.array([6e-8, -6e-8, 0, 1], np.float16))
    np.testing.assert_array_equal(held[1], np.array([65504, -65504, np.inf, 1], np.float16))


def test_sizes_of_a_resize_and_casts_keep_their_kind() -> None:
    b = Builder()
    wide = b.add("Reshape", "x", b.ints(1, 1, 2, 2))
    wide = b.add("Resize", wide, "", b.constant([1, 1, 2, 2]), mode="nearest")
    ints = b.add("Cast", wide, to=TensorProto.INT64)
    b.name(b.add("Add", b.add("Cast", ints, to=TensorProto.FLOAT), wide), "y")

    made = to_half(b.model({"x": (1, 4)}, {"y": (1, 1, 4, 4)}), [])

    onnx.checker.check_model(made, full_check=True)
    assert answer(made).shape == (1, 1, 4, 4)


def overflowing() -> ModelProto:
    """Return x times 1e6, squared, and the root: beyond half precision inside, small outside."""
    b = Builder()
    large = b.add("Mul", "x", b.constant(1e6))
    b.name(b.add("Mul", b.add("Sqrt", b.add("Mul", large, large)), b.constant(1e-6)), "y")
    return b.model({"x": (1, 4)}, {"y": (1, 4)})


def test_values_that_are_too_large_are_found() -> None:
    largest = largest_values(overflowing(), [{"x": X}])

    assert [f"{value:.3g}" for value in reversed(largest.values())] == [
        f"{v:.3g}" for v in (1e6 * X.max(), 1e12 * X.max() ** 2, 1e6 * X.max(), X.max())
    ]
    assert too_large_for_half(overflowing(), [{"x": X}]) == ["Mul_0", "Mul_1", "Sqrt_2", "Mul_3"]


def badness(model: ModelProto) -> "object":
    wanted = answer(model)
    return lambda other: float(np.nan_to_num(np.abs(answer(other) - wanted), nan=np.inf).max() / 0.01)


def fragile() -> ModelProto:
    """Return a model of 16 nodes, three of which in the middle of a half, Add_9 to Sub_11, cancel large numbers."""
    b = Builder()
    x = "x"
    for _ in range(9):
        x = b.add("Relu", x)
    near = b.add("Pow", b.add("Add", x, b.constant(1000.0)), b.constant(1.0))
    x = b.add("Sub", near, b.constant(1000.0))
    for _ in range(3):
        x = b.add("Relu", x)
    b.name(b.add("Relu", x), "y")
    return b.model({"x": (1, 4)}, {"y": (1, 4)})


def test_no_island_is_made_where_none_is_needed() -> None:
    half = half_with_islands(plain(), {"asked for": ["Relu_0"], "not there": []}, badness(plain()))

    assert half.islands == {"asked for": 1}
    assert half.badness <= 1


def test_the_nodes_that_need_single_precision_are_found() -> None:
    """Rounded to half precision, sums near 1000 are whole halves. Halving the nodes again and again leaves four."""
    model = fragile()

    half = half_with_islands(model, {}, badness(model))

    assert half.badness <= 1
    assert half.islands == {"middle half: Relu_8 to Sub_11": 4}
    found = kinds(half.model)
    names = {node.name: found[node.output[0]] for node in half.model.graph.node}
    assert {names[name] for name in ("Add_9", "Pow_10", "Sub_11")} == {TensorProto.FLOAT}
    assert {names[name] for name in ("Relu_7", "Relu_12")} == {TensorProto.FLOAT16}
    onnx.checker.check_model(half.model, full_check=True)


def test_a_model_that_cannot_be_had_in_half_precision_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        half_with_islands(plain(), {"asked for": ["Relu_0"]}, lambda model: 3.0)

    assert str(caught.value) == (
        "half precision: expected answers as in single precision, got 3.0 times the difference allowed, with "
        "{'asked for': 1} in single precision; use the variant `prepared`"
    )


def test_a_shape_of_a_constant_stays(recwarn: pytest.WarningsRecorder) -> None:
    b = Builder()
    zeros = b.add("ConstantOfShape", b.add("Shape", "x"), value=helper.make_tensor("v", TensorProto.FLOAT, [1], [2.5]))
    b.name(b.add("Mul", "x", zeros), "y")
    model = b.model({"x": (1, 4)}, {"y": (1, 4)})

    np.testing.assert_allclose(answer(to_half(model, [])), X * 2.5, rtol=2e-3)
