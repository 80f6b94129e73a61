"""Sources that put out stamps of their own, and sinks that keep what they read off their edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.frames import FrameBatch, Picture
from pipeline.node import Frame, Source
from pipeline.report import RunReport
from pipeline.values import Value
from tests.pipeline.rig import STEP_NS, Stamps, graph, node_class, runtime, source_class, stream

PICTURE = Picture((np.zeros((2, 4, 3), np.uint8),), "bgr")
SIZE = (8, 6)


def stamps(*values: int, frame_row: int = 0) -> Stamps:
    return Stamps(np.full(len(values), frame_row, np.int64), np.array(values, np.int64))


def known(step: int, *values: int, **options: Any) -> Frame:
    """Return a frame without a picture of which the source knows some stamps."""
    return Frame(None, step * STEP_NS, SIZE, stamps(*values), **options)


def source(items: dict[str, list[Any]], kind: type[Value] = Stamps, pictures: bool = False) -> type[Source[Any]]:
    """Return a source class that puts out values of that kind."""

    def read(self: Any) -> Iterator[Any]:
        yield from items[self.stream.id]

    def process(self: Any) -> Value:
        raise NotImplementedError

    process.__annotations__ = {"return": kind}
    return source_class(read, process=process, gives_pictures=pictures)


class Seen:
    """A sink class that reads frames and stamps off edges, and what it got."""

    def __init__(self) -> None:
        self.ticks: list[tuple[list[str], list[int], list[tuple[int, int]]]] = []
        seen = self

        def keep(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
            rows = zip(stamps.frame_row.tolist(), stamps.stamp_ns.tolist(), strict=True)
            seen.ticks.append((list(frames.stream_id), frames.frame_index.tolist(), list(rows)))
            assert not frames.pictures and (frames.size_wh == SIZE).all()
            assert set(frames.streams) >= set(frames.stream_id)

        self.cls = node_class(keep)

    def filled(self) -> list[tuple[list[str], list[int], list[tuple[int, int]]]]:
        return [tick for tick in self.ticks if tick[0]]


def run(made: type[Source[Any]], out: Path, *specs: Any, ids: Sequence[str] = ("shop",), **options: Any) -> RunReport:
    live = options.pop("live", False)
    streams = [stream(id, live, when_full="wait") for id in ids]
    return runtime(graph(*specs, source=made), streams, out, **options).run(every_s=0.02)
