"""The axis of pictures through each kind of operator: a file for one picture made one for several."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from nodes.surgery.batch_pictures import batch_pictures
from nodes.surgery.graph import Graph
from nodes.surgery.probing import open_engine, run
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import Builder

PICTURES, BOXES, ROW = "image_bgr", "bboxes_x1y1x2y2", "image_row"
Step = Callable[[Builder, str], str]


def file_with(step: Step, opset: int = 17) -> ModelProto:
    """Return a file in which a step stands between pictures [1, 4, 6, 6] and the heads, which get means of it."""
    b = Builder()
    made = step(b, PICTURES)
    flat = b.add("Reshape", made, b.ints(1, 144))
    largest = b.add("ReduceMax", b.add("Reshape", BOXES, b.ints(-1, 4)), axes=[1])
    met = b.add("Add", b.add("Mul", flat, b.weights(1, 144)), largest)
    b.name(b.add("Reshape", met, b.ints(-1, 12, 12)), "heatmap")
    return b.model({PICTURES: (1, 4, 6, 6), BOXES: (1, "heads", 4)}, {"heatmap": ("heads", 12, 12)}, opset)


def gap(model: ModelProto) -> float:
    graph = Graph(model)
    batch_pictures(graph, PICTURES, BOXES)
    made = graph.model()
    onnx.checker.check_model(made, full_check=True)
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(3, 4, 6, 6)).astype(np.float32)
    boxes, row = rng.uniform(0, 1, (4, 4)).astype(np.float32), np.array([1, 2, 0, 2])
    (together,) = run(open_engine(made), None, {PICTURES: pictures, BOXES: boxes, ROW: row})
    old = open_engine(model)
    alone = [
        run(old, None, {PICTURES: pictures[r : r + 1], BOXES: b[None, None]})[0]
        for r, b in zip(row, boxes, strict=True)
    ]
    return float(np.abs(together - np.concatenate(alone)).max())


def tokens(b: Builder, x: str) -> str:
    """Return (1, 36, 4)."""
    return b.add("Transpose", b.add("Reshape", x, b.ints(1, 4, 36)), perm=[0, 2, 1])


STEPS: dict[str, Step] = {
    "convolution": lambda b, x: b.add("Conv", x, b.weights(4, 4, 3, 3), pads=[1, 1, 1, 1]),
    "pool": lambda b, x: b.add("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "global pool": lambda b, x: b.add("Mul", x, b.add("GlobalAveragePool", x)),
    "single values": lambda b, x: b.add("Where", b.add("Greater", x, b.constant(0.0)), x, b.weights(4, 1, 1)),
    "softmax": lambda b, x: b.add("Softmax", x, axis=1),
    "softmax before the axis of pictures": lambda b, x: b.add(
        "Transpose", b.add("Softmax", b.add("Transpose", x, perm=[1, 0, 2, 3]), axis=0), perm=[1, 0, 2, 3]
    ),
    "layer norm": lambda b, x: b.add("LayerNormalization", x, b.weights(6), b.weights(6), axis=-1),
    "mean over channels": lambda b, x: b.add("Sub", x, b.add("ReduceMean", x, axes=[1], keepdims=1)),
    "mean without its axis": lambda b, x: b.add(
        "Concat", *[b.add("Unsqueeze", b.add("ReduceMean", x, axes=[1], keepdims=0), b.ints(1))] * 4, axis=1
    ),
    "channels in another order": lambda b, x: b.add("Gather", x, b.ints(2, 1, 0, 3), axis=1),
    "first channel four times": lambda b, x: b.add(
        "Tile", b.add("Unsqueeze", b.add("Gather", x, b.constant(0, np.int64), axis=1), b.ints(1)), b.ints(1, 4, 1, 1)
    ),
    "the one picture chosen": lambda b, x: b.add(
        "Unsqueeze", b.add("Relu", b.add("Gather", x, b.constant(0, np.int64), axis=0)), b.ints(0)
    ),
    "the one picture squeezed": lambda b, x: b.add(
        "Unsqueeze", b.add("Relu", b.add("Squeeze", x, b.ints(0))), b.ints(0)
    ),
    "cut and joined": lambda b, x: b.add("Concat", *b.add("Split", x, b.ints(1, 3), count=2, axis=1)[::-1], axis=1),
    "slice of all pictures": lambda b, x: b.add("Slice", x, b.ints(0, 0), b.ints(1, 4), b.ints(0, 1)),
    "padded": lambda b, x: b.add(
        "Slice", b.add("Pad", x, b.ints(0, 0, 0, 0, 0, 0, 1, 1)), b.ints(1, 1), b.ints(7, 7), b.ints(2, 3)
    ),
    "resized": lambda b, x: b.add(
        "MaxPool", b.add("Resize", x, "", "", b.ints(1, 4, 12, 12), mode="linear"), kernel_shape=[2, 2], strides=[2, 2]
    ),
    "expanded": lambda b, x: b.add("Expand", b.add("ReduceMax", x, axes=[1], keepdims=1), b.ints(1, 4, 6, 6)),
    "with a constant token": lambda b, x: b.add(
        "Slice", b.add("Concat", b.weights(1, 1, 6, 6), x, axis=1), b.ints(0), b.ints(4), b.ints(1)
    ),
    "tokens times weights": lambda b, x: b.add("MatMul", tokens(b, x), b.weights(4, 4)),
    "tokens of all pictures on one axis": lambda b, x: b.add(
        "Reshape",
        b.add("Gemm", b.add("Reshape", tokens(b, x), b.ints(36, 4)), b.weights(4, 4), b.weights(4)),
        b.ints(1, 36, 4),
    ),
    "attention": lambda b, x: b.add(
        "MatMul",
        b.add("Softmax", b.add("MatMul", tokens(b, x), b.add("Reshape", x, b.ints(1, 4, 36))), axis=-1),
        tokens(b, x),
    ),
    "pictures behind channels": lambda b, x: b.add(
        "Transpose", b.add("Mul", b.add("Transpose", x, perm=[1, 0, 2, 3]), b.weights(4, 1, 1, 1)), perm=[1, 0, 2, 3]
    ),
    "arithmetic on shapes": lambda b, x: b.add(
        "Reshape",
        b.add("Relu", x),
        b.add("Concat", b.add("Slice", b.add("Shape", x), b.ints(0), b.ints(2)), b.ints(-1), axis=0),
    ),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_several_pictures_stay_apart(step: Step) -> None:
    assert gap(file_with(step)) <= 1e-6


REFUSED: dict[str, tuple[Step, str]] = {
    "softmax over pictures": (lambda b, x: b.add("Softmax", x, axis=0), "no sum over pictures"),
    "sum over all": (lambda b, x: b.add("Mul", x, b.add("ReduceSum", x)), "no sum over pictures"),
    "joined along pictures": (
        lambda b, x: b.add(
            "Reshape",
            b.add("Slice", b.add("Concat", x, x, axis=0), b.ints(1), b.ints(2), b.ints(0)),
            b.ints(1, 4, 6, 6),
        ),
        "pictures on one axis, and another one to be joined",
    ),
    "padded with pictures": (
        lambda b, x: b.add("Slice", b.add("Pad", x, b.ints(1, 0, 0, 0, 0, 0, 0, 0)), b.ints(1), b.ints(2), b.ints(0)),
        "no pictures to be added",
    ),
    "unknown": (lambda b, x: b.add("CumSum", x, b.ints(0)), "an operator that is known to keep pictures apart"),
}


@pytest.mark.parametrize(("step", "why"), REFUSED.values(), ids=list(REFUSED))
def test_what_mixes_pictures_is_refused(step: Step, why: str) -> None:
    with pytest.raises(ModelError, match=f"expected {why}, got"):
        gap(file_with(step))


def test_old_softmax_runs_over_all_axes_behind_the_first() -> None:
    """Before version 13 a softmax over axis 1 is one over channels, rows and columns together: pictures stay apart."""
    assert gap(file_with(lambda b, x: b.add("Softmax", x), opset=12)) <= 1e-6
