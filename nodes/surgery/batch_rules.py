"""How the axis of pictures goes through each operator, and what must change so that it may be longer than 1.

Files for one picture have its 1 baked into shapes. Here the number of pictures N is followed from the input on: each
tensor has one axis, its *picture axis*, whose true extent is N times what the file knows, with the picture as the
outermost part of that axis (tokens of all pictures in one axis, for example). A rule tells where that axis is in what
a node makes, and rewrites the constants in which the 1 was baked.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from onnx import NodeProto

from nodes.surgery.graph import Graph, attribute
from nodes.surgery.operators import ELEMENTWISE, MAPS, REDUCING, REGROUPING
from nodes.surgery.probing import Shapes


class Unbatched(Exception):
    """A node mixes pictures, or is not known here; the text says how."""


class Batching:
    """The picture axes of a graph while they are followed.

    Attributes:
        graph: changed in place.
        shapes: of all tensors, for one picture.
        axis: the picture axis of each tensor seen so far that has one.
        count: name of a tensor (1,) int64 that is the number of pictures.
    """

    def __init__(self, graph: Graph, shapes: Shapes, count: str) -> None:
        self.graph, self.shapes, self.count = graph, shapes, count
        self.axis: dict[str, int] = {}

    def follow(self, node: NodeProto) -> None:
        """Note the picture axes of what a node makes, and rewrite it where the number of pictures is baked in.

        Raises:
            Unbatched: no rule fits.
        """
        rule = _RULES.get(node.op_type)
        if rule is None:
            raise Unbatched("an operator that is known to keep pictures apart")
        axis = rule(self, node)
        for name in filter(None, node.output):
            self.axis[name] = axis

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor for one picture."""
        value = self.graph.constant(name)
        return self.shapes[name] if value is None else value.shape

    def extent(self, name: str) -> int:
        """Return the extent of a tensor's picture axis for one picture."""
        return self.shapes[name][self.axis[name]]

    def target(self, shape: tuple[int, ...], axis: int) -> str:
        """Return a tensor with a shape whose picture axis is as long as there are pictures."""
        extent = self.count
        if shape[axis] != 1:
            extent = self.graph.add("Mul", [extent, self.graph.ints([shape[axis]], "extent")], "batch_extent")
        parts = [self.graph.ints(shape[:axis], "before"), extent, self.graph.ints(shape[axis + 1 :], "behind")]
        return self.graph.add("Concat", parts, "batch_shape", axis=0)


Rule = Callable[[Batching, NodeProto], int]


def _of(work: Batching, name: str) -> int:
    if name not in work.axis:
        raise Unbatched(f"{name!r} to come from the picture")
    return work.axis[name]


def _known(work: Batching, name: str) -> list[int]:
    value = work.graph.constant(name)
    if value is None:
        raise Unbatched(f"{name!r} to be a constant")
    found: list[int] = np.atleast_1d(value).tolist()
    return found


def _axes(work: Batching, node: NodeProto, place: int) -> list[int] | None:
    """Return the axes of a node, given as attribute or as input at a place; None: all."""
    axes = attribute(node, "axes")
    if axes is None and len(node.input) > place and node.input[place]:
        axes = _known(work, node.input[place])
    rank = len(work.shapes[node.input[0]])
    return None if axes is None else [a % rank for a in axes]


def _elementwise(work: Batching, node: NodeProto) -> int:
    out = work.shapes[node.output[0]]
    found = {work.axis[name] + len(out) - len(work.shapes[name]) for name in node.input if name in work.axis}
    if len(found) != 1:
        raise Unbatched(f"pictures on one axis, got them on {sorted(found)}")
    axis = found.pop()
    for name in filter(None, node.input):
        place = axis - len(out) + len(work.shape(name))
        if name not in work.axis and place >= 0 and work.shape(name)[place] != 1:
            raise Unbatched(f"the same values for each picture, got {name!r} with others along the axis of pictures")
    if any(work.extent(name) != out[axis] for name in node.input if name in work.axis):
        raise Unbatched("all operands with one picture")
    return axis


def _maps(work: Batching, node: NodeProto) -> int:
    if _of(work, node.input[0]) != 0 or any(name in work.axis for name in node.input[1:]):
        raise Unbatched("maps with pictures on the first axis, and weights that are constants")
    return 0


def _regroup(work: Batching, node: NodeProto) -> int:
    """Replace by a Reshape in which the picture axis is the one that is not given."""
    before, axis = work.shapes[node.input[0]], _of(work, node.input[0])
    after = work.shapes[node.output[0]]
    outer = prod(before[:axis])
    places = [k for k in range(len(after)) if prod(after[:k]) == outer]
    if not places:
        raise Unbatched(f"pictures to stay apart, got {list(before)} regrouped as {list(after)}")
    axis = next((k for k in places if after[k] == 1), places[0])
    shape = work.graph.ints([-1 if k == axis else n for k, n in enumerate(after)], "shape")
    del node.input[1:], node.attribute[:]
    node.op_type = "Reshape"
    node.input.append(shape)
    return axis


def _transpose(work: Batching, node: NodeProto) -> int:
    rank = len(work.shapes[node.input[0]])
    order = list(attribute(node, "perm", range(rank - 1, -1, -1)))
    return order.index(_of(work, node.input[0]))


def _matmul(work: Batching, node: NodeProto) -> int:
    left, right = node.input[:2]
    rank, found = len(work.shapes[node.output[0]]), set()
    for name, summed in ((left, -1), (right, -2)):
        if name not in work.axis:
            continue
        own = len(work.shapes[name])
        if own < 2 or work.axis[name] == own + summed:
            raise Unbatched("no sum over pictures")
        found.add(work.axis[name] + rank - own)
    axis = found.pop()
    others = [work.shape(name) for name in (left, right) if name not in work.axis]
    crossed = any(axis < rank - 2 and len(o) >= rank - axis and o[axis - rank] != 1 for o in others)
    if found or crossed or (not others and axis >= rank - 2):
        raise Unbatched("each picture multiplied by what is its own, or by constants")
    return axis


def _gemm(work: Batching, node: NodeProto) -> int:
    if node.input[0] not in work.axis or any(name in work.axis for name in node.input[1:]):
        raise Unbatched("a product with constants")
    if work.axis[node.input[0]] != (1 if attribute(node, "transA", 0) else 0):
        raise Unbatched("no sum over pictures")
    if len(node.input) > 2 and len(bias := work.shape(node.input[2])) == 2 and bias[0] != 1:
        raise Unbatched("the same bias for each picture")
    return 0


def _within(work: Batching, node: NodeProto) -> int:
    """Softmax and normalisation of layers: over the last axes, or over one."""
    axis, rank = _of(work, node.input[0]), len(work.shapes[node.input[0]])
    flattens = "Softmax" in node.op_type and work.graph.opset < 13
    first = attribute(node, "axis", 1 if flattens else -1) % rank
    last = first if "Softmax" in node.op_type and not flattens else rank - 1
    if first <= axis <= last:
        raise Unbatched("no sum over pictures")
    return axis


def _reduce(work: Batching, node: NodeProto) -> int:
    axis, axes = _of(work, node.input[0]), _axes(work, node, 1)
    if axes is None or axis in axes:
        raise Unbatched("no sum over pictures")
    return axis if attribute(node, "keepdims", 1) else axis - sum(a < axis for a in axes)


def _concat(work: Batching, node: NodeProto) -> int:
    along = attribute(node, "axis") % len(work.shapes[node.output[0]])
    found = {work.axis[name] for name in node.input if name in work.axis}
    axis = found.pop()
    if found or axis == along:
        raise Unbatched("pictures on one axis, and another one to be joined")
    for k, name in enumerate(node.input):
        if name not in work.axis:  # the same for each picture, so there must be one for each
            if (shape := work.shape(name))[axis] != 1:
                raise Unbatched(f"one row of {name!r} for each picture, got {shape[axis]}")
            node.input[k] = work.graph.add("Expand", [name, work.target(shape, axis)], "for_each_picture")
    return axis


def _split(work: Batching, node: NodeProto) -> int:
    axis = _of(work, node.input[0])
    if attribute(node, "axis", 0) % len(work.shapes[node.input[0]]) == axis:
        raise Unbatched("pictures to stay together")
    return axis


def _slice(work: Batching, node: NodeProto) -> int:
    name = node.input[0]
    axis, starts, ends = _of(work, name), _known(work, node.input[1]), _known(work, node.input[2])
    axes = _axes(work, node, 3) or list(range(len(starts)))
    steps = _known(work, node.input[4]) if len(node.input) > 4 and node.input[4] else [1] * len(starts)
    if axis in axes:
        k = axes.index(axis)
        if starts[k] != 0 or steps[k] != 1 or work.shapes[node.output[0]][axis] != work.extent(name):
            raise Unbatched("pictures to stay together")
        ends[k] = np.iinfo(np.int64).max
        node.input[2] = work.graph.ints(ends, "ends")
        node.input[1] = work.graph.ints(starts, "starts")
    return axis


def _gather(work: Batching, node: NodeProto) -> int:
    if node.input[1] in work.axis:
        raise Unbatched("places that are constants")
    axis, rank = _of(work, node.input[0]), len(work.shapes[node.input[0]])
    along = attribute(node, "axis", 0) % rank
    if along == axis:
        if work.shape(node.input[1]) == () and work.extent(node.input[0]) == 1:
            return _regroup(work, node)  # the first of one: an axis less
        raise Unbatched("pictures to stay together")
    return axis if axis < along else axis + len(work.shape(node.input[1])) - 1


def _resize(work: Batching, node: NodeProto) -> int:
    axis, out = _of(work, node.input[0]), work.shapes[node.output[0]]
    if out[axis] != work.extent(node.input[0]) or attribute(node, "axes"):
        raise Unbatched("pictures to stay as many")
    if len(node.input) > 3 and node.input[3]:
        node.input[3] = work.target(out, axis)
    return axis


def _pad(work: Batching, node: NodeProto) -> int:
    axis, rank = _of(work, node.input[0]), len(work.shapes[node.input[0]])
    pads = _known(work, node.input[1])
    axes = _axes(work, node, 3) or list(range(rank))
    if axis in axes and (pads[axes.index(axis)] or pads[len(axes) + axes.index(axis)]):
        raise Unbatched("no pictures to be added")
    return axis


def _expand(work: Batching, node: NodeProto) -> int:
    before, out = work.shapes[node.input[0]], work.shapes[node.output[0]]
    axis = _of(work, node.input[0]) + len(out) - len(before)
    if out[axis] != work.extent(node.input[0]):
        raise Unbatched("pictures to stay as many")
    node.input[1] = work.graph.ints([1 if k == axis else n for k, n in enumerate(out)], "shape")
    return axis


def _tile(work: Batching, node: NodeProto) -> int:
    axis = _of(work, node.input[0])
    if _known(work, node.input[1])[axis] != 1:
        raise Unbatched("pictures to stay as many")
    return axis


_RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(MAPS, _maps),
    **dict.fromkeys(REGROUPING, _regroup),
    **dict.fromkeys(REDUCING, _reduce),
    **dict.fromkeys(("LayerNormalization", "LogSoftmax", "RMSNormalization", "Softmax"), _within),
    "Concat": _concat, "Expand": _expand, "Gather": _gather, "Gemm": _gemm, "MatMul": _matmul, "Pad": _pad,
    "Resize": _resize, "Slice": _slice, "Split": _split, "Tile": _tile, "Transpose": _transpose,
}  # fmt: skip
