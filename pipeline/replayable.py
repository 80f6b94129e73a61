"""Which part of a graph decides events without pictures, so that a recording can stand in for everything above it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.frames import FrameBatch
from pipeline.graph import Graph, NodeSpec


@dataclass(frozen=True)
class Replayable:
    """A graph cut in two: above, pictures are looked at; below, events are made of what was seen in them."""

    above: tuple[str, ...]
    """Nodes that read pictures and lead to event sinks, and all that these need; the source is one of them."""
    edges: tuple[str, ...]
    """What those above hand to those below, but not the frames of the source: these edges are recorded."""
    below: tuple[str, ...]
    """All other nodes that lead to event sinks, and the sinks. What draws, and what only that needs, is in no part."""


def replayable(graph: Graph) -> Replayable:
    """Return the two parts; all names are in graph order, and `below` is empty where no sink makes events."""
    wanted = ancestry(graph, (spec.name for spec in graph.nodes if _makes_events(graph, spec)))
    source = graph.source.name
    above = ancestry(graph, [source, *(name for name in wanted if graph.node(name).reads_pictures)])
    below = [name for name in wanted if name not in above]
    readers = [graph.node(name) for name in below]
    read = {edge for spec in readers for edge in spec.inputs.values()}
    if not any(graph.reads_values_of_source(spec) for spec in readers):
        read.discard(source)
    edges = [name for name in above if name in read]
    return Replayable(tuple(above), tuple(edges), tuple(below))


def ancestry(graph: Graph, names: Iterable[str]) -> list[str]:
    """Return nodes and all that they depend on, in graph order."""
    wanted = set(names)
    for spec in reversed(graph.nodes):
        if spec.name in wanted:
            wanted.update(spec.inputs.values())
    return [spec.name for spec in graph.nodes if spec.name in wanted]


def part(graph: Graph, names: Iterable[str]) -> Graph:
    """Return the graph of some of its nodes, which must include all that they depend on."""
    kept = set(names)
    return Graph(graph.path, tuple(spec for spec in graph.nodes if spec.name in kept))


def first(graph: Graph, edges: Iterable[str]) -> Graph:
    """Return the graph with some edges, and all that they depend on, before everything else.

    What stands below them then sees a tick only when all of them are made: frames that one of them drops are seen by
    none, as in a replay of these edges.
    """
    ahead = set(ancestry(graph, edges))
    return Graph(graph.path, tuple(sorted(graph.nodes, key=lambda spec: spec.name not in ahead)))


def _makes_events(graph: Graph, spec: NodeSpec) -> bool:
    """Tell whether a node is a sink that does not depend on pictures being drawn."""
    if spec.ports.output is not None or spec.reads_pictures:
        return False
    return not any(_draws(graph.node(edge)) for edge in spec.inputs.values())


def _draws(spec: NodeSpec) -> bool:
    kind = spec.ports.output
    return spec.reads_pictures and kind is not None and issubclass(kind, FrameBatch)
