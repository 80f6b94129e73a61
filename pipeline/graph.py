"""Read a graph and check it against the ports of its nodes, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.config import Block, RunConfig, shown, validated
from pipeline.errors import ConfigError, GraphError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig, Source
from pipeline.ports import Ports, config_of, ports_of
from pipeline.suggest import did_you_mean
from pipeline.yaml_source import Document, read_yaml

NODE_NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("engine", "streams")
ROOT = Path(__file__).resolve().parents[1]
Stage = Literal["auto", "new", "same"]
NodeClass = type[Node[Any]]
Resolve = Callable[[str], NodeClass]


@dataclass(frozen=True)
class NodeSpec:
    """One node of a checked graph."""

    name: str
    type: str
    cls: NodeClass
    config: NodeConfig
    inputs: dict[str, str]
    """Edge by port; an edge is called after the node it comes from. Optional ports may be absent."""
    stage: Stage
    """`new` begins a stage (a thread) here, `same` stays in that of the node above, `auto` lets the class say."""
    where: str
    """`file:line` of its declaration."""

    @property
    def ports(self) -> Ports:
        """Return the inputs and the output of its class."""
        return ports_of(self.cls)

    @property
    def begins_stage(self) -> bool:
        """Tell whether it is heavy enough for a thread of its own, with the values it is given."""
        return self.cls.begins_stage and not self.cls.without_model(self.config)

    @property
    def reads_pictures(self) -> bool:
        """Tell whether it looks at pixels, with the values it is given."""
        return self.cls.reads_pictures and not self.cls.without_model(self.config)


@dataclass(frozen=True)
class Graph:
    """Nodes in data order: each reads only from nodes before it, and exactly one is a source."""

    path: str
    nodes: tuple[NodeSpec, ...]

    @property
    def source(self) -> NodeSpec:
        """Return the one node that reads streams."""
        return next(spec for spec in self.nodes if issubclass(spec.cls, Source))

    def node(self, name: str) -> NodeSpec:
        """Return the node called `name`.

        Raises:
            GraphError: there is none; suggests one.
        """
        for spec in self.nodes:
            if spec.name == name:
                return spec
        raise GraphError(f"{self.path}: no node {name!r}{did_you_mean(name, [s.name for s in self.nodes], 'nodes')}")

    def reads_values_of_source(self, spec: NodeSpec) -> bool:
        """Tell whether a node reads values of the source's own, and not just its frames."""
        ports = [port for port, edge in spec.inputs.items() if edge == self.source.name]
        return any(spec.ports.inputs[port].kind is not FrameBatch for port in ports)

    def consumers(self, name: str) -> tuple[NodeSpec, ...]:
        """Return the nodes that read the edge `name`, in graph order."""
        return tuple(spec for spec in self.nodes if name in spec.inputs.values())


def load_graph(
    path: Path, config: RunConfig, resolve: Resolve, *, also: Iterable[str] = (), root: Path = ROOT
) -> Graph:
    """Read a graph and check everything that can be known without running it.

    Args:
        path: YAML, one `name: {type: ..., in: {port: edge}, stage: new|same}` for each node, in data order.
        config: gives each node its values; a block that no node of the graph has is an error.
        resolve: finds the class of a node type.
        also: problems found before, shown together with those found here.
        root: the folder that model cards are looked for in.

    Raises:
        GraphError: one line for each problem of the graph file, and of the configuration.
        ConfigError: the same, when only the configuration is wrong.
    """
    return graph_from(read_yaml(path), str(path), config, resolve, also=also, root=root)


def graph_from(
    document: Document, path: str, config: RunConfig, resolve: Resolve, *, also: Iterable[str] = (), root: Path | None
) -> Graph:
    """Do what `load_graph` does with a graph that was read already.

    Args:
        document: the graph.
        path: what it is called.
        config: as for `load_graph`.
        resolve: as for `load_graph`.
        also: as for `load_graph`.
        root: the folder that model cards are looked for in; None: files that values name may be gone.

    Raises:
        GraphError: one line for each problem of the graph, and of the configuration.
        ConfigError: the same, when only the configuration is wrong.
    """
    if not isinstance(document.data, dict) or not document.data:
        raise GraphError(f"{path}: expected nodes such as 'frames: {{type: decode_video}}', got {shown(document.data)}")
    reader = _Reader(document, config, resolve, root)
    for name, entry in document.data.items():
        reader.read(name, entry)
    reader.check_whole()
    if reader.graph_problems or document.problems:
        raise GraphError("\n".join([*document.problems, *reader.graph_problems, *also, *reader.config_problems]))
    if reader.config_problems or also:
        raise ConfigError("\n".join([*also, *reader.config_problems]))
    return Graph(path, tuple(reader.specs))


@dataclass
class _Reader:
    document: Document
    config: RunConfig
    resolve: Resolve
    root: Path | None
    specs: list[NodeSpec] = field(default_factory=list)
    outputs: dict[str, type[Any] | None] = field(default_factory=dict)
    """What the nodes above put out; `object` where a broken declaration leaves it unknown."""
    sources: dict[str, type[Source[Any]]] = field(default_factory=dict)
    """By name; a second one is an error."""
    graph_problems: list[str] = field(default_factory=list)
    config_problems: list[str] = field(default_factory=list)

    def read(self, name: str, entry: Any) -> None:
        """Check one declaration and, when nothing is wrong with it, keep it."""
        before = len(self.graph_problems)
        cls, ports = self._class_of(name, entry)
        inputs = entry.get("in") if isinstance(entry, dict) else None
        if cls and ports:
            self._check_inputs(name, entry["type"], ports, inputs)
            if issubclass(cls, Source):
                self._note_source(name, cls)
        self.outputs[name] = ports.output if ports else object
        if not cls:
            return
        config = self._config_of(name, cls)
        if config and len(self.graph_problems) == before:
            where, stage = self.document.where(name), entry.get("stage", "auto")
            spec = NodeSpec(name, entry["type"], cls, config, dict(inputs or {}), stage, where)
            if spec.reads_pictures:
                self._check_pictures(spec)
            self._check_in_place_of_model(spec)
            self.specs.append(spec)

    def check_whole(self) -> None:
        """Check what no single declaration shows."""
        declared = list(self.document.data)
        if not self.sources and object not in self.outputs.values():
            self._graph_problem((), "expected one source, got none; begin with 'frames: {type: decode_video}'")
        for name, block in self.config.nodes.items():
            if name not in declared:
                hint = did_you_mean(name, declared, "nodes")
                self.config_problems.append(block.complaint((), f"{self.document.where()} has no such node{hint}"))

    def _class_of(self, name: str, entry: Any) -> tuple[NodeClass, Ports] | tuple[None, None]:
        if not NODE_NAME.fullmatch(name) or name in RESERVED:
            wanted = f"a name of a-z, 0-9 and _ that begins with a letter and is not {' or '.join(RESERVED)}"
            self._graph_problem((name,), f"expected {wanted}, got {name!r}; rename it")
        if not isinstance(entry, dict):
            self._graph_problem((name,), f"expected {{type: ..., in: {{port: node}}}}, got {shown(entry)}")
            return None, None
        for key in entry:
            if key not in ("type", "in", "stage"):
                hint = did_you_mean(key, ("type", "in", "stage"), "keys")
                self._graph_problem((name, key), f"unknown key{hint}; values of a node stand in the configuration")
        if entry.get("stage", "auto") not in ("auto", "new", "same"):
            self._graph_problem((name, "stage"), f"expected 'new' or 'same', got {shown(entry['stage'])}")
        if not isinstance(entry.get("type"), str):
            self._graph_problem((name, "type"), f"expected a file name in nodes/, got {shown(entry.get('type'))}")
            return None, None
        try:
            cls = self.resolve(entry["type"])
            return cls, ports_of(cls)
        except (GraphError, TypeError) as exc:
            self._graph_problem((name, "type"), str(exc))
            return None, None

    def _check_inputs(self, name: str, type_name: str, ports: Ports, inputs: Any) -> None:
        if not isinstance(inputs, dict | None):
            self._graph_problem((name, "in"), f"expected {{port: node}}, got {shown(inputs)}")
            return
        given = inputs or {}
        for port, edge in given.items():
            if port not in ports.inputs:
                hint = did_you_mean(port, ports.inputs, "inputs")
                self._graph_problem((name, "in", port), f"{type_name} has no input {port!r}{hint}")
            else:
                self._check_edge((name, "in", port), ports.inputs[port].kind, edge)
        for port, wanted in ports.inputs.items():
            if port not in given and not wanted.optional:
                self._no_edge(name, port, wanted.kind)

    def _check_edge(self, keys: tuple[str, ...], wanted: type[Any], edge: Any) -> None:
        if not isinstance(edge, str):
            self._graph_problem(keys, f"expected the name of a node, got {shown(edge)}")
        elif edge not in self.outputs and edge in self.document.data:
            below = "itself" if edge == keys[0] else f"{edge!r}, but it is declared below; move it up"
            self._graph_problem(keys, f"reads {below}")
        elif edge not in self.outputs:
            self._graph_problem(keys, f"no node {edge!r}{did_you_mean(edge, self.outputs, 'nodes above')}")
        else:
            got = self.outputs[edge]
            if got is None:
                self._graph_problem(keys, f"expected {wanted.__name__}, got nothing: {edge!r} is a sink")
            elif got is not object and not self._makes(edge, wanted):
                self._graph_problem(keys, f"expected {wanted.__name__}, got {got.__name__} from {edge!r}")

    def _makes(self, edge: str, kind: type[Any]) -> bool:
        """Tell whether a node above puts out what a port takes; every source puts out frames, too."""
        made = self.outputs[edge]
        return made is not None and (issubclass(made, kind) or (edge in self.sources and kind is FrameBatch))

    def _check_pictures(self, spec: NodeSpec) -> None:
        """Complain of a node that looks at pixels and has none: not connected, or not in the source of all frames."""
        ports = [port for port, wanted in spec.ports.inputs.items() if wanted.kind is FrameBatch]
        given = [port for port in ports if port in spec.inputs]
        if not given:
            for port in ports:
                self._no_edge(spec.name, port, FrameBatch, "; with the values it is given, it looks at pictures")
        blind = next((source for source, cls in self.sources.items() if not cls.gives_pictures), None)
        for port in given if blind else ():
            problem = f"expected frames with pictures, got those of {blind!r}, which have none"
            cure = f"remove {spec.name!r}, or begin with a source that gives pictures, such as decode_video"
            self._graph_problem((spec.name, "in", port), f"{problem}; {cure}")

    def _check_in_place_of_model(self, spec: NodeSpec) -> None:
        """Complain of a node that has both a model and what stands in for it, or neither."""
        port = spec.cls.in_place_of_model
        without = spec.cls.without_model(spec.config)
        if port and without and port not in spec.inputs:
            self._no_edge(spec.name, port, spec.ports.inputs[port].kind, "; its values leave out the model")
        elif port and not without and port in spec.inputs:
            cure = f"write {spec.name}: {{model: null}} in the configuration, or remove the edge"
            problem = f"expected no edge for input {port!r} beside a model, got {spec.inputs[port]!r}; {cure}"
            self._graph_problem((spec.name, "in", port), problem)

    def _no_edge(self, name: str, port: str, wanted: type[Any], why: str = "") -> None:
        makers = [edge for edge in self.outputs if edge != name and self._makes(edge, wanted)]
        cure = f"add {{{port}: {makers[-1]}}}" if makers else f"declare a node that makes {wanted.__name__} above"
        problem = f"expected an edge for input {port!r} ({wanted.__name__}), got none{why}; {cure}"
        self._graph_problem((name, "in"), problem)

    def _note_source(self, name: str, cls: type[Source[Any]]) -> None:
        self.sources[name] = cls
        if len(self.sources) == 2:
            first = next(iter(self.sources))
            cure = "remove one; several streams are listed in the configuration"
            self._graph_problem((name,), f"expected one source, got a second beside {first!r}; {cure}")

    def _config_of(self, name: str, cls: NodeClass) -> NodeConfig | None:
        block = self.config.nodes.get(name, Block(name, {}, {(): self.config.path}))
        try:
            model = config_of(cls)
        except TypeError as exc:
            self._graph_problem((name, "type"), str(exc))
            return None
        config = validated(model, block, self.config_problems)
        if config and self.root:
            found = config.problems(self.root).items()
            self.config_problems += [block.complaint((key,), problem) for key, told in found for problem in told]
        return config

    def _graph_problem(self, keys: tuple[str, ...], problem: str) -> None:
        dotted = f"{'.'.join(keys)}: " if keys else ""
        self.graph_problems.append(f"{self.document.where(*keys)}: {dotted}{problem}")
