"""Everything about a run that can be known, and be wrong, before its first frame."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from cli.fetch_first import cards_to_open, check_offline, to_be_fetched
from cli.manifest import LIVE
from cli.program import ROOT
from cli.sources import named_sources, streams_to_run
from nodes import resolve
from pipeline.backends.acceleration import acceleration
from pipeline.config import RunConfig, read_config
from pipeline.device import Device, open_device
from pipeline.errors import ConfigError, GraphError
from pipeline.frames import Stream
from pipeline.graph import Graph, NodeSpec, load_graph
from pipeline.lineage import Model
from pipeline.node import Source
from pipeline.replayable import replayable
from pipeline.second_pass import SecondPass, second_pass
from pipeline.stages import cut
from pipeline.urls import redact


@dataclass(frozen=True)
class Plan:
    """A checked run."""

    graph: Graph
    config: RunConfig
    streams: list[Stream]
    device: Device
    out: Path
    record: dict[str, Path]
    replay: dict[str, Path]
    max_frames: int | None
    recording: Path | None = None
    """Where the whole run is recorded; its edges are in `record`, too."""
    second_pass: SecondPass | None = None
    """How files are run in two passes; None where nothing asks for that."""
    models: dict[str, Model] | None = None
    """Those of a recording that is replayed."""
    held: frozenset[tuple[str, ...]] = frozenset()
    """Values that stay as they are where those of the recorded run changed."""
    offline: bool = False
    """Whether an option says that nothing is to be fetched."""

    @property
    def cards(self) -> list[str]:
        """The model cards that the nodes name that are run."""
        return cards_to_open(self.graph, self.replay)


def read_written(args: argparse.Namespace) -> tuple[Graph, RunConfig, list[Stream]]:
    """Read graph and configuration as they are written now, and with them the options given by hand.

    Returns:
        The graph, its configuration, and the streams to run.

    Raises:
        PipelineError: something is wrong; says all that is wrong with graph and configuration at once.
    """
    sources = named_sources(args.source)
    given = {"device": args.device, "backend": args.backend, "precision": args.precision}
    sets = [*args.sets, *(f"engine.{name}={value}" for name, value in given.items() if value)]
    config, problems = read_config(_config_path(args.graph, args.config), sets, sources)
    graph = load_graph(args.graph, config, resolve, also=problems, root=ROOT)
    source = graph.source.cls
    assert issubclass(source, Source)
    return graph, config, streams_to_run(config, source.is_live, ROOT, may_be_gone=bool(args.replay))


def make_plan(args: argparse.Namespace) -> Plan:
    """Read and check all that the options name.

    Raises:
        PipelineError: something is wrong; says all that is wrong with graph and configuration at once.
    """
    graph, config, streams = read_written(args)
    record, recording = _recorded(args.record, graph, bool(args.replay))
    if record and any(one.live for one in streams) and any(one.id == LIVE and not one.live for one in streams):
        raise ConfigError(
            f"streams.{LIVE}: expected another name for a file that is recorded beside live streams, because their "
            "recording is called so; rename it"
        )
    replay = _edges("--replay", args.replay, graph)
    passes = second_pass(graph, replay, record)
    if passes and not all(one.live for one in streams):
        passes.check(config.engine)
    check_offline(cards_to_open(graph, replay), args.offline)
    device = open_device(config.engine.device)
    acceleration(config.engine, device, live=False)  # said now, not when models are opened
    return Plan(
        graph=graph,
        config=config,
        streams=streams,
        device=device,
        out=args.out or Path("out") / args.graph.stem,
        record=record,
        replay=replay,
        max_frames=args.max_frames,
        recording=recording,
        second_pass=passes,
        offline=args.offline,
    )


def describe(plan: Plan) -> str:
    """Return what `--check` prints: the stages with their nodes and edges, and the streams."""
    lines = [f"{plan.graph.path} with {plan.config.path} on {plan.device.kind}: nothing wrong"]
    width = max(len(spec.name) for spec in plan.graph.nodes)
    for number, stage in enumerate(cut(plan.graph), start=1):
        lines.append(f"stage {number}")
        lines += [f"  {spec.name:<{width}}  {_signature(spec)}" for spec in stage]
    if plan.recording:
        lines.append(f"recorded to {plan.recording}: {', '.join(replayable(plan.graph).edges)}")
    if plan.second_pass:
        lines += _passes(plan.second_pass)
    if fetched := to_be_fetched(plan.cards):
        lines += ["fetched before the run", *(f"  {line}" for line in fetched)]
    lines.append("streams")
    for stream in plan.streams:
        kind = "live" if stream.live else "file"
        lines.append(
            f"  {stream.id}  {kind}  {redact(stream.config.url)}  AOIs: {', '.join(stream.config.aois) or 'none'}"
        )
    return "\n".join(lines)


def _passes(cut: SecondPass) -> list[str]:
    revised = ", ".join(cut.revised)
    return [
        f"files in two passes ({cut.switches}), live streams in one",
        f"  first   {', '.join(cut.above)}; at the end {revised} revised",
        f"  second  everything else, with {', '.join(cut.edges)} as written down",
    ]


def _config_path(graph: Path, given: Path | None) -> Path | None:
    """Return the configuration to read; None when none is given and the graph has none of its own."""
    if given:
        return given
    own = graph.absolute().parent.parent / "configs" / graph.name
    if not own.exists():
        return None
    return own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own


def _signature(spec: NodeSpec) -> str:
    output = spec.ports.output
    return f"{spec.type}({', '.join(spec.inputs.values())}) -> {output.__name__ if output else 'sink'}"


def _recorded(texts: list[str], graph: Graph, replays: bool) -> tuple[dict[str, Path], Path | None]:
    """Return the edges that are recorded, with their folders, and the folder of the whole run."""
    edges = _edges("--record", [text for text in texts if "=" in text], graph)
    folders = [text for text in texts if "=" not in text]
    if not folders:
        return edges, None
    cut = replayable(graph)
    where = f"--record {folders[0]}"
    if len(folders) > 1:
        raise ConfigError(f"{where}: expected one folder for the whole run, got {', '.join(folders)}; leave one out")
    if replays:
        raise ConfigError(f"{where}: expected a run from its sources, got --replay; name an edge: --record EDGE=DIR")
    if not cut.edges:
        raise ConfigError(
            f"{where}: expected a graph whose sinks make events of what was seen in pictures, got {graph.path} "
            "without; name what to record: --record EDGE=DIR"
        )
    if doubled := [edge for edge in cut.edges if edge in edges]:
        raise ConfigError(f"{where}: records {doubled[0]}, too; leave out --record {doubled[0]}={edges[doubled[0]]}")
    return edges | dict.fromkeys(cut.edges, Path(folders[0])), Path(folders[0])


def _edges(option: str, texts: list[str], graph: Graph) -> dict[str, Path]:
    edges = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not folder:
            raise ConfigError(f"{option} {text}: expected EDGE=DIR; write for example {option} tracks=out/tracks")
        try:
            spec = graph.node(name)
        except GraphError as exc:
            raise GraphError(f"{option} {text}: {exc}") from exc
        if not spec.ports.output:
            raise GraphError(f"{option} {text}: expected an edge, got the sink {name!r}, which puts nothing out")
        edges[name] = Path(folder)
    return edges
