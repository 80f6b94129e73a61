"""Run the shipped graph, or the part of it that some edges need, and keep what passed on those edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.results import ROOT
from nodes import resolve
from pipeline.config import load_config
from pipeline.device import open_device
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph, load_graph
from pipeline.recording import RecordedTick, Recorder, Recording
from pipeline.runtime import Runtime
from pipeline.settings import EngineConfig
from pipeline.tick import Slot, Tick
from pipeline.values import Value, concat

V = TypeVar("V", bound=Value)

GRAPH, CONFIG = ROOT / "graphs" / "retail.yaml", ROOT / "configs" / "retail.yaml"


def shipped_graph(
    edges: Collection[str], sets: Sequence[str] = (), name: str = "retail"
) -> tuple[Graph, EngineConfig]:  # fmt: skip
    """Read a graph with its shipped values and keep the nodes that some of its nodes need, these included.

    Args:
        edges: names of nodes.
        sets: overrides, as `--set` of the program takes them.
        name: of the graph.
    """
    config = load_config(CONFIG.with_stem(name), sets)
    graph = load_graph(GRAPH.with_stem(name), config, resolve, root=ROOT)
    needed = set(edges)
    for spec in reversed(graph.nodes):
        if spec.name in needed:
            needed.update(spec.inputs.values())
    return Graph(graph.path, tuple(spec for spec in graph.nodes if spec.name in needed)), config.engine


def shipped_stream(url: Path) -> Stream:
    """Return the stream of the shipped configuration with its areas, reading another file."""
    stream_id, config = next(iter(load_config(CONFIG).streams.items()))
    return Stream(stream_id, config.model_copy(update={"url": str(url)}))


@dataclass(frozen=True)
class Recorded:
    """What passed on some edges while one stream was run."""

    edges: dict[str, list[RecordedTick]]

    def frames(self) -> list[FrameBatch]:
        """Return the frames (B = 1) of the stream, in order, without pictures."""
        ticks = next(iter(self.edges.values()))
        return [tick.frames.take([row]) for tick in ticks for row in range(len(tick.frames))]

    def by_frame(self, edge: str) -> list[Any]:
        """Return the value of each frame of the stream, in order; every row's `frame_row` is 0."""
        parts = []
        for tick in self.edges[edge]:
            for row in range(len(tick.frames)):
                value: Any = tick.value
                parts.append(_on_row(value.take(value.frame_row == row), 0))
        return parts

    def whole(self, edge: str) -> Any:
        """Return all rows that passed on an edge whose values are not tied to frames."""
        return concat([tick.value for tick in self.edges[edge]])


def record(
    graph: Graph,
    settings: EngineConfig,
    stream: Stream,
    edges: Iterable[str],
    folder: Path,
    *,
    replay: Collection[str] = (),
) -> Recorded:
    """Run a graph on one stream to its end and return what passed on some edges.

    Args:
        graph: from `shipped_graph`.
        settings: the engine's, as shipped.
        stream: a file.
        edges: names of nodes with an output.
        folder: where recordings go, and those in `replay` are.
        replay: edges to be read from their recordings in place of running their nodes.

    Raises:
        PipelineError: the run failed.
    """
    wanted = list(edges)
    runtime = Runtime(
        graph,
        [stream],
        settings,
        device=open_device("cpu"),
        out_dir=folder,
        root=ROOT,
        record={edge: folder for edge in wanted},
        replay={edge: folder for edge in replay},
    )
    report = runtime.run()
    if report.status != "done":
        raise PipelineError(f"{stream.config.url}: expected a run to its end, got {report.status}: {report.error}")
    kinds = {edge: graph.node(edge).ports.output for edge in wanted}
    return Recorded({edge: list(Recording(edge, kind, folder)) for edge, kind in kinds.items() if kind})


def write_recording(edge: str, like: Sequence[RecordedTick], values: Iterable[Value], folder: Path) -> None:
    """Write values of one's own as the recording of an edge, tick by tick like one that was recorded.

    Args:
        edge: the edge they stand for.
        like: ticks of the same run.
        values: one for each frame of the run, at least one frame.
        folder: where to.
    """
    own = list(values)
    recorder = Recorder(edge, type(own[0]), folder)
    empty, place = own[0].empty(), 0
    for number, tick in enumerate(like):
        count = len(tick.frames)
        parts = [_on_row(value, row) for row, value in enumerate(own[place : place + count])]
        recorder.add(Tick(number, tick.frames, tick.marks, {edge: Slot(concat(parts or [empty]))}))
        place += count
    recorder.close()


def _on_row(value: Any, row: int) -> Any:
    return replace(value, frame_row=np.full(len(value), row, np.int64))
