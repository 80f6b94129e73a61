"""Nodes and ticks to run by hand, for tests of stages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.frames import FrameBatch
from pipeline.marks import Mark
from pipeline.node import Node
from pipeline.running import RunningNode
from pipeline.stage import Policy
from pipeline.tick import Slot, Tick, no_frames
from tests.helpers import FakeContext, frames
from tests.pipeline.rig import Stamps, node_class, spec, stamp, stream

STOP, DROP = Policy(drop=False), Policy(drop=True)
ENDED = Mark("ended", "a", 0, 80)


def running(name: str, cls: type[Node[Any]], **inputs: str) -> RunningNode:
    made = spec(name, cls, **inputs)
    return RunningNode(made, cls(made.config, FakeContext()))


def stamper(**members: Any) -> RunningNode:
    return running("stamps", node_class(stamp, **members), frames="frames")


def tick(*streams: str, marks: tuple[Mark, ...] = (), start_s: float = 0.0, **slots: Any) -> Tick:
    """Return a tick with a frame of each stream named, in that order."""
    known = [stream(id) for id in ("a", "b", "c")]
    batch = frames(len(streams), streams, start_s=start_s) if streams else no_frames(*known)
    return Tick(0, batch, marks, {name: Slot(value) for name, value in {"frames": batch, **slots}.items()})


def failing(when: Callable[[FrameBatch], bool], error: BaseException | None = None) -> Any:
    """Return a `process()` that stamps frames, and fails on some."""

    def process(self: Any, frames: FrameBatch) -> Stamps:
        if when(frames):
            raise error or ValueError("broken")
        return stamp(self, frames)

    return process
