"""A live graph that runs on a thread while something is done to it; its frames are counted at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from benchmarks.live_sink import Eye, with_eye
from benchmarks.live_tally import violations
from benchmarks.results import ROOT
from pipeline.device import open_device
from pipeline.errors import PipelineError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.report import RunReport
from pipeline.runtime import Runtime
from pipeline.settings import EngineConfig
from pipeline.status import StreamStatus
from pipeline.streams import StreamConfig

POLL_S = 0.005
OPENING_S = 60.0
"""Longest time until models are loaded and threads run."""
NOT_ADDED_UP = ("are missing", " came")
"""How the lines end in which the engine says that frames do not add up."""


class LiveRun:
    """A run with a measuring sink. Leaving it interrupts the run and counts what does not add up.

    Attributes:
        runtime: to be steered.
        report: how it went, once it was left.
        violations: a line for each account that does not add up, once it was left.
    """

    def __init__(self, graph: Graph, settings: EngineConfig, streams: Sequence[Stream], eye: Eye, folder: Path) -> None:
        """Make a run.

        Args:
            graph: without the measuring sink.
            settings: the engine's.
            streams: those it begins with.
            eye: what its sink sees with.
            folder: where its other sinks write to.
        """
        self.report: RunReport | None = None
        self.violations: list[str] = []
        self._error: BaseException | None = None
        self.runtime = Runtime(
            with_eye(graph, eye),
            streams,
            settings,
            device=open_device("cpu"),
            out_dir=folder,
            root=ROOT,
            began_s=int(time.time()),
        )
        self._thread = threading.Thread(target=self._run, name="live-run")

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_until(lambda: self.runtime.status().running, OPENING_S, "a run that has begun")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.runtime.interrupt()
        self._thread.join()
        if kind is not None:
            return
        if self._error is not None:
            raise self._error
        assert self.report is not None
        self.violations = not_added_up(self.report)
        if self.report.status == "failed" and not self.violations:
            raise PipelineError(f"live run: expected it to run until interrupted, got: {self.report.error}")

    def wait_until(self, reached: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait for something.

        Raises:
            PipelineError: it was not reached in time, or the run is over.
        """
        until_s = time.monotonic() + within_s
        while not reached():
            if not self._thread.is_alive():
                raise self._error or PipelineError(f"live run: expected {what}, got its end: {self._told()}")
            if time.monotonic() > until_s:
                raise PipelineError(f"live run: expected {what} within {within_s:g} s, got none; {self._states()}")
            time.sleep(POLL_S)

    def stream(self, stream_id: str) -> StreamStatus | None:
        """Return what the run says of a stream now; None of one that it does not have."""
        return next((one for one in self.runtime.status().streams if one.id == stream_id), None)

    def _run(self) -> None:
        try:
            self.report = self.runtime.run()
        except BaseException as error:
            self._error = error

    def _told(self) -> str | None:
        return self.report.error if self.report else None

    def _states(self) -> str:
        with suppress(Exception):
            told = [f"{one.id} {one.state} {one.message}".strip() for one in self.runtime.status().streams]
            return "; ".join(told)
        return "it does not answer"


def not_added_up(report: RunReport) -> list[str]:
    """Return a line for each node and stream whose frames do not add up, as counted here and as the engine says."""
    accounts = {f"node {name!r}": account for name, account in report.edges.items()}
    accounts |= {f"stream {name!r}": account for name, account in report.streams.items()}
    accounts["streams that were removed"] = report.removed
    engine = [line for line in (report.error or "").splitlines() if line.endswith(NOT_ADDED_UP)]
    return [*violations(accounts), *engine]


def live_stream(stream_id: str, url: str, **values: Any) -> Stream:
    """Return a live stream that begins now on the wall clock."""
    config: Mapping[str, Any] = {"url": url, "start_time": datetime.now(UTC), **values}
    return Stream(stream_id, StreamConfig(**config), live=True)
