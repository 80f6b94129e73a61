"""Put what was recorded back into ticks: find out whether it belongs there, and what is left of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.configured import changes_of
from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.marks import Mark
from pipeline.recording import RecordedTick
from pipeline.tick import Tick, restrict
from pipeline.values import Value


def fits(recorded: RecordedTick, tick: Tick) -> bool:
    """Tell whether a tick has the frames and marks of a recorded one."""
    return bool(_story(recorded.frames, recorded.marks) == _story(tick.frames, tick.marks))


def rejoin(recorded: RecordedTick, tick: Tick, where: str, cure: str) -> Value:
    """Return the recorded value for a tick that was read from its source again.

    Args:
        recorded: the tick as it was recorded.
        tick: as it was read.
        where: names the edge, for messages.
        cure: what to do where they differ.

    Raises:
        PipelineError: the tick has other frames or marks than the recorded one.
    """
    if not fits(recorded, tick):
        raise PipelineError(
            f"{where}: tick {tick.number}: expected {_told(recorded.frames, recorded.marks)} as recorded, "
            f"got {_told(tick.frames, tick.marks)}; {cure}"
        )
    return recorded.value


def narrowed(recorded: RecordedTick, last: RecordedTick, where: str) -> Value:
    """Return a recorded value as those below the last recorded edge saw it.

    On its way there a tick may lose the frames of a stream on which a node failed, get marks, and go on with another
    generation of that stream.

    Args:
        recorded: the tick on an edge.
        last: the same tick on the last recorded edge.
        where: names edge and tick.

    Raises:
        PipelineError: it is another tick.
    """
    left = set(_rows(last.frames))
    kept = np.array([row in left for row in _rows(recorded.frames)], bool)
    same_frames = _rows(recorded.frames.take(kept)) == _rows(last.frames)
    if not same_frames or _moments(recorded.marks) != _moments(last.marks)[: len(recorded.marks)]:
        raise PipelineError(
            f"{where}: expected {_told(last.frames, last.marks)} as on the other edges, "
            f"got {_told(recorded.frames, recorded.marks)}; replay edges that were recorded in one run"
        )
    return recorded.value if kept.all() else restrict(recorded.value, kept, lambda stream_id: True)


def with_streams(frames: FrameBatch, marks: tuple[Mark, ...], known: dict[str, Any]) -> FrameBatch:
    """Return recorded frames that know the streams of this run: those of frames and marks, and those that change.

    Raises:
        ConfigError: a stream was recorded that this run has not.
    """
    named = [id for changes in changes_of(marks) for id in changes.streams]
    happened = [mark.stream_id for mark in marks if mark.kind != "configured"]
    ids = dict.fromkeys([*frames.stream_id, *happened, *named])
    unknown = [stream_id for stream_id in ids if stream_id not in known]
    if unknown:
        raise ConfigError(
            f"--replay: expected streams of this run ({', '.join(known)}), got recorded {', '.join(unknown)}; "
            f"add --source {unknown[0]}=..."
        )
    return replace(frames, streams={stream_id: known[stream_id] for stream_id in ids})


def _story(frames: FrameBatch, marks: tuple[Mark, ...]) -> Any:
    return frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), marks


def _rows(frames: FrameBatch) -> list[tuple[str, int, int]]:
    return list(zip(frames.stream_id, frames.frame_index.tolist(), frames.pts_ns.tolist(), strict=True))


def _moments(marks: tuple[Mark, ...]) -> list[tuple[str, str, int]]:
    return [(mark.kind, mark.stream_id, mark.pts_ns) for mark in marks]


def _told(frames: FrameBatch, marks: tuple[Mark, ...]) -> str:
    rows = zip(frames.stream_id, frames.pts_ns.tolist(), strict=True)
    told = [f"{stream_id!r} at {pts_ns / 1e9:.3f} s" for stream_id, pts_ns in rows]
    told += [
        "changed values"
        if mark.kind == "configured"
        else f"{mark.stream_id!r} {mark.kind} at {mark.pts_ns / 1e9:.3f} s"
        for mark in marks
    ]
    return ", ".join(told) or "nothing"
