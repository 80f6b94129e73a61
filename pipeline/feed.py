"""Where ticks come from: frames that sources hand over, or a recording in place of all nodes above a cut."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.admission import Admission
from pipeline.configured import changes_of, with_streams_of, without_held
from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph, NodeSpec
from pipeline.inlet import Admitted, Marked
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.node import Frame
from pipeline.recording import RecordedTick, Recording
from pipeline.rejoining import fits, narrowed, rejoin, with_streams
from pipeline.tick import Slot, Tick, no_frames, with_rows
from pipeline.values import Value, concat

logger = logging.getLogger(__name__)


def below_the_cut(graph: Graph, replayed: Iterable[str]) -> Graph:
    """Return the graph without the replayed nodes and without those that only they need; the source stays."""
    dropped: set[str] = set(replayed)
    for spec in reversed(graph.nodes):
        readers = graph.consumers(spec.name)
        if readers and all(reader.name in dropped for reader in readers):
            dropped.add(spec.name)
    source = graph.source.name
    return Graph(graph.path, tuple(spec for spec in graph.nodes if spec.name == source or spec.name not in dropped))


def needs_source(graph: Graph, replayed: Mapping[str, Path]) -> bool:
    """Tell whether any node needs pixels, or values of the source's own that are not replayed.

    Sources must then be read even though an edge is replayed.
    """
    own = graph.source.name not in replayed and any(graph.reads_values_of_source(spec) for spec in graph.nodes)
    return own or any(spec.reads_pictures for spec in graph.nodes)


def open_recording(graph: Graph, edge: str, folder: Path, again: bool = False) -> Recording:
    """Return the recording of an edge, made by an earlier run or, where it is read `again`, by this one.

    Raises:
        GraphError: there is no such edge.
        ConfigError: nothing can be replayed there, or the recording is missing or is of something else.
    """
    kind = graph.node(edge).ports.output
    if kind is None or (kind is FrameBatch and graph.node(edge) is graph.source):
        raise ConfigError(
            f"--replay {edge}: expected an edge with values, got a {'sink' if kind is None else 'source'}; "
            "name the node that makes what is to be replayed"
        )
    return Recording(edge, kind, folder, again)


def ticks_from_sources(
    admission: Admission,
    source: NodeSpec,
    recordings: Mapping[str, Recording],
    stopped: Callable[[], bool],
) -> Iterator[Tick]:
    """Yield ticks as sources make them; values of replayed edges are put in from their recordings.

    After a stop only the ends of streams come, earlier than they were recorded and with nothing computed from them.

    Raises:
        PipelineError: a recording does not fit the input.
    """
    number, kind = 0, source.ports.output
    assert kind is not None
    while (taken := admission.take()) is not None:
        if isinstance(taken, Marked):
            tick = Tick(number, no_frames(*taken.streams), (taken.mark,))
        else:
            tick = Tick(number, batched(taken))
        tick.slots[source.name] = Slot(tick.frames if kind is FrameBatch else joined_values(kind, taken))
        for edge, recording in recordings.items():
            recorded = next(recording, None)
            if recorded is not None and (fits(recorded, tick) or not stopped()):
                tick.slots[edge] = Slot(rejoin(recorded, tick, recording.where, recording.misfit_cure))
            elif stopped():
                tick.slots[edge] = Slot(recording.kind.empty())
            else:
                raise PipelineError(
                    f"{recording.where}: expected a value for tick {number}, got the end of the recording; "
                    f"{recording.misfit_cure}"
                )
        yield tick
        number += 1


def ticks_from_recordings(
    recordings: Mapping[str, Recording],
    source: NodeSpec,
    streams: Mapping[str, Stream],
    ledger: Ledger,
    max_frames: int | None,
    stopped: Callable[[], bool],
    held: Collection[tuple[str, ...]] = (),
) -> Iterator[Tick]:
    """Yield ticks without pictures as the nodes below the last recorded edge saw them.

    Several edges must come from one run and stand in graph order. When a recording is cut off, or the run is stopped,
    marks follow that end the streams which were not at their end. Values that changed while the run was recorded change
    at the same ticks, and streams that were added then are added.

    Args:
        recordings: by edge.
        source: the source node.
        streams: those that the run began with, by id.
        ledger: counts frames.
        max_frames: later ones of each stream are left out.
        stopped: asked before each tick.
        held: values that no mark changes; see `without_held`.

    Raises:
        ConfigError: a recorded stream is not one of this run.
        PipelineError: the recordings do not fit each other.
    """
    number, ends = 0, dict[str, Mark]()
    values: dict[str, Value] = {}
    now = dict(streams)
    while not stopped() and (parts := _next_of_each(recordings)):
        last = parts[list(parts)[-1]]
        marks = tuple(without_held(mark, held, now) for mark in last.marks)
        now = with_streams_of(now, changes_of(marks))
        frames = with_streams(last.frames, marks, now)
        # When frames came was told by the clock of the recorded run.
        frames = replace(frames, arrived_ns=np.zeros(len(frames), np.int64))
        values = {edge: narrowed(part, last, f"--replay {edge}: tick {number}") for edge, part in parts.items()}
        slots = {edge: Slot(value) for edge, value in values.items()}
        tick = Tick(number, frames, marks, {source.name: Slot(frames), **slots})
        _note_ends(ends, tick)
        if max_frames is not None and len(frames):
            tick = tick.keep(frames.frame_index < max_frames)
        for stream_id in tick.frames.stream_id:
            ledger.read(source.name, stream_id)
        yield tick
        number += 1
    for end in ends.values():
        frames = no_frames(now[end.stream_id])
        empty = {edge: Slot(value.empty()) for edge, value in values.items()}
        yield Tick(number, frames, (end,), {source.name: Slot(frames), **empty})
        number += 1


def _next_of_each(recordings: Mapping[str, Recording]) -> dict[str, RecordedTick] | None:
    """Return the next tick of each recording; None when one is at its end."""
    parts = {edge: part for edge, recording in recordings.items() if (part := next(recording, None)) is not None}
    if len(parts) == len(recordings):
        return parts
    if parts:
        over = [edge for edge in recordings if edge not in parts]
        logger.warning(
            "--replay: the recording of %s ends before that of %s; the rest is not used",
            ", ".join(over), ", ".join(parts),
        )  # fmt: skip
    return None


def _note_ends(ends: dict[str, Mark], tick: Tick) -> None:
    """Keep, for each stream that is not at its end, the mark that would end it now."""
    rows = zip(tick.frames.stream_id, tick.frames.generation.tolist(), tick.frames.pts_ns.tolist(), strict=True)
    for stream_id, generation, pts_ns in rows:
        ends[stream_id] = Mark("ended", stream_id, generation, pts_ns)
    for mark in (mark for mark in tick.marks if mark.kind != "configured"):
        ends[mark.stream_id] = replace(mark, kind="ended")
        if mark.kind == "ended":
            del ends[mark.stream_id]


def batched(taken: list[Admitted]) -> FrameBatch:
    """Return admitted frames as the frames of a tick, in the order given."""
    return FrameBatch(
        stream_id=tuple(one.stream.id for one in taken),
        generation=np.array([one.generation for one in taken], np.int64),
        frame_index=np.array([one.frame_index for one in taken], np.int64),
        pts_ns=np.array([one.frame.pts_ns for one in taken], np.int64),
        arrived_ns=np.array([one.arrived_ns for one in taken], np.int64),
        size_wh=np.array([_size_wh(one.frame) for one in taken], np.int32).reshape(-1, 2),
        pictures=tuple(one.frame.picture for one in taken if one.frame.picture),
        streams={one.stream.id: one.stream for one in taken},
    )


def joined_values(kind: type[Value], taken: list[Admitted] | Marked) -> Value:
    """Return what a source knows of admitted frames as one value of the tick they make; a mark brings nothing."""
    frames = [] if isinstance(taken, Marked) else [one.frame for one in taken]
    values = [(row, frame.value) for row, frame in enumerate(frames) if frame.value is not None]
    moved = [with_rows(value, np.array([row])) if hasattr(value, "frame_row") else value for row, value in values]
    return concat([kind.empty(), *moved])


def _size_wh(frame: Frame) -> tuple[int, int]:
    if frame.size_wh is not None:
        return frame.size_wh
    assert frame.picture is not None  # the reader saw to it
    return frame.picture.size_wh
