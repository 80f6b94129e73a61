"""Learn the shape of every tensor of a graph by running it on the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from nodes.surgery.graph import Array, Graph
from pipeline.errors import ModelError

Shapes = dict[str, tuple[int, ...]]


def open_engine(model: ModelProto | bytes, optimise: bool = True) -> Any:
    """Open a model in memory with ONNX Runtime on one thread of the CPU.

    Raises:
        ModelError: the runtime does not take it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    content = model if isinstance(model, bytes) else model.SerializeToString()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions have no common base of their own
        raise ModelError(f"ONNX Runtime: expected a model that loads, got: {_line(error)}") from error


def run(engine: Any, names: Iterable[str] | None, inputs: Mapping[str, Array]) -> list[Array]:
    """Run an opened model.

    Raises:
        ModelError: it fails; names the shapes of the inputs.
    """
    try:
        found: list[Array] = engine.run(None if names is None else list(names), dict(inputs))
    except Exception as error:  # as above
        shapes = {name: array.shape for name, array in inputs.items()}
        raise ModelError(f"ONNX Runtime: expected a model that runs on {shapes}, got: {_line(error)}") from error
    return found


def shapes_of(graph: Graph, inputs: Mapping[str, Array]) -> Shapes:
    """Return the shape of each tensor that the nodes make, for these inputs."""
    probe = Graph(graph.model())
    made = {name: probe.fresh(f"{name}.shape") for name in last_first(probe)}
    for name, shape in made.items():
        probe.add("Shape", [name], "probe", output=shape)
    engine = open_engine(probe.model(dict.fromkeys(made.values(), TensorProto.INT64)), optimise=False)
    found = run(engine, made.values(), inputs)
    shapes = {name: tuple(array.tolist()) for name, array in zip(made, found, strict=True)}
    return shapes | {name: array.shape for name, array in inputs.items()}


def last_first(graph: Graph) -> list[str]:
    """Return the names of all that nodes make, those that are made last first.

    Nodes that look at each tensor are to be added in this order: ONNX Runtime then runs each as soon as it can and lets
    go of the tensor. In the other order it looks at all of them at the end and keeps them until then, in gigabytes.
    """
    return [name for node in reversed(graph.in_order()) for name in node.output if name]


def values_of(graph: Graph, names: Iterable[str], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Return what some tensors hold for these inputs."""
    wanted = [name for name in names if name not in graph.outputs]
    if not wanted:
        return {}
    model = graph.model()
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted)
    found = run(open_engine(model, optimise=False), wanted, inputs)
    return dict(zip(wanted, found, strict=True))


def dull_inputs(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return inputs of those shapes and of the declared types, all zero."""
    return {
        name: np.zeros(shape, helper.tensor_dtype_to_np_dtype(graph.declared(name)[1]))
        for name, shape in shapes.items()
    }


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
