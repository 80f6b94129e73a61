"""Files run in two passes: to the nodes that know better at the end of a file, and from there on with the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.errors import ConfigError, GraphError
from pipeline.feed import below_the_cut
from pipeline.frames import FrameBatch
from pipeline.graph import Graph
from pipeline.node import NodeConfig
from pipeline.replayable import ancestry
from pipeline.settings import EngineConfig


@dataclass(frozen=True)
class SecondPass:
    """A graph cut in two below the nodes whose output is revised when a file is known to its end."""

    revised: dict[str, str]
    """Those nodes, each with the switch that asks for it, in graph order."""
    above: tuple[str, ...]
    """Them and all that they depend on: what the first pass runs. The source is one of them."""
    edges: tuple[str, ...]
    """What the first pass writes down for the second: what is revised, and what else is read or recorded there."""

    @property
    def switches(self) -> str:
        """Return what asks for it: `tracks.offline`."""
        return ", ".join(f"{name}.{key}" for name, key in self.revised.items())

    @property
    def switched_off(self) -> str:
        """Return the option that does without: `--set tracks.offline=false`."""
        return " ".join(["--set", *(f"{name}.{key}=false" for name, key in self.revised.items())])

    def check(self, settings: EngineConfig) -> None:
        """Refuse settings that cannot be kept.

        Raises:
            ConfigError: frames are to be dropped where nodes fail: then the passes would not see the same frames.
        """
        if settings.on_error == "drop":
            raise ConfigError(
                "engine.on_error: expected auto or stop, because files are run in two passes that must see the same "
                f"frames, got 'drop'; leave it, or add {self.switched_off}"
            )


def second_pass(
    graph: Graph, replayed: Collection[str] = (), recorded: Collection[str] = ()
) -> SecondPass | None:  # fmt: skip
    """Return how a graph is run on files in two passes; None when no node that is run asks for it.

    Args:
        graph: a checked graph.
        replayed: edges that recordings stand in for: they are taken as they were recorded.
        recorded: edges that are to be recorded.

    Raises:
        GraphError: of two nodes that ask for it, one depends on the other.
    """
    run = below_the_cut(graph, replayed).nodes
    revised = {spec.name: key for spec in run if (key := switch(spec.config))}
    if not revised:
        return None
    for name, key in revised.items():
        upper = [other for other in ancestry(graph, [name]) if other in revised and other != name]
        if upper:
            raise GraphError(
                f"{graph.node(name).where}: expected a node that depends on no other one that is revised at the end of "
                f"a file, got {name!r}, which depends on {upper[0]!r}; add --set {name}.{key}=false"
            )
    above = ancestry(graph, revised)
    below = [spec for spec in run if spec.name not in above]
    wanted = {*revised, *recorded, *(edge for spec in below for edge in spec.inputs.values())}
    source = graph.source
    if source.ports.output is FrameBatch or not (
        source.name in recorded or any(graph.reads_values_of_source(spec) for spec in below)
    ):
        wanted.discard(source.name)  # frames are written down with every edge
    edges = [name for name in above if name in wanted and name not in replayed]
    return SecondPass(revised, tuple(above), tuple(edges))


def switch(config: NodeConfig) -> str | None:
    """Return the switch of a node's values that asks for a second pass; None where there is none or it is off."""
    for name, info in type(config).model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("second_pass") and getattr(config, name):
            return name
    return None
