"""Find the nodes that must stay in single precision for a model in half precision to answer as before."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from onnx import ModelProto

from nodes.surgery.graph import Graph
from nodes.surgery.half import SINGLE_ONLY, rounded_to_half, to_half
from nodes.surgery.operators import MOVING
from pipeline.errors import ModelError

logger = logging.getLogger(__name__)

ROUNDS = 4
"""Islands that are tried one upon another."""


@dataclass(frozen=True)
class Half:
    """A model in half precision.

    Attributes:
        model: the model.
        rounded: one that shows its answers on any machine: in single precision, rounded where it rounds.
        islands: why nodes stayed in single precision, and how many those are.
        badness: how far it is from the model in single precision, in shares of what is allowed.
    """

    model: ModelProto
    rounded: ModelProto
    islands: dict[str, int]
    badness: float


def half_with_islands(
    model: ModelProto, always: dict[str, Collection[str]], badness: Callable[[ModelProto], float]
) -> Half:
    """Turn a model into half precision with as few nodes in single precision as it takes.

    First with none but those given. Where that is not good enough, the kind of operator or the half of the graph whose
    return to single precision does, or helps most, is added, up to `ROUNDS` times; what does is cut down to the nodes
    that matter.

    Args:
        model: in single precision.
        always: names of nodes that stay so in any case, by reason.
        badness: how far a model, with values rounded to half precision, is from the one in single precision; 1 is just
            good enough.

    Raises:
        ModelError: it does not become good enough.
    """
    single = {name for names in always.values() for name in names}
    islands = {reason: len(set(names)) for reason, names in always.items() if names}
    islands |= Counter(f"operator {node.op_type}" for node in Graph(model).nodes if node.op_type in SINGLE_ONLY)
    rounded = rounded_to_half(model, single)
    reached = badness(rounded)
    for _ in range(ROUNDS):
        if reached <= 1:
            break
        logger.info("half precision: %.1f times the difference allowed; looking for nodes to leave out of it", reached)
        best, reason, names = _first_that_does(model, single, badness)
        if not best < reached:
            break
        if best <= 1:
            names = _cut_down(model, single, names, badness)
        single |= names
        islands[f"{reason}: {_span(model, names)}"] = len(names)
        rounded = rounded_to_half(model, single)
        reached = badness(rounded)
    if reached <= 1:
        return Half(to_half(model, single), rounded, islands, reached)
    raise ModelError(
        f"half precision: expected answers as in single precision, got {reached:.1f} times the difference allowed, "
        f"with {islands} in single precision; use the variant `prepared`"
    )


def _first_that_does(
    model: ModelProto, single: set[str], badness: Callable[[ModelProto], float]
) -> tuple[float, str, set[str]]:
    """Return badness, name and nodes of the smallest candidate that is good enough, else of the best."""
    best: tuple[float, str, set[str]] = (float("inf"), "", set())
    candidates = sorted(_candidates(model, single).items(), key=lambda item: len(item[1]))
    for number, (reason, names) in enumerate(candidates, start=1):
        found = badness(rounded_to_half(model, single | names))
        logger.info("without %s: %.1f times (%d of %d tried)", reason, found, number, len(candidates))
        if found < best[0]:
            best = found, reason, names
        if found <= 1:
            break
    return best


def _candidates(model: ModelProto, single: set[str]) -> dict[str, set[str]]:
    """Return what may be to blame: each kind of operator that computes, and the first, middle and last half of all."""
    nodes = [node for node in Graph(model).in_order() if node.name not in single and node.op_type not in SINGLE_ONLY]
    found: dict[str, set[str]] = {}
    for node in nodes:
        if node.op_type not in MOVING:
            found.setdefault(f"operator {node.op_type}", set()).add(node.name)
    parts = zip(("first half", "middle half", "last half"), _halves([node.name for node in nodes]), strict=True)
    return found | {part: set(names) for part, names in parts}


def _halves(names: list[str]) -> list[list[str]]:
    quarter, half = len(names) // 4, (len(names) + 1) // 2
    return [names[:half], names[quarter : quarter + half], names[-half:]]


def _cut_down(model: ModelProto, single: set[str], names: set[str], badness: Callable[[ModelProto], float]) -> set[str]:
    """Halve a set of nodes as long as one of its halves does."""
    order = [node.name for node in Graph(model).in_order() if node.name in names]
    while len(order) > 1:
        logger.info("half precision: good enough without %d nodes; trying fewer", len(order))
        halves = [half for half in _halves(order) if len(half) < len(order)]
        smaller = next((half for half in halves if badness(rounded_to_half(model, single | set(half))) <= 1), None)
        if smaller is None:
            break
        order = smaller
    return set(order)


def _span(model: ModelProto, names: set[str]) -> str:
    order = [node.name for node in Graph(model).in_order() if node.name in names]
    return order[0] if len(order) == 1 else f"{order[0]} to {order[-1]}"
