"""Between two passes: let a node put right what it put out, now that all of it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import NodeError, PipelineError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import NodeSpec
from pipeline.node import Node
from pipeline.recording import Recorder, Recording
from pipeline.rejoining import with_streams
from pipeline.running import checked, said
from pipeline.tick import Slot, Tick
from pipeline.values import Value


class WrittenDown:
    """Frames and values of an edge as they were recorded; read from disk each time they are gone through."""

    def __init__(self, open_recording: Callable[[], Recording], streams: Mapping[str, Stream]) -> None:
        self._open, self._streams = open_recording, dict(streams)

    def __iter__(self) -> Iterator[tuple[FrameBatch, Value]]:
        recording = self._open()
        try:
            for tick in recording:
                yield with_streams(tick.frames, tick.marks, self._streams), tick.value
        finally:
            recording.close()


def revise(
    spec: NodeSpec, node: Node[Any], streams: Mapping[str, Stream], recorded: Path, target: Path,
    stopped: Callable[[], bool],
) -> None:  # fmt: skip
    """Write what a node put out as it should have been.

    Args:
        spec: the node in its graph.
        node: an instance that is not opened.
        streams: those of the run, by id.
        recorded: folder of what it put out.
        target: another folder, for what it should have been.
        stopped: asked before each tick; the rest is left out then.

    Raises:
        NodeError: the node fails, or returns what it must not.
        PipelineError: a file cannot be read or written.
    """
    kind = spec.ports.output
    assert kind is not None

    def open_recording() -> Recording:
        return Recording(spec.name, kind, recorded)

    recorder = Recorder(spec.name, kind, target)
    before = open_recording()
    try:
        values = iter(node.revised(WrittenDown(open_recording, streams)))
        for tick in before:
            if stopped():
                return
            value = checked(next(values, None), kind, len(tick.frames))
            recorder.add(Tick(0, tick.frames, tick.marks, {spec.name: Slot(value)}))
        if next(values, None) is not None:
            raise ValueError("expected one value for each tick, got more")
    except PipelineError:
        raise
    except Exception as error:
        raise NodeError(f"node {spec.name!r} ({spec.type}): revised(): {said(error)}") from error
    finally:
        before.close()
        recorder.close()
