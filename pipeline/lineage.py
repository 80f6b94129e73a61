"""Where a value comes from: the graph, the models and the configuration that made it, in a few words to print in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.cards import load_card, no_file
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.node import NodeConfig
from pipeline.replayable import ancestry, part
from pipeline.streams import StreamConfig

DIGITS = 12
"""Hexadecimal digits of a checksum that are told: enough to find the file, few enough to read."""
LEFT_OUT = {"url", "start_time", "max_fps", "when_full", "max_age_ms", "realtime"}
"""Values of a stream that say where its frames come from and which are let in, not what is made of them."""
MOST_TOLD = 256
"""Streams for which it is remembered where their values come from."""

Model = tuple[str, str]
"""Name and checksum of a model, as they stand in values."""


class Origin(NamedTuple):
    """What made the values of one stream on an edge."""

    graph: str
    """Name of the graph file without its suffix."""
    models: Mapping[str, str]
    """`sha256:<12 digits>` of each model's file, by the name of its card."""
    config: str
    """12 digits that change with any value of a node or of the stream that decides on what is made."""


@dataclass(frozen=True)
class Lineage:
    """What made the values of one edge: the node they come from and all nodes above it.

    It is that of the whole graph, also where a recording stands in for some of its nodes.
    """

    graph: str
    models: Mapping[str, str]
    nodes: str = field(repr=False)
    """Names, types, edges and values of the nodes, as canonical JSON."""
    _told: dict[str, tuple[StreamConfig, Origin]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def origins(self, streams: Mapping[str, Stream]) -> dict[str, Origin]:
        """Return, by id, where the values of streams come from; worked out anew only when a stream's values change."""
        if len(self._told) > MOST_TOLD:  # streams come and go for months
            self._told.clear()
        for id, stream in streams.items():
            if id not in self._told or self._told[id][0] is not stream.config:
                self._told[id] = stream.config, Origin(self.graph, self.models, self.config_of(stream))
        return {id: self._told[id][1] for id in streams}

    def config_of(self, stream: Stream) -> str:
        """Return 12 digits that change with any value of a node or of the stream that decides on what is made."""
        values = stream.config.model_dump(mode="json", exclude=LEFT_OUT)
        return hashlib.sha256(f"{self.nodes}\n{_canonical(values)}".encode()).hexdigest()[:DIGITS]


def lineage_of(graph: Graph, edge: str, root: Path, known: dict[str, Model] | None = None) -> Lineage:
    """Return where the values of an edge come from.

    Args:
        graph: the whole graph.
        edge: name of the node that makes them.
        root: the checkout, where model cards are found.
        known: models by card, which are not looked for: a recording was made with them, or they were found before.
            Those that are found are added: files are read once, however often values change.

    Raises:
        GraphError: there is no such node.
        ConfigError: the card or the file of a model is missing or wrong.
    """
    specs = part(graph, ancestry(graph, [graph.node(edge).name])).nodes
    found = [card for spec in specs for card in cards(spec.config)]
    known = {} if known is None else known
    for card in found:
        if card not in known:
            known[card] = _model(card, root)
    models = dict(known[card] for card in found)
    nodes = [[spec.name, spec.type, spec.inputs, spec.config.model_dump(mode="json")] for spec in specs]
    return Lineage(Path(graph.path).stem, models, _canonical(nodes))


def models_of(graph: Graph, root: Path) -> dict[str, Model]:
    """Return all models that the nodes of a graph name, by card.

    Raises:
        ConfigError: the card or the file of a model is missing or wrong.
    """
    return {card: _model(card, root) for spec in graph.nodes for card in cards(spec.config)}


def cards(config: NodeConfig) -> list[str]:
    """Return the model cards that a node's values name: fields made with `json_schema_extra={"card": True}`."""
    found: list[str] = []
    for name, info in type(config).model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("card") and (named := getattr(config, name)):
            found += named if isinstance(named, tuple) else [str(named)]
    return found


def _model(card: str, root: Path) -> Model:
    found, path = load_card(card, root)
    checksum = found.sha256  # the file is held to it when the model is opened
    if checksum is None:
        try:
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(no_file(found, path)) from error
    return found.name, f"sha256:{checksum[:DIGITS]}"


def _canonical(plain: object) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))
