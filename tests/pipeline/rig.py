"""Small graphs of nodes made in a test, a clock that is moved by hand, and runs of both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.device import open_device
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Frame, Node, NodeConfig, Source, SourceItem
from pipeline.ports import config_of
from pipeline.report import RunReport
from pipeline.runtime import Runtime
from pipeline.settings import EngineConfig
from pipeline.streams import StreamConfig
from pipeline.values import Value, column, names
from tests.helpers import list_sink, list_source

STEP_NS = 40_000_000
PATIENCE_S = 30.0
"""How long a test waits for what must happen before it fails: never reached by a test that passes."""


@dataclass(frozen=True, eq=False)
class Stamps(Value):
    """One row per frame."""

    frame_row: np.ndarray = column(np.int64)
    stamp_ns: np.ndarray = column(np.int64)


@dataclass(frozen=True, eq=False)
class Notes(Value):
    """Rows of streams, not of frames."""

    stream_id: tuple[str, ...] = names()
    text: tuple[str, ...] = names()


class FakeClock:
    """A clock that jumps to the end of each timed wait, and can be moved by hand."""

    def __init__(self, now_ns: int = 1) -> None:
        self.ns = now_ns

    def now_ns(self) -> int:
        return self.ns

    def wait(self, condition: threading.Condition, timeout_s: float | None) -> None:
        if timeout_s is None:
            assert condition.wait(PATIENCE_S), "waited for something that never happened"
        else:
            condition.wait(0)
            self.ns += round(timeout_s * 1e9)


def node_class(process: Callable[..., Any], base: type[Node[Any]] = Node, **members: Any) -> type[Node[Any]]:
    """Return a node class with that `process()` and whatever else is given."""
    process.__annotations__.pop("self", None)
    made: Any = type("Made", (base,), {"__orig_bases__": (base[NodeConfig],), "process": process, **members})  # type: ignore[index]
    return made


def stamp(self: Any, frames: FrameBatch) -> Stamps:
    """Process: note the time of each frame."""
    return Stamps(np.arange(len(frames)), frames.pts_ns.copy())


def source_class(read: Callable[..., Any], **members: Any) -> type[Source[Any]]:
    """Return a source class with that `frames()` and whatever else is given."""
    return type("Made", (list_source({}),), {"__orig_bases__": (Source[NodeConfig],), "frames": read, **members})


def spec(name: str, cls: type[Node[Any]], stage: Any = "auto", **inputs: str) -> NodeSpec:
    """Return a node of a graph; keywords are its inputs by port."""
    return NodeSpec(name, f"type_{name}", cls, config_of(cls)(), inputs, stage, f"graph.yaml: {name}")


def graph(*specs: NodeSpec, source: type[Source[Any]] | None = None) -> Graph:
    """Return the graph of a source `frames` and of these nodes."""
    return Graph("graph.yaml", (spec("frames", source or list_source({})), *specs))


def stream(id: str = "shop", live: bool = False, **config: Any) -> Stream:
    """Return a stream."""
    return Stream(id, StreamConfig(url=f"{id}.mp4", **config), live)


def frame(index: int, step_ns: int = STEP_NS) -> Frame:
    """Return a frame by its number: a small grey picture."""
    return Frame(Picture((np.full((2, 4, 3), index % 256, np.uint8),), "bgr"), index * step_ns)


def clip(count: int, step_ns: int = STEP_NS) -> list[SourceItem]:
    """Return what a source yields for a clip of so many frames."""
    return [frame(index, step_ns) for index in range(count)]


def runtime(graph: Graph, streams: Sequence[Stream], out: Path, clock: Any = None, **options: Any) -> Runtime:
    """Return a run; what is an option of the engine goes to its settings."""
    settings = EngineConfig(**{name: options.pop(name) for name in list(options) if name in EngineConfig.model_fields})
    return Runtime(graph, streams, settings, device=open_device("cpu"), out_dir=out, root=out, clock=clock, **options)


def run(items: Mapping[str, Sequence[SourceItem]], out: Path, *specs: NodeSpec, **options: Any) -> RunReport:
    """Run nodes on clips by stream id."""
    live = options.pop("live", False)
    whole = graph(*specs, source=list_source(items, live))
    return runtime(whole, [stream(id, live) for id in items], out, **options).run(every_s=0.02)


def copy(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
    return Stamps(stamps.frame_row.copy(), stamps.stamp_ns.copy())


def _note(self: Any, stamps: Stamps) -> Notes:
    return Notes.empty()


def _pass_on(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
    return stamps


def branches(reads_pictures: Sequence[str] = ()) -> Graph:
    """Return frames → stamps → more → notes → log, and look, which reads stamps."""
    return graph(
        spec("stamps", node_class(stamp, reads_pictures="stamps" in reads_pictures), frames="frames"),
        spec("more", node_class(_pass_on), frames="frames", stamps="stamps"),
        spec("notes", node_class(_note), stamps="more"),
        spec("look", list_sink(Stamps), values="stamps"),
        spec("log", list_sink(Notes), values="notes"),
    )


class Log:
    """A sink class that keeps what it is called with."""

    def __init__(self, process: Callable[..., None] | None = None, **members: Any) -> None:
        self.stamps: list[int] = []
        self.calls: list[str] = []
        log = self

        def keep(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
            if process:
                process(frames)
            log.calls.append(",".join(frames.stream_id))
            log.stamps.extend(stamps.stamp_ns.tolist())

        said = {name: self._says(name) for name in ("open", "close", "stream_ended")}
        self.cls = node_class(keep, **{**said, **members})

    def _says(self, name: str) -> Any:
        return lambda _, *args: self.calls.append(" ".join([name, *args]))


def chain(log: Log, *middle: tuple[str, type[Node[Any]]], stage: str = "new") -> list[NodeSpec]:
    """Return stamps → middle … → log, each on a thread of its own."""
    specs = [spec("stamps", node_class(stamp), frames="frames")]
    for name, cls in middle:
        specs.append(spec(name, cls, stage, frames="frames", stamps=specs[-1].name))
    return [*specs, spec("log", log.cls, stage, frames="frames", stamps=specs[-1].name)]


def failing(at_ns: int, error: BaseException | None = None, **members: Any) -> type[Node[Any]]:
    """Return a node that fails from a time of the stream on."""

    def process(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if (frames.pts_ns >= at_ns).any():
            raise error or ValueError("broken")
        return stamps

    return node_class(process, **members)


def adds_up(edges: dict[str, Any]) -> bool:
    return all(e["in"] == e["out"] + sum(e["dropped"].values()) and e["in_flight"] == 0 for e in edges.values())
