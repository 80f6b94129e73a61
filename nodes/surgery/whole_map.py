"""Keep the rows and columns of a gaze map that the last step of released files throws away."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import NodeProto

from nodes.surgery.graph import Graph, attribute
from nodes.surgery.probing import Shapes
from pipeline.errors import ModelError

_REGROUPING = frozenset(("Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Unsqueeze"))
"""What may stand between the sigmoid, the resize and the output; Gather where it takes the first of one."""


@dataclass(frozen=True)
class Thinning:
    """A map that loses cells.

    Attributes:
        source_wh: columns and rows before.
        out_wh: columns and rows that are left.
    """

    source_wh: tuple[int, int]
    out_wh: tuple[int, int]


def keep_whole_map(graph: Graph, output: str, shapes: Shapes) -> Thinning | None:
    """Take out the resize behind the sigmoid that picks the nearest cell and so leaves some out.

    The map then has all cells that the network computes, as many more as its sides say; the sigmoid keeps it within 0
    to 1. Evenly resized to the old size instead it would be as small as before, but its peaks lower and blurred.

    Args:
        graph: changed in place.
        output: name of the map [heads, h, w].
        shapes: of all tensors.

    Returns:
        What was thinned; None: nothing was, and nothing is changed.

    Raises:
        ModelError: behind the resize stands what cannot be widened.
    """
    made_by = graph.producers()
    behind, resize = _up_to(graph, made_by, output, shapes)
    if resize is None or resize.op_type != "Resize":
        return None
    before, after = shapes[resize.input[0]], shapes[resize.output[0]]
    _, source = _up_to(graph, made_by, resize.input[0], shapes)
    if not _picks_nearest(resize) or source is None or source.op_type != "Sigmoid":
        return None
    if not (before[-2] > after[-2] or before[-1] > after[-1]) or before[:-2] != after[:-2]:
        return None
    for node in behind:
        if node.op_type == "Reshape":
            _widen(graph, node, before[-2:], after[-2:])
    graph.redirect(resize.output[0], resize.input[0])
    graph.remove(resize)
    if resize.output[0] == output:
        graph.add("Identity", [resize.input[0]], "map", output=output)
    graph.prune()
    return Thinning((before[-1], before[-2]), (after[-1], after[-2]))


def _up_to(
    graph: Graph, made_by: dict[str, NodeProto], name: str, shapes: Shapes
) -> tuple[list[NodeProto], NodeProto | None]:
    """Go up from a tensor over what only regroups; return those nodes, and the first that does more."""
    passed = []
    node = made_by.get(name)
    while node is not None and node.op_type in _REGROUPING:
        if node.op_type == "Gather" and not _takes_the_only_one(graph, node, shapes):
            break
        passed.append(node)
        node = made_by.get(node.input[0])
    return passed, node


def _takes_the_only_one(graph: Graph, node: NodeProto, shapes: Shapes) -> bool:
    place, shape = graph.constant(node.input[1]), shapes[node.input[0]]
    return place is not None and place.ndim == 0 and shape[attribute(node, "axis", 0)] == 1


def _picks_nearest(node: NodeProto) -> bool:
    usual = {"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"}
    found = tuple(attribute(node, name, default) for name, default in usual.items())
    return found == ("nearest", "asymmetric", "floor")


def _widen(graph: Graph, node: NodeProto, wide: tuple[int, ...], thin: tuple[int, ...]) -> None:
    shape = graph.constant(node.input[1])
    if shape is None or shape[-2:].tolist() == [-1, -1]:
        return
    if shape[-2:].tolist() != list(thin):
        raise ModelError(f"node {node.name!r}: expected a Reshape that ends in {list(thin)}, got {shape.tolist()}")
    node.input[1] = graph.ints([*shape[:-2].tolist(), *wide], "shape")
