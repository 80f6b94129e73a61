"""The retail graph as anybody would write it without an engine: one loop, every node called in turn for each frame."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import ROOT
from pipeline.cards import ModelCard, load_card
from pipeline.device import Device, open_device
from pipeline.errors import PipelineError
from pipeline.feed import batched
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph
from pipeline.inlet import Admitted
from pipeline.node import Context, Frame, Node, Source
from pipeline.tick import no_frames
from pipeline.values import Value, concat


@dataclass(frozen=True)
class LoopRun:
    """How a loop went."""

    frames: int
    elapsed_s: float
    """From the first frame to the last file closed; models were open before."""


class PlainSession:
    """A model run by ONNX Runtime directly; stands in for the engine's session."""

    def __init__(self, card: ModelCard, path: Path, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # it warns of each input that has a default
        if threads is not None:
            options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.card = card
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {each.name: (tuple(each.shape), "float32") for each in self._session.get_inputs()}
        self.outputs = {each.name: (tuple(each.shape), "float32") for each in self._session.get_outputs()}

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model once."""
        return dict(zip(self.outputs, self._session.run(None, inputs), strict=True))

    def close(self) -> None:
        """Let go of the model."""
        self._session = None


class LoopContext(Context):
    """Lends nodes what the engine would, models without its session."""

    def __init__(self, name: str, device: Device, out_dir: Path, graph: Graph, threads: int | None) -> None:
        super().__init__(name, device, out_dir, ROOT, graph)
        self._threads = threads

    def open_session(self, card: str, outputs: Collection[str] = (), size_wh: tuple[int, int] | None = None) -> Any:
        """Open the model of a card; all its outputs are computed."""
        found, path = load_card(card, ROOT)
        if size_wh:
            found = found.model_copy(update={"input_size_wh": size_wh})
        return PlainSession(found, path, self._threads)


def run_loop(graph: Graph, stream: Stream, out_dir: Path, *, threads: int | None, max_frames: int) -> LoopRun:
    """Run all nodes of a graph on one stream in a loop on this thread.

    Args:
        graph: its nodes are made anew.
        stream: a file.
        out_dir: sinks write to `<out_dir>/<stream id>/`.
        threads: of OpenCV and ONNX Runtime; None leaves them what they choose by themselves.
        max_frames: frames after which to stop.

    Raises:
        PipelineError: the file has fewer frames.
    """
    import cv2

    device = open_device("cpu")
    cv2.setNumThreads(-1 if threads is None else threads)  # -1 is OpenCV's own choice
    nodes: dict[str, Node[Any]] = {}
    for spec in graph.nodes:
        context = LoopContext(spec.name, device, out_dir, graph, threads)
        if issubclass(spec.cls, Source):
            source: Source[Any] = spec.cls(spec.config, context, stream)
        else:
            nodes[spec.name] = spec.cls(spec.config, context)
    for node in (source, *nodes.values()):
        node.open()
    began_s, count = time.perf_counter(), 0
    for item in source.frames():
        if isinstance(item, Frame):
            frames = batched([Admitted(stream, item, count, 0, 0)])
            _tick(graph, nodes, frames, ended=False)
            count += 1
            if count == max_frames:
                break
    _tick(graph, nodes, no_frames(stream), ended=True)
    for node in (source, *nodes.values()):
        node.close()
    if count < max_frames:
        raise PipelineError(f"{stream.config.url}: expected {max_frames} frames, got {count}; take fewer")
    return LoopRun(count, time.perf_counter() - began_s)


def _tick(graph: Graph, nodes: dict[str, Node[Any]], frames: FrameBatch, *, ended: bool) -> None:
    """Call every node once, and at the end let it hand out what it holds."""
    values: dict[str, Value] = {graph.source.name: frames}
    for spec in graph.nodes:
        if spec.name not in nodes:
            continue
        node = nodes[spec.name]
        made = node.process(**{port: values[edge] for port, edge in spec.inputs.items()})
        held = node.stream_ended(next(iter(frames.streams))) if ended else None
        if made is not None:
            values[spec.name] = made if held is None else concat([made, held])
