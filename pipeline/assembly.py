"""Make the nodes of a run: stages one after another, and lanes beside them for the sinks of a live graph."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.clock import Clock
from pipeline.errors import GraphError
from pipeline.graph import Graph, NodeSpec
from pipeline.ledger import Ledger
from pipeline.node import Context
from pipeline.running import RunningNode
from pipeline.settings import EngineConfig
from pipeline.sinks import SinkLane
from pipeline.stages import cut

MakeContext = Callable[[str], Context]
"""Makes what a node of that name is lent."""


def assemble(
    graph: Graph, context: MakeContext, settings: EngineConfig, live: bool, clock: Clock, ledger: Ledger
) -> tuple[list[list[RunningNode]], list[SinkLane]]:
    """Return the nodes by stage, and the lanes of the sinks; nothing is opened yet.

    The first stage is that of the source, which is read by a thread for each stream and is not in it. With a live
    stream in the run each sink has a lane; without, sinks stay in their stages, so that nothing outruns them.

    Raises:
        GraphError: a sink asks for what no lane can do.
    """
    wanted = frozenset(
        edge for spec in graph.nodes for port, edge in spec.inputs.items() if port not in spec.cls.reads_on_device
    )
    stages: list[list[RunningNode]] = []
    lanes: list[SinkLane] = []
    for specs in cut(graph):
        stage: list[RunningNode] = []
        for spec in specs:
            if spec is graph.source:
                continue
            running = RunningNode(spec, spec.cls(spec.config, context(spec.name)), wanted)
            if live and spec.ports.output is None:
                _check_policy(spec)
                room = settings.sink_queue if spec.cls.sink_policy == "keep" else settings.ticks_in_flight
                lanes.append(SinkLane(running, room, clock, ledger))
            else:
                stage.append(running)
        if stage or not stages:
            stages.append(stage)
    return stages, lanes


def _check_policy(spec: NodeSpec) -> None:
    if spec.cls.sink_policy == "keep" and spec.reads_pictures:
        raise GraphError(
            f"{spec.where}: expected a sink that may drop, because it reads pictures of live streams and they are not "
            f"kept on disk, got one that keeps; set sink_policy = 'drop' in {spec.type}"
        )
