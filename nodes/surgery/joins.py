"""Where features of one picture meet its heads: let each head take those of its own picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import NodeProto, TensorProto

from nodes.surgery.batch_rules import Batching, Unbatched
from nodes.surgery.graph import attribute
from nodes.surgery.operators import ELEMENTWISE
from nodes.surgery.probing import Shapes

TWO_HEADS = 2
"""Heads in the run from which shapes are known."""


class Joining:
    """Rewrites the nodes in which what depends on the picture meets what depends on the boxes.

    Attributes:
        work: the picture axes.
        shapes: of all tensors, for one picture with two heads.
        heads: of all tensors, the axis that follows the number of heads; None: there is none, or there are several.
        picture_row: name of the tensor (heads,) int64 that says which picture each head is in.
    """

    def __init__(self, work: Batching, shapes: Shapes, heads: dict[str, int | None], picture_row: str) -> None:
        self.work, self.shapes, self.heads, self.picture_row = work, shapes, heads, picture_row
        self._gathered: dict[tuple[str, int, int], str] = {}

    def join(self, node: NodeProto) -> None:
        """Rewrite one node that reads features of pictures and what depends on boxes.

        Raises:
            Unbatched: the way in which it brings them together is not known.
        """
        rule = _RULES.get(node.op_type)
        if rule is None:
            raise Unbatched(
                "features to meet heads in an Expand, Tile, Gather, GridSample or an operation on single values"
            )
        rule(self, node)

    def heads_axis(self, name: str) -> int:
        """Return the axis of a tensor that is as long as there are heads."""
        axis = self.heads.get(name)
        if axis is None:
            raise Unbatched(f"one axis of {name!r} to be that of heads, got {list(self.shapes[name])} for two heads")
        return axis

    def per_head(self, name: str, rank: int, axis: int) -> str:
        """Return the features of each head's picture: of `rank` axes, with the heads on one of them."""
        key = (name, rank, axis)
        if key not in self._gathered:
            self._gathered[key] = self._gather(name, rank, axis)
        return self._gathered[key]

    def _gather(self, name: str, rank: int, axis: int) -> str:
        graph, shape = self.work.graph, self.work.shapes[name]
        here = self.work.axis[name] + rank - len(shape)
        if self.work.extent(name) != 1:
            raise Unbatched(f"features {name!r} with pictures on an axis of their own, got {list(shape)} for one")
        found = graph.add("Gather", [name, self.picture_row], "of_each_head", axis=self.work.axis[name])
        if here == axis:
            return found
        full = (1,) * (rank - len(shape)) + shape
        if full[axis] != 1:
            raise Unbatched(f"features {name!r} of extent 1 on the axis of heads, got {list(shape)}")
        wanted = graph.ints([-1 if k == here else n for k, n in enumerate(full)], "shape")
        found = graph.add("Reshape", [found, wanted], "of_each_head")
        order = list(range(rank))
        order[axis], order[here] = here, axis
        return graph.add("Transpose", [found], "of_each_head", perm=order)


def _repeat(work: Joining, node: NodeProto) -> None:
    """Expand or Tile of features for the heads: take those of each head's picture instead."""
    name, made = node.input[0], node.output[0]
    if name not in work.work.axis:
        raise Unbatched("features to be repeated for the heads")
    out, axis = work.shapes[made], work.heads_axis(made)
    before = (1,) * (len(out) - len(work.shapes[name])) + work.shapes[name]
    if out[axis] != TWO_HEADS or before[axis] != 1:
        raise Unbatched(f"features repeated once for each head, got {list(before)} made {list(out)} for two heads")
    found = work.per_head(name, len(out), axis)
    if all(a == b for k, (a, b) in enumerate(zip(before, out, strict=True)) if k != axis):
        work.work.graph.redirect(made, found)
        work.work.graph.remove(node)
    elif node.op_type == "Expand":
        node.input[0] = found
    else:
        raise Unbatched("features repeated along the axis of heads alone")


def _choose(work: Joining, node: NodeProto) -> None:
    """Gather of the one picture, by zeros: take each head's picture."""
    name, rows = node.input[:2]
    axis = work.work.axis.get(name)
    along = attribute(node, "axis", 0) % len(work.shapes[name])
    if axis != along or len(work.shapes[rows]) != 1 or work.shapes[rows] != (TWO_HEADS,):
        raise Unbatched("one picture chosen for each head")
    work.work.graph.redirect(node.output[0], work.per_head(name, len(work.shapes[name]), along))
    work.work.graph.remove(node)


def _cut(work: Joining, node: NodeProto) -> None:
    """GridSample of the one picture at places of all heads, one below the other: cut each head's from its picture."""
    name, places = node.input[:2]
    shape, grid, axis = work.shapes[name], work.shapes[places], work.work.axis.get(name)
    tall = axis == 2 and shape[0] == 1
    if len(shape) != 4 or not (axis == 0 or tall) or grid[0] != 1 or work.heads.get(places) != 1:
        raise Unbatched("places of all heads below one another in one picture")
    graph, rows, columns = work.work.graph, grid[1] // TWO_HEADS, grid[2]
    each = graph.add("Reshape", [places, graph.ints((-1, rows, columns, 2), "shape")], "places_of_each_head")
    if tall and _repeats_edges(node):
        moved = _into_own_picture(work, each, shape[2])
        node.input[1] = graph.add("Reshape", [moved, graph.ints((1, -1, columns, 2), "shape")], "places")
        return
    channels, height, width = shape[1:]
    if tall:  # pictures below one another: (1, C, N·H, W)
        apart = graph.add("Reshape", [name, graph.ints((channels, -1, height, width), "shape")], "pictures")
        name = graph.add("Transpose", [apart], "pictures", perm=(1, 0, 2, 3))
    node.input[0] = graph.add("Gather", [name, work.picture_row], "of_each_head", axis=0)
    node.input[1] = each
    made, node.output[0] = node.output[0], graph.fresh("cut_of_each_head")
    turned = graph.add("Transpose", [node.output[0]], "cuts", perm=(1, 0, 2, 3))
    below = graph.ints((1, channels, -1, columns), "shape")
    graph.add("Reshape", [turned, below], "cuts", output=made)


def _repeats_edges(node: NodeProto) -> bool:
    linear = attribute(node, "mode", "linear") in ("linear", "bilinear")
    return linear and attribute(node, "padding_mode", "zeros") == "border" and not attribute(node, "align_corners", 0)


def _into_own_picture(work: Joining, places: str, height: int) -> str:
    """Move places (heads, rows, columns, 2), -1 to 1, from the only picture into each head's, of N below one another.

    They are first held to the centres of the outermost pixels, which is where edges that are repeated begin.
    """
    graph = work.work.graph
    edge = 1 - 1 / height
    one, two = (graph.add_constant(np.array(value, np.float32), "number") for value in (1, 2))
    low, high = (graph.add_constant(np.array(value, np.float32), "edge") for value in (-edge, edge))
    x = graph.add("Gather", [places, graph.ints((0,), "x")], "x", axis=3)
    y = graph.add("Gather", [places, graph.ints((1,), "y")], "y", axis=3)
    above = graph.add("Cast", [work.picture_row], "pictures_above", to=TensorProto.FLOAT)
    above = graph.add("Reshape", [above, graph.ints((-1, 1, 1, 1), "shape")], "pictures_above")
    start = graph.add("Add", [graph.add("Mul", [above, two], "start"), one], "start")
    count = graph.add("Cast", [work.work.count], "pictures_float", to=TensorProto.FLOAT)
    y = graph.add("Add", [graph.add("Clip", [y, low, high], "y"), start], "y")
    y = graph.add("Sub", [graph.add("Div", [y, count], "y"), one], "y")
    return graph.add("Concat", [x, y], "places", axis=3)


def _meet(work: Joining, node: NodeProto) -> None:
    """Operate on single values of features and heads, which repeats the features: take those of each head."""
    made = node.output[0]
    rank, axis = len(work.shapes[made]), work.heads_axis(made)
    for k, name in enumerate(node.input):
        if name in work.work.axis:
            node.input[k] = work.per_head(name, rank, axis)


_RULES: dict[str, Callable[[Joining, NodeProto], None]] = {
    **dict.fromkeys(ELEMENTWISE, _meet),
    "MatMul": _meet,
    "Expand": _repeat,
    "Tile": _repeat,
    "Gather": _choose,
    "GridSample": _cut,
}
