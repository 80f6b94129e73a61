"""A graph that is run in two passes: its nodes count frames from the end, which they know only at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pipeline.device import open_device
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Node, NodeConfig, SourceItem
from pipeline.passes import TwoPasses
from pipeline.report import RunReport
from pipeline.second_pass import second_pass
from pipeline.settings import EngineConfig
from tests.helpers import list_source
from tests.pipeline.rig import (
    STEP_NS,
    Stamps,
    graph,
    node_class,
    spec,
    stream,
)


class Switched(NodeConfig):
    whole: bool = Field(default=True, json_schema_extra={"second_pass": True})
    """Ask for a second pass."""


class CountDown(Node[Switched]):
    """Note how many frames are still to come, which only who has seen the end can tell; until then 0."""

    opened: ClassVar[list[str]] = []

    def open(self) -> None:
        self.opened.append("count")

    def process(self, frames: FrameBatch, stamps: Stamps) -> Stamps:
        return Stamps(np.arange(len(frames)), np.zeros(len(frames), np.int64))

    def revised(self, ticks: Iterable[tuple[FrameBatch, Stamps]]) -> Iterator[Stamps]:
        total = sum(len(value) for _, value in ticks)
        for frames, value in ticks:
            assert not frames.pictures
            assert set(frames.streams) >= set(frames.stream_id)
            total -= len(value)
            yield Stamps(value.frame_row, total + np.arange(len(value))[::-1])


@dataclass
class Seen:
    """What nodes of a run have seen."""

    detected: list[int] = field(default_factory=list)
    looked: list[tuple[int, int, int]] = field(default_factory=list)
    """First pixel, time stamped by what is above the cut, and what was counted."""
    logged: list[int] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def nodes(self, counts: type[Node[Any]] = CountDown, looks: bool = True) -> list[NodeSpec]:
        """Return stamps → count → log, and look, which reads stamps and count beside the pictures."""
        seen = self

        def detect(self: Any, frames: FrameBatch) -> Stamps:
            seen.detected.extend(int(frames.bgr(row)[0, 0, 0]) for row in range(len(frames)))
            return Stamps(np.arange(len(frames)), frames.pts_ns.copy())

        def look(self: Any, frames: FrameBatch, stamps: Stamps, count: Stamps) -> None:
            for row in range(len(frames)):
                pixel = int(frames.bgr(row)[0, 0, 0])
                seen.looked.append((pixel, int(stamps.stamp_ns[row] // STEP_NS), int(count.stamp_ns[row])))

        def log(self: Any, count: Stamps) -> None:
            seen.logged.extend(count.stamp_ns.tolist())

        def ended(self: Any, stream_id: str) -> None:
            seen.ended.append(stream_id)

        made = [
            spec("stamps", node_class(detect, reads_pictures=True), "new", frames="frames"),
            spec("count", counts, frames="frames", stamps="stamps"),
        ]
        if looks:
            looker = node_class(look, reads_pictures=True, begins_stage=True)
            made.append(spec("look", looker, frames="frames", stamps="stamps", count="count"))
        return [*made, spec("log", node_class(log, stream_ended=ended), count="count")]


def two(whole: Graph, out: Path, ids: Sequence[str] = ("shop",), **options: Any) -> TwoPasses:
    """Return a run of a graph in two passes."""
    cut = second_pass(whole, options.get("replay") or (), options.get("record") or ())
    assert cut is not None
    settings = EngineConfig(**{name: options.pop(name) for name in list(options) if name in EngineConfig.model_fields})
    return TwoPasses(
        cut, out / "passes", whole, [stream(id) for id in ids], settings,
        device=open_device("cpu"), out_dir=out, root=out, **options,
    )  # fmt: skip


def run(seen: Seen, out: Path, items: Sequence[SourceItem], looks: bool = True, **options: Any) -> RunReport:
    whole = graph(*seen.nodes(looks=looks), source=list_source({"shop": items}))
    return two(whole, out, **options).run(every_s=0.01)
