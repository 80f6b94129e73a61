"""From a recording to a run of the nodes that decide events, all others left out."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

from cli.manifest import MANIFEST, Manifest
from cli.plan import Plan
from cli.program import ROOT
from nodes import resolve
from pipeline.config import Block, RunConfig, config_from, shown, validated
from pipeline.device import open_device
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph, NodeSpec, graph_from
from pipeline.replayable import Replayable, ancestry, part, replayable
from pipeline.second_pass import second_pass
from pipeline.streams import StreamConfig
from pipeline.yaml_source import Document, Keys, parse_yaml, read_yaml

HERE = ("engine.device=auto", "engine.backend=auto", "engine.precision=fp32")
"""Values of the machine that recorded: a replay runs no models, and may run elsewhere."""
OF_PICTURES = ("masks", "max_fps")
"""Values of a stream that decide who is found and in which frames, and nothing after that."""


def plan_of(
    folder: Path, manifest: Manifest, *, config: Path | None, sets: Iterable[str], out: Path, publish: bool
) -> Plan:
    """Read and check all that a replay needs.

    Args:
        folder: the recording.
        manifest: what is known of it.
        config: values in place of the recorded ones.
        sets: values in place of those.
        out: where results go.
        publish: whether nodes are run that reach out to others.

    Raises:
        PipelineError: something is wrong; says all that is wrong with the values at once.
    """
    where = folder / MANIFEST
    values, problems = _values(where, manifest, config, sets)
    name = f"{where}/{manifest.graph}"
    graph = graph_from(parse_yaml(manifest.graph_text, name), name, values, resolve, also=problems, root=None)
    cut = replayable(graph)
    if missing := [edge for edge in cut.edges if edge not in manifest.edges]:
        raise ConfigError(
            f"{where}: expected a recording of {', '.join(cut.edges)}, got none of {', '.join(missing)}; "
            "record it again"
        )
    sinks = _sinks(graph, cut, publish)
    if not sinks:
        raise ConfigError(f"{where}: expected sinks to run, got only such that reach out to others; add --publish")
    run = ancestry(graph, sinks)
    below = [graph.node(name) for name in run if name in cut.below]
    in_vain = [*_not_run(str(where), graph, cut, manifest, values), *_not_seen_again(str(where), manifest, values)]
    if wrong := [*in_vain, *_missing_files(below, values)]:
        raise ConfigError("\n".join(wrong))
    replay = dict.fromkeys(cut.edges, folder)
    kept = part(graph, {*cut.above, *run})
    return Plan(
        graph=kept,
        config=values,
        streams=[_stream(id, values.streams[id], manifest) for id in manifest.streams],
        device=open_device(values.engine.device),
        out=out,
        record={},
        replay=replay,
        max_frames=None,
        second_pass=second_pass(kept, replay),
        models=manifest.models,
        held=_held(below, manifest, None if config else sets),
    )


def _values(where: Path, manifest: Manifest, config: Path | None, sets: Iterable[str]) -> tuple[RunConfig, list[str]]:
    """Return the values to run with, and what is wrong with them; the streams are the recorded ones."""
    recorded = {**manifest.values, "streams": {id: stream.config for id, stream in manifest.streams.items()}}
    blocks: list[Keys] = [(), *((name,) for name in recorded), *(("streams", id) for id in manifest.streams)]
    # A copy, because overrides are written into it.
    document = Document(deepcopy(recorded), dict.fromkeys(blocks, str(where)), ())
    urls = {id: str(stream.config.get("url", "")) for id, stream in manifest.streams.items()}
    return config_from(read_yaml(config) if config else document, [*HERE, *sets], urls)


def _stream(id: str, config: StreamConfig, manifest: Manifest) -> Stream:
    """Return a stream that begins when it did."""
    recorded = manifest.streams[id]
    if config.start_time is None:
        config = StreamConfig.model_validate({**config.model_dump(), "start_time": recorded.config.get("start_time")})
    return Stream(id, config, recorded.live)


def _held(
    below: Iterable[NodeSpec], manifest: Manifest, sets: Iterable[str] | None
) -> frozenset[tuple[str, ...]]:  # fmt: skip
    """Return the values that stay as they were given, to the end, whatever changed while the run was recorded.

    Args:
        below: the nodes that are run again; what stands above them changed when it changed.
        manifest: tells the streams that the run began with.
        sets: options by which single values were given; None: all were.
    """
    fields = [key for key in StreamConfig.model_fields if key not in OF_PICTURES]
    decide: set[tuple[str, ...]] = {(spec.name, key) for spec in below for key in type(spec.config).model_fields}
    decide |= {("streams", id, key) for id in manifest.streams for key in fields}
    if sets is None:
        return frozenset(decide)
    given = [tuple(text.partition("=")[0].split("."))[:4] for text in sets]  # streams, id, aois, name
    return frozenset(keys for keys in given if keys in decide or keys[:3] in decide)


def _sinks(graph: Graph, cut: Replayable, publish: bool) -> list[str]:
    sinks = [graph.node(name) for name in cut.below if graph.node(name).ports.output is None]
    return [spec.name for spec in sinks if publish or not spec.cls.reaches_out]


def _not_run(where: str, graph: Graph, cut: Replayable, manifest: Manifest, values: RunConfig) -> list[str]:
    """Complain of values that were changed in vain, because a recording stands in for their node."""
    complaints: list[str] = []
    for spec in map(graph.node, cut.above):
        written = Block(spec.name, manifest.values.get(spec.name, {}), {(): where})
        recorded = validated(type(spec.config), written, complaints)
        block = _block(spec, values)
        complaints += [
            block.complaint(
                (key,),
                f"expected {shown(getattr(recorded, key))} as recorded, got {shown(value)}: {spec.name} is not run "
                "again, the recording stands in for it; leave the value, or record anew",
            )
            for key, value in spec.config
            if recorded and value != getattr(recorded, key)
        ]
    return complaints


def _not_seen_again(where: str, manifest: Manifest, values: RunConfig) -> list[str]:
    """Complain of values of streams that were changed in vain, because pictures are not looked at again."""
    complaints: list[str] = []
    for id, stream in manifest.streams.items():
        recorded = validated(StreamConfig, Block(f"streams.{id}", stream.config, {(): where}), complaints)
        complaints += [
            f"{values.where('streams', id, key)}: streams.{id}.{key}: expected {shown(getattr(recorded, key))} as "
            f"recorded, got {shown(getattr(values.streams[id], key))}: pictures are not looked at again; leave the "
            "value, or record anew"
            for key in OF_PICTURES
            if recorded and getattr(values.streams[id], key) != getattr(recorded, key)
        ]
    return complaints


def _missing_files(specs: Iterable[NodeSpec], values: RunConfig) -> list[str]:
    found = [(_block(spec, values), key, told) for spec in specs for key, told in spec.config.problems(ROOT).items()]
    return [block.complaint((key,), problem) for block, key, told in found for problem in told]


def _block(spec: NodeSpec, values: RunConfig) -> Block:
    return values.nodes.get(spec.name) or Block(spec.name, {}, {(): values.path})
