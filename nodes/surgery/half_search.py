"""Find the nodes that must stay in single precision for a model in half precision to answer as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from onnx import ModelProto

from nodes.surgery.graph import Graph
from nodes.surgery.half import SINGLE_ONLY, to_half
from nodes.surgery.operators import MOVING
from pipeline.errors import ModelError

PARTS = 8
"""Parts into which the nodes are cut, in order, when no kind of operator alone is to blame."""
ROUNDS = 4
"""Islands that are tried one upon another."""


@dataclass(frozen=True)
class Half:
    """A model in half precision.

    Attributes:
        model: the model.
        islands: why nodes stayed in single precision, and how many those are.
        badness: how far it is from the model in single precision, in shares of what is allowed.
    """

    model: ModelProto
    islands: dict[str, int]
    badness: float


def half_with_islands(
    model: ModelProto, always: dict[str, Collection[str]], badness: Callable[[ModelProto], float]
) -> Half:
    """Turn a model into half precision with as few nodes in single precision as it takes.

    First with none but those given; where that is not good enough, the kind of operator or the part of the graph whose
    return to single precision helps most is added, up to `ROUNDS` times, and a part cut down to where the trouble is.

    Args:
        model: in single precision.
        always: names of nodes that stay so in any case, by reason.
        badness: how far a model is from the one in single precision; 1 is just good enough.

    Raises:
        ModelError: it does not become good enough.
    """
    single = {name for names in always.values() for name in names}
    islands = {reason: len(set(names)) for reason, names in always.items() if names}
    islands |= Counter(f"operator {node.op_type}" for node in Graph(model).nodes if node.op_type in SINGLE_ONLY)
    made = to_half(model, single)
    reached = badness(made)
    for _ in range(ROUNDS):
        if reached <= 1:
            return Half(made, islands, reached)
        tried = {
            reason: (badness(to_half(model, single | names)), names)
            for reason, names in _candidates(model, single).items()
        }
        reason, (best, names) = min(tried.items(), key=lambda item: (item[1][0], len(item[1][1])))
        if not best < reached:
            break
        if best <= 1:
            names = _cut_down(model, single, names, badness)
        single |= names
        islands[reason] = len(names)
        made = to_half(model, single)
        reached = badness(made)
    if reached <= 1:
        return Half(made, islands, reached)
    raise ModelError(
        f"half precision: expected answers as in single precision, got {reached:.1f} times the difference allowed, "
        f"with {islands} in single precision; use the variant `prepared`"
    )


def _candidates(model: ModelProto, single: set[str]) -> dict[str, set[str]]:
    nodes = [node for node in Graph(model).in_order() if node.name not in single and node.op_type not in SINGLE_ONLY]
    found: dict[str, set[str]] = {}
    for k, node in enumerate(nodes):
        if node.op_type not in MOVING:
            found.setdefault(f"operator {node.op_type}", set()).add(node.name)
        found.setdefault(f"part {PARTS * k // len(nodes) + 1} of {PARTS}", set()).add(node.name)
    return found


def _cut_down(model: ModelProto, single: set[str], names: set[str], badness: Callable[[ModelProto], float]) -> set[str]:
    """Halve a set of nodes as long as one of the halves does."""
    order = [node.name for node in Graph(model).in_order() if node.name in names]
    while len(order) > 1:
        middle = len(order) // 2
        halves = (order[:middle], order[middle:])
        order_now = next((h for h in halves if badness(to_half(model, single | set(h))) <= 1), None)
        if order_now is None:
            break
        order = order_now
    return set(order)
