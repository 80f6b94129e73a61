"""Run a file in two passes: down to a cut, and, with what is known at its end put right, from there on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.feed import open_recording
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.joined_report import joined, with_costs
from pipeline.recording import Recorder
from pipeline.replayable import part
from pipeline.report import RunReport, Snapshot, Status
from pipeline.revising import revise
from pipeline.runtime import Runtime
from pipeline.second_pass import SecondPass
from pipeline.settings import EngineConfig
from pipeline.status import RunStatus

Observe = Callable[[Snapshot], None]
FIRST, REVISED = "first", "revised"
"""Folders of what nodes put out, and of what they should have put out."""


class TwoPasses:
    """One run of a graph on files that is made of two; from outside it is like a `Runtime`.

    The first pass runs the nodes above the cut and writes down what passes on its edges, in a folder that is removed
    whatever happens. Then nodes revise what they put out. The second pass runs everything else, with what was written
    down in place of the nodes above; a source is read again if a node below looks at pictures. Sinks run in the second
    pass only: after an interrupt or a failure before it, nothing has been written.
    """

    def __init__(
        self,
        cut: SecondPass,
        folder: Path,
        graph: Graph,
        streams: Sequence[Stream],
        settings: EngineConfig,
        *,
        record: Mapping[str, Path] | None = None,
        ahead: Iterable[str] = (),
        replay: Mapping[str, Path] | None = None,
        **options: Any,
    ) -> None:
        """Make a run; nothing is opened yet.

        Args:
            cut: where, for this graph and these edges to record and to replay.
            folder: a place for what is written down; what is there is removed.
            graph: as for `Runtime`, like all that follows.
            streams: files.
            settings: as for `Runtime`; a node that fails stops the run.
            record: what is recorded of a node that is revised is what it should have put out.
            ahead: see `Runtime`.
            replay: see `Runtime`.
            options: see `Runtime`.

        Raises:
            ConfigError: frames are to be dropped where nodes fail.
        """
        cut.check(settings)
        self._cut, self._folder, self._graph = cut, folder, graph
        self._streams = {stream.id: stream for stream in streams}
        self._record, self._replay = dict(record or {}), dict(replay or {})
        self._interrupted = self._is_second = False
        above = part(graph, cut.above)
        given = {edge: path for edge, path in self._replay.items() if edge in cut.above}
        written = dict.fromkeys(cut.edges, folder / FIRST)
        self._first = Runtime(above, streams, settings, record=written, replay=given, **options)
        again = {edge: folder / (REVISED if edge in cut.revised else FIRST) for edge in cut.edges}
        self._second = Runtime(
            graph, streams, settings, record=record, ahead=ahead, replay=replay, again=again, **options
        )

    def run(self, observe: Observe | None = None, every_s: float = 0.25) -> RunReport:
        """Run both passes; see `Runtime.run`.

        Raises:
            PipelineError: a pass could not begin.
        """
        try:
            self._prepare()
            first = self._first.run(_numbered(observe, 1), every_s)
            report = replace(first, passes_s={"first": first.elapsed_s})
            if self._goes_on(report):
                report = self._revise(report)
            if not self._goes_on(report):
                status: Status = "failed" if report.error else "interrupted"
                return replace(report, status=status, frames=0, whole=False)
            self._is_second = True
            second = self._second.run(_numbered(observe, 2), every_s)
            both = joined([spec.name for spec in self._graph.nodes], report, second, self._second.reads_sources)
            return replace(both, passes_s={**report.passes_s, "second": second.elapsed_s})
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def outputs(self, names: Iterable[str]) -> list[Path]:
        """Return the files that nodes wrote for single streams, sorted; to be asked after the run."""
        return self._second.outputs(names)

    def status(self) -> RunStatus:
        """Return what the pass that goes on, or went last, says of itself."""
        return (self._second if self._is_second else self._first).status()

    def interrupt(self) -> None:
        """Let no more frames in; see `Runtime.interrupt`. In the first pass, end before the second."""
        self._interrupted = True
        self._first.interrupt()
        self._second.interrupt()

    def _goes_on(self, report: RunReport) -> bool:
        """Tell whether to go on: what came before a source failed is worth a second pass."""
        return report.whole and not report.bad_input and not self._interrupted

    def _revise(self, report: RunReport) -> RunReport:
        """Let nodes put right what they put out; return the report with what that cost, or with how it failed."""
        began_s = time.perf_counter()
        for name in self._cut.revised:
            wall_s, cpu_s = time.perf_counter(), time.thread_time()
            try:
                revise(
                    self._graph.node(name),
                    self._second.node(name),
                    self._streams,
                    self._folder / FIRST,
                    self._folder / REVISED,
                    lambda: self._interrupted,
                )
            except PipelineError as error:
                report = replace(report, status="failed", error=str(error), whole=False)
            report = with_costs(report, name, time.perf_counter() - wall_s, time.thread_time() - cpu_s)
            if not report.whole:
                break
        return replace(report, passes_s={**report.passes_s, "revising": time.perf_counter() - began_s})

    def _prepare(self) -> None:
        """See to it, before the first pass, that recordings are there and can be made.

        Raises:
            ConfigError: a recording is missing or wrong.
            PipelineError: one cannot be written.
        """
        for edge, folder in self._replay.items():
            open_recording(self._graph, edge, folder).close()
        for edge, folder in self._record.items():
            kind = self._graph.node(edge).ports.output
            assert kind is not None
            Recorder(edge, kind, folder).close()


def _numbered(observe: Observe | None, number: int) -> Observe | None:
    return observe and (lambda snapshot: observe(replace(snapshot, passes=(number, 2))))
