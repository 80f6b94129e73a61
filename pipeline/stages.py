"""Cut a graph into stages: runs of neighbouring nodes on one thread each."""

from __future__ import annotations

from pipeline.graph import Graph, NodeSpec
from pipeline.node import Source


def cut(graph: Graph) -> list[list[NodeSpec]]:
    """Return the nodes in data order, grouped by stage.

    A source, a node that opens a Session, and an encoder each begin a stage; the nodes after them ride along. The
    graph may say otherwise for a node: `stage: new` or `stage: same`.
    """
    stages: list[list[NodeSpec]] = []
    for spec in graph.nodes:
        begins = issubclass(spec.cls, Source) or spec.begins_stage if spec.stage == "auto" else spec.stage == "new"
        if begins or not stages:
            stages.append([])
        stages[-1].append(spec)
    return stages
