"""Which tensors of a gaze model depend on the picture, on the boxes, or on both."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag

from nodes.surgery.graph import Graph
from nodes.surgery.probing import Shapes, dull_inputs, values_of


class Side(Flag):
    """What a tensor's values depend on; nothing: they are known before the model runs."""

    NOTHING = 0
    PICTURE = 1
    BOXES = 2
    BOTH = 3


def sides(graph: Graph, inputs: Mapping[str, Side]) -> dict[str, Side]:
    """Return the side of each tensor, from those of the inputs.

    The shape of what comes from the picture alone is known, because pictures have one size and come one at a time;
    that of everything else may depend on the number of boxes, and on nothing else.
    """
    found = {**dict.fromkeys(graph.constants, Side.NOTHING), **inputs, "": Side.NOTHING}
    for node in graph.in_order():
        side = Side.NOTHING
        for name in node.input:
            side |= found[name]
        if node.op_type in ("Shape", "Size"):
            side = Side.BOXES if side & Side.BOXES else Side.NOTHING
        found |= dict.fromkeys(filter(None, node.output), side)
    return found


def fold(graph: Graph, found: dict[str, Side], input_shapes: Shapes) -> None:
    """Turn into constants what depends on nothing: mostly arithmetic on the shapes of what comes from the picture.

    Args:
        graph: changed in place.
        found: the sides.
        input_shapes: shapes of all inputs.
    """
    known = [node for node in graph.nodes if all(found[name] is Side.NOTHING for name in node.output)]
    names = [name for node in known for name in node.output if name]
    values = values_of(graph, names, dull_inputs(graph, input_shapes))
    for node in known:
        graph.remove(node)
    for name, value in values.items():
        graph.set_constant(name, value)
    graph.prune()
