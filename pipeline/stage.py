"""Run the nodes of one stage on one tick after another, and deal with a node that fails."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.errors import NodeError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.graph import NodeSpec
from pipeline.ledger import Ledger
from pipeline.node import Node
from pipeline.tick import Slot, Tick, no_frames, with_rows
from pipeline.values import Value, concat

logger = logging.getLogger(__name__)

RESTART_AFTER = 5
"""Failures of a node in a row on one stream after which what the node holds for that stream is thrown away."""


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
    """A node at work."""

    spec: NodeSpec
    node: Node[Any]
    meter: Meter = field(default_factory=Meter)
    failures: Counter[str] = field(default_factory=Counter)
    """Failures in a row, by stream."""


@dataclass(frozen=True)
class Policy:
    """What happens when a node fails on a tick."""

    drop: bool
    """True: the failing stream's frames leave the tick and the run goes on. False: the run stops."""
    after_node: Callable[[str, Tick], None] = lambda name, tick: None
    """Called with each node's name when its slot is filled: where edges are recorded."""


def run_stage(running: list[RunningNode], tick: Tick, policy: Policy, ledger: Ledger) -> Tick:
    """Return the tick with a slot for every node of the stage.

    Raises:
        NodeError: a node failed and the policy is to stop, or no frames could be dropped for it.
    """
    for one in running:
        ledger.came(one.spec.name, len(tick.frames))
        tick = _apply(one, tick, policy, ledger)
        ledger.went(one.spec.name, len(tick.frames))
        policy.after_node(one.spec.name, tick)
    return tick


def _apply(one: RunningNode, tick: Tick, policy: Policy, ledger: Ledger) -> Tick:
    try:
        value = _call(one, tick)
    except Exception as error:
        failure = _explained(one.spec, tick, error)
        if not policy.drop:
            ledger.dropped(one.spec.name, f"error:{one.spec.name}", len(tick.frames))
            raise failure from error
        return _drop_failing(one, tick, failure, ledger)
    one.failures.clear()
    return _filled(one, tick, value)


def _call(one: RunningNode, tick: Tick) -> Value | None:
    """Run `process()`, then hand out what the node holds for streams that end in this tick."""
    meter, output = one.meter, one.spec.ports.output
    inputs = {port: tick.slots[edge].value for port, edge in one.spec.inputs.items()}
    wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
    try:
        parts = [one.node.process(**inputs)]
        for mark in tick.marks:
            # A sink holds nothing to hand out at a discontinuity: its file goes on, rows tell their generation.
            if mark.kind == "ended" or (mark.kind == "discontinuity" and output is not None):
                parts.append(one.node.stream_ended(mark.stream_id))
    finally:
        meter.wall_ns += time.perf_counter_ns() - wall_ns
        meter.cpu_ns += time.thread_time_ns() - cpu_ns
    meter.ticks += 1
    meter.frames += len(tick.frames)
    if output is None:
        return None
    for part in parts[:1] + [part for part in parts[1:] if part is not None]:
        if not isinstance(part, output):
            raise TypeError(f"expected {output.__name__} as output, got {type(part).__name__}")
    value: Value = concat([part for part in parts if part is not None])
    meter.rows += len(value)
    meter.last_rows = len(value)
    return value


def _filled(one: RunningNode, tick: Tick, value: Value | None) -> Tick:
    if value is not None:
        tick.slots[one.spec.name] = Slot(value)
    return tick


def _drop_failing(one: RunningNode, tick: Tick, failure: NodeError, ledger: Ledger) -> Tick:
    """Run the node again stream by stream; take the frames of streams that fail out of the tick."""
    name, streams = one.spec.name, list(dict.fromkeys(tick.frames.stream_id))
    parts: dict[str, Value | None] = {}
    if len(streams) > 1:
        for stream_id in streams:
            alone = tick.without_streams([other for other in streams if other != stream_id])
            try:
                parts[stream_id] = _call(one, alone)
                one.failures.pop(stream_id, None)
            except Exception as error:
                failure = _explained(one.spec, alone, error)
                logger.warning("%s; its frames are dropped", failure)
    else:
        logger.warning("%s; its frames are dropped", failure)
    failing = [stream_id for stream_id in streams if stream_id not in parts]
    for stream_id in failing:
        one.failures[stream_id] += 1
        ledger.dropped(name, f"error:{name}", tick.frames.stream_id.count(stream_id))
        if one.failures[stream_id] >= RESTART_AFTER:
            _restart(one, stream_id)
    tick = tick.without_streams(failing)
    output = one.spec.ports.output
    return _filled(one, tick, None if output is None else _joined(output, parts, tick.frames))


def _joined(output: type[Value], parts: dict[str, Value | None], frames: FrameBatch) -> Value:
    """Put values of single streams together again, in the order of the tick's frames."""
    if issubclass(output, FrameBatch):
        if not parts:
            return no_frames(*(frames.streams or {}).values())
        batches = [part for part in parts.values() if isinstance(part, FrameBatch)]
        pictures = tuple(picture for batch in batches for picture in batch.pictures)
        whole = replace(concat(batches), pictures=pictures, streams=frames.streams)
        order = np.concatenate([_rows_of(frames, stream_id) for stream_id in parts])
        return whole.take(np.argsort(order))
    placed = []
    for stream_id, part in parts.items():
        if part is not None and hasattr(part, "frame_row"):
            part = with_rows(part, _rows_of(frames, stream_id))
        if part is not None:
            placed.append(part)
    if not placed:
        return output.empty()
    value = concat(placed)
    return value.take(np.argsort(value.frame_row, kind="stable")) if hasattr(value, "frame_row") else value


def _rows_of(frames: FrameBatch, stream_id: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.flatnonzero([name == stream_id for name in frames.stream_id]).astype(np.int64)


def _restart(one: RunningNode, stream_id: str) -> None:
    logger.warning(
        "node %r (%s): stream %r failed %d times in a row; what the node holds for it is thrown away",
        one.spec.name, one.spec.type, stream_id, one.failures.pop(stream_id),
    )  # fmt: skip
    try:
        one.node.stream_ended(stream_id)
    except Exception as error:
        logger.warning("node %r: stream %r: cannot start afresh: %s", one.spec.name, stream_id, error)


def _explained(spec: NodeSpec, tick: Tick, error: Exception) -> NodeError:
    """Say where an error happened; what gazegraph says itself is a sentence already, anything else is named."""
    said = str(error) if isinstance(error, PipelineError | ValueError) else f"{type(error).__name__}: {error}"
    streams = list(dict.fromkeys([*tick.frames.stream_id, *(mark.stream_id for mark in tick.marks)]))
    place = f"stream {', '.join(map(repr, streams))}"
    if len(tick.frames):
        place += f", pts {int(tick.frames.pts_ns[0]) / 1e9:.3f} s"
    return NodeError(f"node {spec.name!r} ({spec.type}): {place}: {said}")
