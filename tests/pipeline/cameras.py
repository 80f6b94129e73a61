"""Cameras made of functions, and runs with something that happens beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import SourceError
from pipeline.frames import FrameBatch
from pipeline.node import Frame
from pipeline.report import RunReport, Snapshot
from pipeline.runtime import Runtime
from pipeline.status import StreamStatus
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    FakeClock,
    Log,
    adds_up,
    chain,
    copy,
    frame,
    graph,
    node_class,
    runtime,
    source_class,
    stream,
)

AT_ONCE = {"back_off_first_s": 0.001, "back_off_cap_s": 0.001}


def gone(reason: Any = "ended") -> SourceError:
    return SourceError("cam: gone", reason)


class Camera:
    """A live source made of connections: each a function that yields items; after the last one the stream ends."""

    def __init__(self, *connections: Callable[[], Iterator[Any]]) -> None:
        self.left = list(connections)
        self.cls = source_class(lambda source: self._read(source), is_live=lambda url: True)
        self.opened: list[str] = []

    def _read(self, source: Any) -> Iterator[Any]:
        self.opened.append(source.stream.id)
        if self.left:
            yield from self.left.pop(0)()


def frames_of(first: int, count: int, then: Exception | None = None) -> Callable[[], Iterator[Any]]:
    def connection() -> Iterator[Any]:
        yield from (frame(index) for index in range(first, first + count))
        if then:
            raise then

    return connection


class Marks(Log):
    """A sink that keeps frames and marks in the order in which they come, as `stream generation`."""

    def __init__(self) -> None:
        self.story: list[str] = []
        super().__init__(self._see)
        log = self
        self.cls.stream_ended = lambda _, stream_id: log.story.append(f"ended {stream_id}")  # type: ignore[assignment]

    def _see(self, frames: FrameBatch) -> None:
        self.story += [f"{id} {int(gen)}" for id, gen in zip(frames.stream_id, frames.generation, strict=True)]


def holding() -> Any:
    """Return a node that tells when it is asked for what it holds."""
    told: list[str] = []
    members = {
        "stream_broken": lambda _, stream_id: told.append(f"broken {stream_id}"),
        "stream_ended": lambda _, stream_id: told.append(f"ended {stream_id}"),
    }
    return node_class(copy, **members), told


def live_run(camera: Camera, out: Path, *middle: Any, **options: Any) -> tuple[Runtime, Marks]:
    marks = Marks()
    whole = graph(*chain(marks, *middle), source=camera.cls)
    values = options.pop("values", {})
    cam = stream("cam", live=True, when_full="wait", **values)
    return runtime(whole, [cam], out, **{"clock": FakeClock(), **options}), marks


def finished(run: Runtime) -> RunReport:
    report = run.run(every_s=0.005)
    assert adds_up(report.edges)
    assert adds_up(report.streams)
    return report


def during(run: Runtime, do: Callable[[], None]) -> RunReport:
    """Run with a thread beside that does something; what it raises is raised here, after the run was ended."""
    failure: list[BaseException] = []

    def beside() -> None:
        try:
            do()
        except BaseException as error:
            failure.append(error)
        finally:
            run.interrupt()

    thread = threading.Thread(target=beside)
    begun = threading.Event()

    def observe(snapshot: Snapshot) -> None:
        if not begun.is_set():
            begun.set()
            thread.start()

    report = run.run(observe, every_s=0.001)
    thread.join(PATIENCE_S)
    if failure:
        raise failure[0]
    assert adds_up(report.edges) and adds_up(report.streams), report.edges
    return report


def until(holds: Callable[[], bool]) -> None:
    given_up = threading.Event()
    timer = threading.Timer(PATIENCE_S, given_up.set)
    timer.start()
    while not holds():
        assert not given_up.wait(0.002), "waited for something that never happened"
    timer.cancel()


def status(run: Runtime, stream_id: str = "cam") -> StreamStatus:
    return next(one for one in run.status().streams if one.id == stream_id)


def endless() -> Iterator[Any]:
    index = 0
    while True:
        yield Frame(frame(0).picture, index * STEP_NS)
        index += 1
