"""Values that change while a graph runs: how a mark carries them, and what becomes of nodes and streams by it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.config import Block, validated
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.marks import Mark
from pipeline.streams import StreamConfig
from pipeline.urls import redact

M = TypeVar("M", bound=BaseModel)
WHERE = "changed values"
"""Place of what is wrong with values in a mark."""


@dataclass(frozen=True)
class Changes:
    """What a mark `configured` carries, as plain data."""

    streams: Mapping[str, Mapping[str, Any]]
    """All values of each stream that changed or is new; of its url, what may be told."""
    nodes: Mapping[str, Mapping[str, Any]]
    """Values of nodes that changed, by name and field."""

    def mark(self) -> Mark:
        """Return the mark that carries them; its stream is the one that they are all about, or none."""
        about = next(iter(self.streams)) if len(self.streams) == 1 and not self.nodes else ""
        content = {"streams": self.streams, "nodes": self.nodes}
        return Mark("configured", about, values=json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def configured(
    streams: Mapping[str, StreamConfig] | None = None, nodes: Mapping[str, Mapping[str, Any]] | None = None
) -> Mark:
    """Return a mark that tells of new values.

    Args:
        streams: all values of the streams that change, or that are added.
        nodes: values that change, by name of the node and field, as JSON has them.
    """
    told = {id: config.model_dump(mode="json") for id, config in (streams or {}).items()}
    for values in told.values():
        values["url"] = redact(values["url"])
    return Changes(told, nodes or {}).mark()


def changes_of(marks: Iterable[Mark]) -> list[Changes]:
    """Return what the marks of a tick change, in order.

    Raises:
        ConfigError: a mark holds something else.
    """
    return [_read(mark.values) for mark in marks if mark.kind == "configured"]


def changed(config: M, values: Mapping[str, Any], name: str) -> M:
    """Return a configuration with some other values, checked.

    Args:
        config: as it was.
        values: by field.
        name: dotted path of its block, for messages.

    Raises:
        ConfigError: they are wrong; one line for each.
    """
    problems: list[str] = []
    made = validated(type(config), Block(name, {**config.model_dump(), **values}, {(): WHERE}), problems)
    if made is None:
        raise ConfigError("\n".join(problems))
    return made


def with_values(graph: Graph, nodes: Mapping[str, Mapping[str, Any]]) -> Graph:
    """Return a graph whose nodes have other values; those that it lacks are left out.

    Raises:
        ConfigError: the values are wrong.
    """
    specs = [
        replace(spec, config=changed(spec.config, nodes[spec.name], spec.name)) if nodes.get(spec.name) else spec
        for spec in graph.nodes
    ]
    return replace(graph, nodes=tuple(specs))


def with_streams_of(known: Mapping[str, Stream], changes: Iterable[Changes]) -> dict[str, Stream]:
    """Return streams as they are after changes; one that was not known is a live one that is added.

    Addresses stay as they are: a mark does not have those with passwords.

    Raises:
        ConfigError: the values are wrong.
    """
    streams = dict(known)
    for id, values in ((id, values) for each in changes for id, values in each.streams.items()):
        old = streams.get(id)
        address = {"url": old.config.url} if old else {}
        problems: list[str] = []
        config = validated(StreamConfig, Block(f"streams.{id}", {**values, **address}, {(): WHERE}), problems)
        if config is None:
            raise ConfigError("\n".join(problems))
        streams[id] = replace(old, config=config) if old else Stream(id, config, live=True)
    return streams


def without_held(mark: Mark, held: Collection[tuple[str, ...]], known: Mapping[str, Stream]) -> Mark:
    """Return a mark that leaves alone what is held, as by an option given by hand.

    Args:
        mark: of any kind.
        held: `(node, field)`, `("streams", id, field)` and `("streams", id, "aois", name)`.
        known: the streams as they are.

    Raises:
        ConfigError: the mark holds something else.
    """
    if mark.kind != "configured" or not held:
        return mark
    changes = _read(mark.values)
    nodes = {
        name: {field: value for field, value in values.items() if (name, field) not in held}
        for name, values in changes.nodes.items()
    }
    streams = {
        id: _held_back(id, values, held, known[id].config.model_dump(mode="json")) if id in known else values
        for id, values in changes.streams.items()
    }
    return replace(mark, values=Changes(streams, nodes).mark().values)


def _held_back(
    id: str, values: Mapping[str, Any], held: Collection[tuple[str, ...]], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Return values of a stream with those in their place that are held."""
    made = {field: own[field] if ("streams", id, field) in held else value for field, value in values.items()}
    areas = {name: area for name, area in own["aois"].items() if ("streams", id, "aois", name) in held}
    told = made.get("aois")
    return {**made, "aois": {**told, **areas}} if areas and isinstance(told, dict) else made


@lru_cache(maxsize=4)
def _read(text: str) -> Changes:
    """Return what stands in a mark; every node asks for the same."""
    try:
        content = json.loads(text)
        streams, nodes = content["streams"], content["nodes"]
        if not all(isinstance(each, dict) for part in (streams, nodes) for each in [part, *part.values()]):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        problem = f"{WHERE}: expected streams and nodes with their values, got {text!r:.80}; record the run again"
        raise ConfigError(problem) from None
    return Changes(streams, nodes)
