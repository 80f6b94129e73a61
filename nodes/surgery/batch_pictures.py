"""Let the heads of many pictures go through a gaze model in one call, with one pass of the backbone per picture."""

from __future__ import annotations

from onnx import NodeProto, TensorProto

from nodes.surgery.batch_rules import Batching, Unbatched
from nodes.surgery.graph import Graph
from nodes.surgery.joins import TWO_HEADS, Joining
from nodes.surgery.probing import Shapes, dull_inputs, shapes_of
from nodes.surgery.sides import Side, fold, sides
from pipeline.errors import ModelError

PICTURE_ROW = "image_row"


def batch_pictures(graph: Graph, picture: str, boxes: str) -> None:
    """Make the number of pictures free, and add an input that says which picture each head is in.

    Found by structure, not by names: what depends on the picture alone is followed operator by operator, and the
    constants in which its one picture is baked are rewritten; where it meets what depends on the boxes, a Gather by
    `image_row` takes the place of the repetition for the heads. What comes behind has the heads on an axis already.

    Args:
        graph: changed in place: the picture becomes [B, ...], the boxes [heads, 4], `image_row` int64 [heads] is added.
        picture: name of the input [1, C, H, W].
        boxes: name of the input [1, heads, 4].

    Raises:
        ModelError: the file has another structure; says what was expected and found, and where.
    """
    size = _checked_inputs(graph, picture, boxes)
    two, three = ({picture: size, boxes: (1, heads, 4)} for heads in (TWO_HEADS, TWO_HEADS + 1))
    found = sides(graph, {picture: Side.PICTURE, boxes: Side.BOXES})
    if alone := [name for name in graph.outputs if not found[name] & Side.BOXES]:
        raise ModelError(f"outputs {alone}: expected all to depend on the boxes, got some that do not")
    fold(graph, found, two)
    shapes, more = (shapes_of(graph, dull_inputs(graph, given)) for given in (two, three))
    _drop_idle_expands(graph, shapes, more)
    heads = {name: _differing(shape, more[name]) for name, shape in shapes.items()}
    order = [node for node in graph.in_order() if found[node.output[0]] & Side.PICTURE]
    extents = graph.add("Shape", [picture], "pictures_shape")
    count = graph.add("Gather", [extents, graph.ints([0], "first")], "pictures_count", axis=0)
    work = Batching(graph, shapes, count)
    work.axis[picture] = 0
    join = Joining(work, shapes, heads, PICTURE_ROW)
    for node in order:
        try:
            if found[node.output[0]] is Side.PICTURE:
                work.follow(node)
            elif any(found.get(name) is Side.PICTURE for name in node.input):
                join.join(node)
        except Unbatched as why:
            raise _refused(node, why, shapes) from why
    graph.set_input(picture, ("B", *size[1:]), graph.declared(picture)[1])
    graph.set_input(boxes, ("heads", 4), TensorProto.FLOAT)
    graph.set_input(PICTURE_ROW, ("heads",), TensorProto.INT64)
    wide = graph.fresh("boxes_of_one")
    graph.redirect(boxes, wide)
    graph.add("Reshape", [boxes, graph.ints((1, -1, 4), "shape")], "boxes", output=wide)
    graph.prune()


def _checked_inputs(graph: Graph, picture: str, boxes: str) -> tuple[int, ...]:
    if sorted(graph.inputs) != sorted((picture, boxes)):
        raise ModelError(f"inputs: expected {picture!r} and {boxes!r}, got {list(graph.inputs)}")
    size, _ = graph.declared(picture)
    wanted = "[1, 3, height, width] with numbers alone"
    if len(size) != 4 or size[0] != 1 or not all(isinstance(n, int) and n > 0 for n in size):
        raise ModelError(f"input {picture!r}: expected {wanted}, got {list(size)}")
    shape, dtype = graph.declared(boxes)
    if len(shape) != 3 or shape[0] != 1 or shape[2] != 4 or dtype != TensorProto.FLOAT:
        raise ModelError(f"input {boxes!r}: expected float32 [1, heads, 4], got {list(shape)}")
    if isinstance(shape[1], int):
        raise ModelError(
            f"input {boxes!r}: expected any number of heads, got a file made for {shape[1]}; take the file whose name "
            "ends in 1xNx4"
        )
    return tuple(n for n in size if isinstance(n, int))


def _drop_idle_expands(graph: Graph, *runs: Shapes) -> None:
    """Take out what repeats nothing, whatever the number of heads; exporters leave such in front of a Tile."""
    for node in [node for node in graph.nodes if node.op_type == "Expand"]:
        if node.input[0] in runs[0] and all(shapes[node.input[0]] == shapes[node.output[0]] for shapes in runs):
            graph.redirect(node.output[0], node.input[0])
            graph.remove(node)


def _differing(one: tuple[int, ...], two: tuple[int, ...]) -> int | None:
    axes = [k for k, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    return axes[0] if len(axes) == 1 else None


def _refused(node: NodeProto, why: Unbatched, shapes: Shapes) -> ModelError:
    inputs = ", ".join(f"{list(shapes[name])}" for name in node.input if name in shapes)
    return ModelError(
        f"node {node.name!r}: expected {why}, got {node.op_type} of {inputs}; pictures cannot be told apart behind it, "
        "so this file cannot take several"
    )
