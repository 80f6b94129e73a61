"""A node at work: what it is called with, what it must return, and what it costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from pipeline.configured import changed, changes_of
from pipeline.errors import NodeError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.graph import NodeSpec
from pipeline.marks import MarkKind
from pipeline.node import Node
from pipeline.tick import Slot, Tick
from pipeline.values import Value, concat

ON_HOST = nullcontext()


@dataclass
class Meter:
    """What one node has done and what it cost. Written by the node's thread alone."""

    ticks: int = 0
    frames: int = 0
    rows: int = 0
    last_rows: int = 0
    wall_ns: int = 0
    cpu_ns: int = 0


@dataclass
class RunningNode:
    """A node, its costs, and its failures."""

    spec: NodeSpec
    node: Node[Any]
    wanted: frozenset[str] = frozenset()
    """Edges that some node reads on the host."""
    meter: Meter = field(default_factory=Meter)
    failures: Counter[str] = field(default_factory=Counter)
    """Failures in a row, by stream."""
    restarts: Counter[str] = field(default_factory=Counter)
    """How often it began anew, by stream."""
    told_ns: dict[str, int] = field(default_factory=dict)
    """Time of the stream at which a failure was last logged, by stream."""
    output: type[Value] | None = field(init=False)
    """What `process()` returns; None for a sink."""
    reads: tuple[tuple[str, str, type[Value]], ...] = field(init=False)
    """Port, edge and kind of each connected input."""
    lent: tuple[tuple[str, str], ...] = field(init=False)
    """Port and edge of those that may be read on the device."""

    def __post_init__(self) -> None:
        ports = self.spec.ports  # read off the signature once, not once a tick
        self.output = ports.output
        self.reads = tuple((port, edge, ports.inputs[port].kind) for port, edge in self.spec.inputs.items())
        on_device = type(self.node).reads_on_device
        self.lent = tuple((port, edge) for port, edge, _ in self.reads if port in on_device)

    def call(self, tick: Tick) -> Value | None:
        """Take up values that change in this tick, run `process()`, then hand out what is held for streams that end.

        Raises:
            Exception: whatever the node raises; TypeError and ValueError when it returns what it must not.
        """
        meter, output = self.meter, self.output
        self.take_up(tick)
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        try:
            lent = {port: tick.slots[edge] for port, edge in self.lent if tick.slots[edge].device is not None}
            inputs = {port: tick.read(edge, kind) for port, edge, kind in self.reads if port not in lent}
            inputs |= {port: slot.value for port, slot in lent.items()}
            with self._reading(lent) if lent else ON_HOST:
                parts = [self.node.process(**inputs)]
                parts += [self.hand_out(stream_id, kind) for stream_id, kind in self.ending(tick).items()]
        finally:
            meter.wall_ns += time.perf_counter_ns() - wall_ns
            meter.cpu_ns += time.thread_time_ns() - cpu_ns
        meter.ticks += 1
        meter.frames += len(tick.frames)
        if output is None:
            return None
        held = [checked(part, output, 0) for part in parts[1:] if part is not None]
        value = concat([checked(parts[0], output, len(tick.frames)), *held])
        meter.rows += len(value)
        meter.last_rows = len(value)
        return value

    @contextmanager
    def _reading(self, lent: dict[str, Slot]) -> Iterator[None]:
        """Let the node read slots on the device; what others want of them on the host comes along with its copies."""
        device = self.node.context.device
        wanted = [lent[port] for port, edge in self.lent if port in lent and edge in self.wanted]
        riders = [slot.rider() for slot in wanted if not slot.is_on_host]
        with device.reading(*((slot.value, slot.ready) for slot in lent.values())), device.riding(riders):
            yield

    def take_up(self, tick: Tick) -> None:
        """Give the node the values that changed by the marks of a tick; a tick may be run again.

        Raises:
            Exception: the values are wrong, or whatever the node raises; it then has its old ones.
        """
        for changes in changes_of(tick.marks):
            self.node.context.take_up(changes.nodes)
            values = changes.nodes.get(self.spec.name)
            before = self.node.config
            if not values or (after := changed(before, values, self.spec.name)) == before:
                continue
            self.node.config = after
            try:
                self.node.reconfigured()
            except BaseException:
                self.node.config = before
                raise

    def hand_out(self, stream_id: str, kind: MarkKind) -> Any:
        """Let the node hand out what it holds for a stream at a mark of that kind."""
        return self.node.stream_broken(stream_id) if kind == "discontinuity" else self.node.stream_ended(stream_id)

    def ending(self, tick: Tick) -> dict[str, MarkKind]:
        """Return the streams of a tick for which the node hands out what it holds, with the kind of mark that says so.

        A sink holds nothing to hand out at a discontinuity: its file goes on, rows tell their generation.
        """
        kinds = ("ended",) if self.output is None else ("ended", "discontinuity")
        return {mark.stream_id: mark.kind for mark in tick.marks if mark.kind in kinds}

    def filled(self, tick: Tick, value: Value | None) -> Tick:
        """Return the tick with the node's value in its slot."""
        if value is not None:
            tick.slots[self.spec.name] = Slot.of(value, self.node.context.device)
        return tick


def checked(part: Any, output: type[Value], frames: int) -> Value:
    """Return what a node returned, if it is what its signature says and belongs to that many frames.

    Raises:
        TypeError, ValueError: it is something else.
    """
    if not isinstance(part, output):
        raise TypeError(f"expected {output.__name__} as output, got {type(part).__name__}")
    if isinstance(part, FrameBatch) and len(part) != frames:
        raise ValueError(f"{output.__name__}: expected {frames} frames as in the tick, got {len(part)}")
    rows: Any = getattr(part, "frame_row", ())
    if len(rows) and not 0 <= rows.min() <= rows.max() < frames:
        where = f"{output.__name__}.frame_row"
        raise ValueError(f"{where}: expected rows of the {frames} frames of the tick, got {rows.min()} to {rows.max()}")
    return part


def explained(spec: NodeSpec, tick: Tick, error: BaseException) -> NodeError:
    """Say where an error happened; what gazegraph says itself is a sentence already, anything else is named."""
    place = ", ".join(f"stream {stream_id!r}" for stream_id in tick.streams())
    if len(tick.frames):
        place += f", pts {int(tick.frames.pts_ns[0]) / 1e9:.3f} s"
    return NodeError(": ".join(filter(None, [f"node {spec.name!r} ({spec.type})", place, said(error)])))


def said(error: BaseException) -> str:
    """Return what an error says, with its type unless it is a sentence of ours."""
    return str(error) if isinstance(error, PipelineError | ValueError) else f"{type(error).__name__}: {error}"
