"""Put the taken branch in the place of each If that asks about shapes alone; exporters make such of `squeeze`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from nodes.surgery.graph import Array
from nodes.surgery.probing import open_engine, run
from pipeline.errors import ModelError

_ROUNDS = 100
"""Branches within branches and one behind another: more are not unfolded."""


def take_branches(model: ModelProto, trials: Sequence[Mapping[str, Array]]) -> ModelProto:
    """Return a model without If nodes.

    Args:
        model: stays as it is.
        trials: inputs of all the sizes for which the answers must be the same.

    Raises:
        ModelError: a condition depends on values, or its answer on the sizes of the trials.
    """
    made = ModelProto()
    made.CopyFrom(model)
    for _ in range(_ROUNDS):
        asked = [node for node in made.graph.node if node.op_type == "If"]
        if not asked:
            return made
        first = asked[0]  # those below may depend on what it makes
        _unfold(made.graph, first, _answer(made, first, trials))
    raise ModelError(f"conditions: expected at most {_ROUNDS}, got more; simplify the file first (onnxsim)")


def _answer(model: ModelProto, node: NodeProto, trials: Sequence[Mapping[str, Array]]) -> bool:
    condition = node.input[0]
    _check_asks_shapes(model.graph, condition)
    probe = ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.append(helper.make_tensor_value_info(condition, TensorProto.BOOL, None))
    engine = open_engine(probe)
    answers = {bool(run(engine, [condition], trial)[0].item()) for trial in trials}
    if len(answers) != 1:
        raise ModelError(f"node {node.name!r}: expected a condition with one answer, got one that depends on sizes")
    return answers.pop()


def _check_asks_shapes(graph: GraphProto, condition: str) -> None:
    made_by = {name: node for node in graph.node for name in node.output}
    given = {item.name for item in graph.input} - {item.name for item in graph.initializer}
    stack, seen = [condition], set()
    while stack:
        name = stack.pop()
        node = made_by.get(name)
        if name in given or (node is not None and node.op_type in ("If", "Loop", "Scan")):
            raise ModelError(f"condition {condition!r}: expected one that asks about shapes, got one about {name!r}")
        if node is not None and name not in seen and node.op_type not in ("Shape", "Size"):
            stack += node.input
        seen.add(name)


def _unfold(graph: GraphProto, node: NodeProto, answer: bool) -> None:
    branch = next(item.g for item in node.attribute if item.name == ("then_branch" if answer else "else_branch"))
    own = {name for inner in branch.node for name in inner.output} | {item.name for item in branch.initializer}
    renamed = {name: f"{node.output[0]}/{name}" for name in own}
    inside = []
    for inner in branch.node:
        copy = NodeProto()
        copy.CopyFrom(inner)
        copy.input[:] = [renamed.get(name, name) for name in inner.input]
        copy.output[:] = [renamed.get(name, name) for name in inner.output]
        inside.append(copy)
    if any(item.HasField("g") for inner in inside for item in inner.attribute):
        raise ModelError(f"node {node.name!r}: expected no branches within branches; simplify the file first (onnxsim)")
    for item in branch.initializer:
        graph.initializer.add().CopyFrom(item)
        graph.initializer[-1].name = renamed[item.name]
    for made, inner in zip(node.output, branch.output, strict=True):
        inside.append(helper.make_node("Identity", [renamed.get(inner.name, inner.name)], [made]))
    place = list(graph.node).index(node)
    nodes = [*graph.node[:place], *inside, *graph.node[place + 1 :]]
    del graph.node[:]
    graph.node.extend(nodes)
