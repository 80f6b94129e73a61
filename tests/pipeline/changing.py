"""Nodes with a value that may change while they run, and graphs of them in whose sources that happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.frames import FrameBatch
from pipeline.graph import Graph
from pipeline.node import Context, Node, NodeConfig, Source, SourceItem
from pipeline.running import RunningNode
from tests.helpers import FakeDevice
from tests.pipeline.rig import PATIENCE_S, STEP_NS, Stamps, frame, graph, node_class, source_class, spec

SHELF = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))


class Config(NodeConfig):
    factor: int = Field(default=1, ge=1, json_schema_extra={"live": True})
    """What stamps are multiplied with."""
    name: str = "plain"
    """Another value."""


class Multiply(Node[Config]):
    """Multiply stamps with a factor taken up in `reconfigured()`, and with how often it was called."""

    def open(self) -> None:
        self.calls = 0
        self.reconfigured()

    def reconfigured(self) -> None:
        self.factor = self.config.factor

    def process(self, frames: FrameBatch) -> Stamps:
        self.calls += len(frames)
        return Stamps(np.arange(len(frames)), np.full(len(frames), 100 * self.factor + self.calls))


def running(whole: Graph, name: str, out: Path) -> RunningNode:
    one = whole.node(name)
    made = RunningNode(one, one.cls(one.config, Context(name, FakeDevice(), out, out, whole)))
    made.node.open()
    return made


def line(log: Any) -> Graph:
    """Return frames → times → more → log."""
    return graph(
        spec("times", Multiply, "new", frames="frames"),
        spec("more", Multiply, "new", frames="frames"),
        spec("log", node_class(log), "new", frames="frames", times="times", more="more"),
    )


def keep(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
    """Process: nothing."""


class Story(list[Any]):
    """Rows that a sink was told, for which a source can wait: what changes overtakes frames that wait at the door."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def append(self, row: Any) -> None:
        with self._changed:
            super().append(row)
            self._changed.notify_all()

    def wait_for(self, stream_id: str, index: int) -> None:
        """Wait until a frame of a stream has been through the graph."""
        with self._changed:
            assert self._changed.wait_for(lambda: (stream_id, index * STEP_NS) in [row[:2] for row in self], PATIENCE_S)


def seen(story: list[Any]) -> Any:
    def note(self: Any, frames: FrameBatch, times: Stamps, more: Stamps) -> None:
        origins = self.context.lineage("times").origins(frames.streams)
        for row, stream_id in enumerate(frames.stream_id):
            config = frames.stream(row).config
            story.append((
                stream_id, int(frames.pts_ns[row]), int(times.stamp_ns[row]), int(more.stamp_ns[row]),
                list(config.aois), config.hfov_deg, origins[stream_id].config, config.start_time,
            ))  # fmt: skip

    return note


def steered(story: Story, steps: dict[int, Any], count: int = 12) -> Graph:
    """Return a live graph in whose source something is done before certain frames of stream a."""

    done = {index: threading.Event() for index in steps}

    def read(self: Any) -> Iterator[SourceItem]:
        for index in range(count):
            if self.stream.id == "a" and index in steps:
                story.wait_for("a", index - 1)
                steps[index]()
                done[index].set()
            elif index in steps:
                assert done[index].wait(PATIENCE_S)
            yield frame(index)

    nodes = line(seen(story)).nodes[1:]
    source: type[Source[Any]] = source_class(read, is_live=lambda url: True)
    return graph(*nodes, source=source)
