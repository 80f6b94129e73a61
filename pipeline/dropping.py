"""Go on after a node failed: run it again stream by stream, and drop the frames of the streams on which it fails."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.errors import NodeError
from pipeline.frames import FrameBatch
from pipeline.marks import Mark, MarkKind
from pipeline.running import RunningNode, checked, explained, said
from pipeline.tick import Tick, no_frames, with_rows
from pipeline.values import Value, concat

logger = logging.getLogger(__name__)

RESTART_AFTER = 5
"""Failures of a node in a row on one stream after which it begins anew with that stream."""
QUIET_NS = 10_000_000_000
"""Time of a stream that passes before the same is logged again of a node on that stream."""


def drop_failing(one: RunningNode, tick: Tick, failure: NodeError) -> tuple[Tick, int]:
    """Go on with what a node makes of the streams on which it does not fail, and without the frames of the others.

    Marks stay, and what the node holds for a stream that ends is handed out even if its frames are dropped. A sink
    drops frames for itself alone: the tick stays as it is. A node that keeps failing on a stream begins anew with it,
    and so do those below: for all of them a new generation of the stream follows.

    Args:
        one: the node that failed.
        tick: what it failed on.
        failure: how it failed on the whole tick.

    Returns:
        The tick for the nodes below, and the number of frames dropped.
    """
    output, streams = one.output, tick.streams()
    parts: dict[str, Value | None] = {}
    dropped: dict[str, int] = {}
    anew: list[Mark] = []
    for stream_id in streams:
        alone = tick.of_stream(stream_id)
        if len(streams) > 1:
            try:
                parts[stream_id] = one.call(alone)
                one.failures.pop(stream_id, None)
                continue
            except BaseException as error:
                failure = explained(one.spec, alone, error)
        dropped[stream_id] = len(alone.frames)
        _tell(one, stream_id, _moment(alone), f"{failure}; its frames are dropped")
        one.failures[stream_id] += 1
        ends = stream_id in one.ending(alone)
        if ends or one.failures[stream_id] >= RESTART_AFTER:
            parts[stream_id] = hand_out(one, stream_id, one.ending(alone).get(stream_id, "discontinuity"))
            del one.failures[stream_id]
            anew += [] if ends or output is None else [_moment(alone)]
    if not streams:
        logger.warning("%s", failure)
    lost = sum(dropped.values())
    if output is None:
        return tick, lost
    one.restarts.update(mark.stream_id for mark in anew)
    rest = tick.without_streams(dropped)
    return one.filled(replace(rest, marks=(*rest.marks, *anew)), _joined(output, parts, rest.frames)), lost


def hand_out(one: RunningNode, stream_id: str, kind: MarkKind = "ended") -> Value | None:
    """Return what a node that failed still holds for a stream, and let it forget the stream."""
    output = one.output
    try:
        value = one.hand_out(stream_id, kind)
        return None if output is None or value is None else checked(value, output, frames=0)
    except BaseException as error:
        logger.warning(
            "node %r: what it held for stream %r is lost: %s", one.spec.name, stream_id, said(error)
        )  # fmt: skip
        return None


def renumbered(tick: Tick, restarts: Counter[str]) -> Tick:
    """Return the tick as a node and those below it see it, after the node began anew so often with its streams."""
    if not restarts or not any(restarts[stream_id] for stream_id in tick.streams()):
        return tick
    later = np.array([restarts[stream_id] for stream_id in tick.frames.stream_id], np.int64)
    frames = replace(tick.frames, generation=tick.frames.generation + later)
    slots = {}
    for name, slot in tick.slots.items():
        value: Any = slot.value
        if isinstance(value, FrameBatch):
            value = frames if value is tick.frames else replace(value, generation=value.generation + later)
        slots[name] = replace(slot, value=value)
    marks = tuple(replace(mark, generation=mark.generation + restarts[mark.stream_id]) for mark in tick.marks)
    return replace(tick, frames=frames, marks=marks, slots=slots)


def _moment(alone: Tick) -> Mark:
    """Return the point of its time that a stream has reached, as the mark with which it begins anew."""
    frames, stream_id = alone.frames, alone.streams()[0]
    if len(frames):
        return Mark("discontinuity", stream_id, int(frames.generation[-1]), int(frames.pts_ns[-1]))
    last = next(mark for mark in reversed(alone.marks) if mark.kind != "configured")
    return replace(last, kind="discontinuity")


def _tell(one: RunningNode, stream_id: str, now: Mark, what: str) -> None:
    told_ns = one.told_ns.get(stream_id)
    if told_ns is None or not 0 <= now.pts_ns - told_ns < QUIET_NS:
        one.told_ns[stream_id] = now.pts_ns
        logger.warning("%s", what)


def _joined(output: type[Value], parts: dict[str, Value | None], frames: FrameBatch) -> Value:
    """Put values of single streams together again, in the order of the tick's frames."""
    rows = {stream_id: _rows_of(frames, stream_id) for stream_id in parts}
    made = {stream_id: part for stream_id, part in parts.items() if part is not None and len(part)}
    if issubclass(output, FrameBatch):
        batches = [part for part in made.values() if isinstance(part, FrameBatch)]
        if not batches:
            return no_frames(*(frames.streams or {}).values())
        pictures = tuple(picture for batch in batches for picture in batch.pictures)
        whole = replace(concat(batches), pictures=pictures, streams=frames.streams)
        return whole.take(np.argsort(np.concatenate([rows[stream_id] for stream_id in made])))
    if not made:
        return output.empty()
    parted = [with_rows(part, rows[name]) if hasattr(part, "frame_row") else part for name, part in made.items()]
    value = concat(parted)
    return value.take(np.argsort(value.frame_row, kind="stable")) if hasattr(value, "frame_row") else value


def _rows_of(frames: FrameBatch, stream_id: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.flatnonzero([name == stream_id for name in frames.stream_id]).astype(np.int64)
