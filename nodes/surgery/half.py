"""Compute in half precision, with the nodes that must not left in single precision, and casts between the two."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from nodes.surgery.graph import Array, Graph, attribute

SINGLE_ONLY = frozenset(
    ("CumSum", "GridSample", "NonMaxSuppression", "Range", "RoiAlign", "ScatterElements", "ScatterND", "TopK")
)
"""Operators that are left in single precision: the standard or a runtime has no other for them, or they compute places,
which half precision is too coarse for."""
_FREE = frozenset(("Shape", "Size"))
"""Operators that take either."""
_HALF_INPUTS = {"Resize": 1}
"""Operators of which only so many inputs may be in half precision."""
_LARGEST, _SMALLEST = float(np.finfo(np.float16).max), float(np.finfo(np.float16).smallest_subnormal)


def float_tensors(model: ModelProto) -> set[str]:
    """Return the names of all tensors of single precision that a model's nodes make."""
    inferred = onnx.shape_inference.infer_shapes(model)
    graph = inferred.graph
    infos = (*graph.value_info, *graph.input, *graph.output)
    return {info.name for info in infos if info.type.tensor_type.elem_type == TensorProto.FLOAT}


def to_half(model: ModelProto, single: Collection[str]) -> ModelProto:
    """Return a model that computes in half precision; inputs and outputs stay as they are.

    Args:
        model: in single precision; stays as it is.
        single: names of nodes that stay in single precision.
    """
    graph = Graph(model)
    work = _Casting(graph, float_tensors(model))
    for node in graph.in_order():
        if node.op_type in _FREE:
            continue
        if node.name in single or node.op_type in SINGLE_ONLY:
            work.feed(node, half=False)
        else:
            _attributes_to_half(node)
            work.feed(node, half=True)
            work.made_half |= work.floats & set(node.output)
    for name in graph.outputs:
        if name in work.made_half:
            inner = graph.fresh(f"{name}_half")
            for node in graph.nodes:
                for k, made in enumerate(node.output):
                    if made == name:
                        node.output[k] = inner
            graph.redirect(name, inner)
            graph.add("Cast", [inner], f"{name}_cast", output=name, to=TensorProto.FLOAT)
    graph.prune()
    return graph.model()


def rounded_to_half(model: ModelProto, single: Collection[str]) -> ModelProto:
    """Return a model that computes in single precision, with all that half precision would round rounded to it.

    ONNX Runtime computes half precision on a CPU in single precision and leaves roundings out between operators, so
    that it looks better there than it is where it is meant for: GPUs, which sum in single precision and round each
    result. This shows how good it is on them.

    Args:
        model: in single precision; stays as it is.
        single: names of nodes that stay in single precision.
    """
    graph, floats = Graph(model), float_tensors(model)
    rounded: dict[str, str] = {}  # what nodes in half precision read, by its exact name
    for node in graph.in_order():
        if node.name in single or node.op_type in SINGLE_ONLY or node.op_type in _FREE:
            continue
        for k, name in enumerate(node.input[: _half_inputs(node)]):
            value = graph.constant(name)
            if name not in rounded and value is not None and value.dtype == np.float32:
                rounded[name] = graph.add_constant(_rounded(value).astype(np.float32), f"{name}_rounded")
            elif name not in rounded and value is None and name in floats:
                rounded[name] = _through_half(graph, name, graph.fresh(f"{name}_rounded"))
            node.input[k] = rounded.get(name, name)
        for k, name in enumerate(node.output):
            if name in floats:
                node.output[k] = graph.fresh(f"{name}_exact")
                rounded[name] = _through_half(graph, node.output[k], name)
    graph.prune()
    return graph.model()


def _through_half(graph: Graph, name: str, made: str) -> str:
    half = graph.add("Cast", [name], f"{name}_half", to=TensorProto.FLOAT16)
    return graph.add("Cast", [half], f"{name}_cast", output=made, to=TensorProto.FLOAT)


class _Casting:
    """What has which precision, and the casts made so far."""

    def __init__(self, graph: Graph, floats: set[str]) -> None:
        self.graph, self.floats = graph, floats
        self.made_half: set[str] = set()
        self._cast: dict[tuple[str, bool], str] = {}

    def feed(self, node: NodeProto, half: bool) -> None:
        """Let a node read what it reads in one precision."""
        for k, name in enumerate(node.input):
            wanted = half and k < _half_inputs(node)
            constant = self.graph.constant(name)
            if constant is not None:
                if wanted and constant.dtype == np.float32:
                    node.input[k] = self._once(name, wanted, constant)
            elif name in self.floats and (name in self.made_half) != wanted:
                node.input[k] = self._once(name, wanted, None)

    def _once(self, name: str, half: bool, constant: Array | None) -> str:
        key = (name, half)
        if key not in self._cast:
            if constant is not None:
                self._cast[key] = self.graph.add_constant(_rounded(constant), f"{name}_half")
            else:
                kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
                self._cast[key] = self.graph.add("Cast", [name], f"{name}_{'half' if half else 'single'}", to=kind)
        return self._cast[key]


def _half_inputs(node: NodeProto) -> int:
    return _HALF_INPUTS.get(node.op_type, len(node.input))


def _rounded(values: Array) -> Array:
    """Return values in half precision; what would become 0 or infinite becomes the nearest that does not."""
    small = (values != 0) & (np.abs(values) < _SMALLEST)
    kept = np.where(small, np.copysign(_SMALLEST, values), np.clip(values, -_LARGEST, _LARGEST))
    return np.where(np.isinf(values), values, kept).astype(np.float16)


def _attributes_to_half(node: NodeProto) -> None:
    if node.op_type == "Cast" and attribute(node, "to") == TensorProto.FLOAT:
        next(item for item in node.attribute if item.name == "to").i = TensorProto.FLOAT16
    if node.op_type == "ConstantOfShape":
        value = attribute(node, "value")
        array = np.zeros(1, np.float32) if value is None else numpy_helper.to_array(value)
        if array.dtype == np.float32:
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(_rounded(array))))
