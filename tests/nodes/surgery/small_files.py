"""Small ONNX files with the structure of released ones, built node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

SIDE, GRID, CELLS, WIDTH = 16, 4, 6, 8
"""Pixels of the picture, cells of its features, of the map that is left of 2 GRID, channels."""


class Builder:
    """Collects nodes and constants of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self._rng = np.random.default_rng(7)

    def add(self, op: str, *inputs: str, count: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of what it makes, or the names."""
        made = [f"t{len(self.nodes)}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(op, list(inputs), made, f"{op}_{len(self.nodes)}", **attributes))
        return made[0] if count == 1 else made

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Keep a constant and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        """Keep a list of int64."""
        return self.constant(values, np.int64)

    def weights(self, *shape: int) -> str:
        """Keep random weights."""
        return self.constant(self._rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape))

    def model(
        self, inputs: dict[str, tuple[Any, ...]], outputs: dict[str, tuple[Any, ...] | None], opset: int = 17
    ) -> ModelProto:
        """Return a model; inputs and outputs are float32."""
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
        results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()]
        graph = helper.make_graph(self.nodes, "small", values, results, self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.checker.check_model(made)
        return made

    def name(self, tensor: str, output: str) -> None:
        """Give what a node made the name of an output."""
        for node in self.nodes:
            for k, made in enumerate(node.output):
                if made == tensor:
                    node.output[k] = output


Join = Callable[[Builder, str, str], str]


def by_expand(b: Builder, features: str, heads: str) -> str:
    return b.add("Expand", features, b.add("Concat", heads, b.ints(WIDTH, GRID, GRID), axis=0))


def by_tile(b: Builder, features: str, heads: str) -> str:
    return b.add("Tile", features, b.add("Concat", heads, b.ints(1, 1, 1), axis=0))


def by_idle_expand_and_tile(b: Builder, features: str, heads: str) -> str:
    ones = b.add("ConstantOfShape", b.add("Shape", b.add("Concat", heads, b.ints(1, 1, 1), axis=0)), value=_one())
    return by_tile(b, b.add("Expand", features, ones), heads)


def by_second_axis(b: Builder, features: str, heads: str) -> str:
    wide = b.add("Unsqueeze", features, b.ints(1))
    wide = b.add("Expand", wide, b.add("Concat", b.ints(1), heads, b.ints(1, 1, 1), axis=0))
    return b.add("Reshape", wide, b.ints(-1, WIDTH, GRID, GRID))


def by_zeros(b: Builder, features: str, heads: str) -> str:
    return b.add("Gather", features, b.add("ConstantOfShape", heads, value=_zero()), axis=0)


def by_broadcast(b: Builder, features: str, heads: str) -> str:
    return features


JOINS: dict[str, Join] = {
    "expand": by_expand,
    "tile": by_tile,
    "idle expand and tile": by_idle_expand_and_tile,
    "second axis": by_second_axis,
    "zeros": by_zeros,
    "broadcast": by_broadcast,
}


def gaze_file(join: str = "expand", inout: bool = True, thin: bool = True, boxes: Any = "heads") -> ModelProto:
    """Return a gaze model: pictures [1, 3, 16, 16] 0..255 and boxes [1, heads, 4] to maps [heads, 6, 6] and [heads].

    A patch convolution with a token before the patches, as vision transformers have, over attention of one head;
    positions; the mask of each head rounded to 4 x 4 cells; an upsampling convolution, sigmoid, and the thinning.
    """
    b = Builder()
    image = b.add("Gather", "image_bgr", b.ints(2, 1, 0), axis=1)
    image = b.add("Resize", image, "", "", b.ints(1, 3, SIDE, SIDE), mode="linear")
    image = b.add("Mul", image, b.constant(0.003921569))
    tokens = b.add("Conv", image, b.weights(WIDTH, 3, 4, 4), strides=[4, 4])
    tokens = b.add("Transpose", b.add("Reshape", tokens, b.ints(1, WIDTH, GRID * GRID)), perm=[0, 2, 1])
    tokens = b.add("Concat", b.weights(1, 1, WIDTH), tokens, axis=1)
    normed = b.add("LayerNormalization", tokens, b.constant(np.ones(WIDTH)), b.constant(np.zeros(WIDTH)), axis=-1)
    scores = b.add("MatMul", normed, b.add("Transpose", normed, perm=[0, 2, 1]))
    tokens = b.add("Add", tokens, b.add("MatMul", b.add("Softmax", scores, axis=-1), normed))
    tokens = b.add("Slice", tokens, b.ints(1), b.ints(GRID * GRID + 1), b.ints(1))
    features = b.add("Reshape", b.add("Transpose", tokens, perm=[0, 2, 1]), b.ints(1, WIDTH, GRID, GRID))
    features = b.add("Add", features, b.weights(WIDTH, GRID, GRID))
    rows = b.add("Squeeze", "bboxes_x1y1x2y2", b.ints(0))
    heads = b.add("Slice", b.add("Shape", rows), b.ints(0), b.ints(1))
    scene = JOINS[join](b, features, heads)
    scene = b.add("Add", scene, b.add("Mul", _mask(b, rows), b.weights(1, WIDTH, 1, 1)))
    logits = b.add("ConvTranspose", scene, b.weights(WIDTH, WIDTH, 2, 2), kernel_shape=[2, 2], strides=[2, 2])
    logits = b.add("Conv", b.add("Relu", logits), b.weights(1, WIDTH, 1, 1))
    maps = b.add("Sigmoid", b.add("Mul", logits, b.constant(6.0)))
    if thin:
        size = b.add("Concat", heads, b.ints(1, CELLS, CELLS), axis=0)
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        maps = b.add("Resize", maps, "", "", size, mode="nearest", **how)
    b.name(b.add("Squeeze", maps, b.ints(1)), "heatmap")
    cells = CELLS if thin else 2 * GRID
    outputs: dict[str, tuple[Any, ...] | None] = {"heatmap": ("heads", cells, cells)}
    if inout:
        mean = b.add("ReduceMean", scene, axes=[2, 3], keepdims=0)
        b.name(b.add("Sigmoid", b.add("Squeeze", b.add("MatMul", mean, b.weights(WIDTH, 1)), b.ints(1))), "inout")
        outputs["inout"] = ("heads",)
    return b.model({"image_bgr": (1, 3, SIDE, SIDE), "bboxes_x1y1x2y2": (1, boxes, 4)}, outputs)


def detector_file(batch: Any = "N", side: int = SIDE, opset: int = 17, free_size: bool = True) -> ModelProto:
    """Return a detector of the family wholebody34: pictures [batch, 3, H, W] to rows [batch, 16, 6].

    Each patch of the picture, resized to 16 x 16 inside, is a head whose score is its brightness in red.
    """
    b = Builder()
    image = b.add("Resize", "input_bgr", "", "", _sizes(b, batch), mode="nearest")
    image = b.add("Mul", image, b.constant(1 / 255))
    kernel = np.zeros((6, 3, 4, 4))
    kernel[5, 2] = 1 / 16
    patch = b.add("Conv", image, b.constant(kernel), strides=[4, 4])
    rows = b.add("Transpose", b.add("Reshape", patch, b.ints(0, 6, 16)), perm=[0, 2, 1])
    corner = np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(16, 2) / 4
    fixed = np.concatenate([np.full((16, 1), 7), corner, corner + 0.25, np.zeros((16, 1))], 1)
    b.name(b.add("Add", rows, b.constant(fixed)), "label_xyxy_score")
    size = ("H", "W") if free_size else (side, side)
    return b.model({"input_bgr": (batch, 3, *size)}, {"label_xyxy_score": (batch, 16, 6)}, opset)


def _sizes(b: Builder, batch: Any) -> str:
    count = b.add("Slice", b.add("Shape", "input_bgr"), b.ints(0), b.ints(1))
    return str(b.add("Concat", count, b.ints(3, SIDE, SIDE), axis=0))


def _mask(b: Builder, rows: str) -> str:
    corners = b.add("Round", b.add("Mul", rows, b.constant(float(GRID))))
    x1, y1, x2, y2 = b.add("Split", corners, b.ints(1, 1, 1, 1), count=4, axis=1)
    cells = b.constant(np.arange(GRID))
    across = b.add("And", b.add("GreaterOrEqual", cells, x1), b.add("Less", cells, x2))
    down = b.add("And", b.add("GreaterOrEqual", cells, y1), b.add("Less", cells, y2))
    both = b.add("And", b.add("Unsqueeze", down, b.ints(2)), b.add("Unsqueeze", across, b.ints(1)))
    return str(b.add("Unsqueeze", b.add("Cast", both, to=TensorProto.FLOAT), b.ints(1)))


def _one() -> TensorProto:
    return numpy_helper.from_array(np.ones(1, np.int64))


def _zero() -> TensorProto:
    return numpy_helper.from_array(np.zeros(1, np.int64))


def names_of(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    """Return the kinds of nodes, sorted."""
    return sorted(node.op_type for node in nodes)
