"""Let a model take pictures as they are decoded: bytes, rows of pixels, BGR; what turns them is inside the graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper

from nodes.surgery.graph import Graph, attribute
from nodes.surgery.probing import Shapes
from pipeline.card_fields import Picture

_SAME_PLACES = frozenset(("align_corners", "asymmetric", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel"))
"""Ways of placing samples that, where nothing is resized, put each on a pixel."""


def take_bytes(graph: Graph, name: str, batch: int | str, size_wh: tuple[int, int], picture: Picture) -> None:
    """Make an input uint8 [batch, H, W, 3] BGR, and compute from it inside the graph what it was before.

    The cast stands first, because TensorRT takes bytes only where they are cast at once.

    Args:
        graph: changed in place.
        name: of the input, [N, 3, H, W] until now; it keeps its name.
        batch: extent of the first axis, or its name.
        size_wh: width and height of the pictures, pixels.
        picture: how the input was made until now: order of channels, mean and spread, which move into the graph.
    """
    dtype = graph.declared(name)[1]
    counting = [node for node in graph.nodes if node.op_type == "Shape" and name in node.input]
    made = graph.fresh(f"{name}_planes")
    old = {id(node) for node in counting if _reads_first_only(graph, node)}
    for node in graph.nodes:
        if id(node) not in old:
            for k, read in enumerate(node.input):
                if read == name:
                    node.input[k] = made
    value = graph.add("Cast", [name], "pixels", to=dtype)
    as_array = helper.tensor_dtype_to_np_dtype(dtype)
    if picture.colour == "rgb":
        value = graph.add("Gather", [value, graph.ints((2, 1, 0), "rgb")], "pixels", axis=3)
    if any(picture.mean):
        value = graph.add("Sub", [value, graph.add_constant(np.array(picture.mean, as_array), "mean")], "pixels")
    if any(spread != 1.0 for spread in picture.std):
        value = graph.add("Div", [value, graph.add_constant(np.array(picture.std, as_array), "std")], "pixels")
    graph.add("Transpose", [value], "planes", output=made, perm=(0, 3, 1, 2))
    graph.set_input(name, (batch, size_wh[1], size_wh[0], 3), TensorProto.UINT8)


def drop_idle_resizes(graph: Graph, runs: Sequence[Shapes]) -> int:
    """Take out each Resize that changes nothing, and return how many those were.

    Args:
        graph: changed in place.
        runs: shapes of all tensors, for all sizes of inputs that differ in what they are multiplied from.
    """
    idle = [node for node in graph.nodes if node.op_type == "Resize" and _changes_nothing(graph, node, runs)]
    for node in idle:
        graph.redirect(node.output[0], node.input[0])
        graph.remove(node)
    graph.prune()
    return len(idle)


def _changes_nothing(graph: Graph, node: NodeProto, runs: Sequence[Shapes]) -> bool:
    if node.output[0] in graph.outputs:
        return False
    if any(shapes[node.input[0]] != shapes[node.output[0]] for shapes in runs):
        return False
    return attribute(node, "coordinate_transformation_mode", "half_pixel") in _SAME_PLACES


def _reads_first_only(graph: Graph, shape: NodeProto) -> bool:
    """Tell whether only the first extent of a shape is read: the number of pictures, which keeps its place."""
    readers = graph.readers().get(shape.output[0], [])
    firsts = [node.op_type == "Gather" and _is_zero(graph, node.input[1]) for node in readers]
    return bool(firsts) and all(firsts)


def _is_zero(graph: Graph, name: str) -> bool:
    value = graph.constant(name)
    return value is not None and not value.any()
