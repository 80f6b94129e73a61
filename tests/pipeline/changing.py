"""Nodes with a value that may change while they run, and a graph of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.frames import FrameBatch
from pipeline.graph import Graph
from pipeline.node import Context, Node, NodeConfig
from pipeline.running import RunningNode
from tests.helpers import FakeDevice
from tests.pipeline.rig import Stamps, graph, node_class, spec

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
