"""How large the values inside a model become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onnx import ModelProto, TensorProto

from nodes.surgery.graph import Array, Graph
from nodes.surgery.half import float_tensors
from nodes.surgery.probing import last_first, open_engine, run

HALF_LIMIT = 65504.0 / 4
"""Values above this are taken for too large for half precision, whose largest is 65504: other pictures have others."""


def largest_values(model: ModelProto, trials: Sequence[Mapping[str, Array]]) -> dict[str, float]:
    """Return the largest absolute value that each tensor of single precision takes."""
    probe = Graph(model)
    floats = float_tensors(model)
    names = [name for name in last_first(probe) if name in floats]
    tops = {}
    for name in names:
        size = probe.add("Abs", [name], "size")
        tops[name] = probe.add("ReduceMax", [size], "largest", keepdims=0)
    engine = open_engine(probe.model(dict.fromkeys(tops.values(), TensorProto.FLOAT)), optimise=False)
    largest = dict.fromkeys(names, 0.0)
    for trial in trials:
        for name, value in zip(tops, run(engine, tops.values(), trial), strict=True):
            largest[name] = max(largest[name], float(value))
    return largest


def too_large_for_half(model: ModelProto, trials: Sequence[Mapping[str, Array]]) -> list[str]:
    """Return the names of nodes that read or make values that are too large for half precision."""
    largest = largest_values(model, trials)
    return [
        node.name
        for node in Graph(model).nodes
        if any(largest.get(name, 0.0) > HALF_LIMIT for name in (*node.input, *node.output))
    ]
