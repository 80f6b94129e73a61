"""Run a graph: one thread for each source, stage and live sink; ticks flow from left to right until streams end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.admission import Admission
from pipeline.assembly import assemble
from pipeline.backends.acceleration import acceleration
from pipeline.channel import Channel
from pipeline.clock import Clock
from pipeline.configured import configured
from pipeline.device import Device
from pipeline.edge_files import EdgeFiles
from pipeline.errors import ConfigError, RefusedError
from pipeline.feed import below_the_cut, needs_source, ticks_from_recordings, ticks_from_sources
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.ledger import Ledger
from pipeline.line import Line
from pipeline.node import Context, Node
from pipeline.observer import Observer
from pipeline.reader import Reader
from pipeline.readers import Readers
from pipeline.replayable import first
from pipeline.report import RunReport, Snapshot
from pipeline.running import said
from pipeline.settings import EngineConfig
from pipeline.shedding import Governor
from pipeline.stage import Policy
from pipeline.status import RunStatus
from pipeline.streams import StreamConfig
from pipeline.tick import Tick
from pipeline.transit import Transit
from pipeline.workers import Workers
from pipeline.zero_copy import CopyWatch

logger = logging.getLogger(__name__)

BETWEEN_STAGES = 2
"""Ticks that may wait before a stage: one being handed over and one to go on with; more only adds latency."""
LOOK_EVERY_S = 0.05
"""Longest time until an interrupt is noticed."""
Observe = Callable[[Snapshot], None]


class Runtime:
    """One run of a graph on some streams."""

    def __init__(
        self,
        graph: Graph,
        streams: Sequence[Stream],
        settings: EngineConfig,
        *,
        device: Device,
        out_dir: Path,
        root: Path,
        record: Mapping[str, Path] | None = None,
        ahead: Iterable[str] = (),
        replay: Mapping[str, Path] | None = None,
        held: Collection[tuple[str, ...]] = (),
        again: Mapping[str, Path] | None = None,
        max_frames: int | None = None,
        began_s: int = 0,
        keep_open: bool = False,
        models: Mapping[str, tuple[str, str]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a run; nothing is opened yet.

        Args:
            graph: a checked graph.
            streams: what to read; ids are unique.
            settings: the `engine:` block.
            device: where models run.
            out_dir: sinks write to `<out_dir>/<stream id>/`.
            root: the folder of the program, where model cards are found.
            record: folders to record edges to, by edge. These come before all that they do not depend on,
            ahead: and then these nodes: neither sees frames dropped by others, such as what draws.
            replay: folders to read edges from, by edge, in place of the nodes above.
            held: values that stay as they are where those of a recorded run changed; see `configured.without_held`.
            again: the same for edges that an earlier pass of this run has written down; they can be recorded, too.
            max_frames: frames after which each stream is ended.
            began_s: unix time at which the run began: the first generation of live streams.
            keep_open: go on when the last stream was removed, because others may be added.
            models: name and checksum by card of the models that what is replayed was recorded with.
            clock: tells the time; another one is for tests.
        """
        clock = clock or Clock()
        live = self._live = keep_open or any(stream.live for stream in streams)
        self._held = held
        self._replay = {**(replay or {}), **(again or {})}
        self._whole_graph = graph
        self._graph = first(first(below_the_cut(graph, self._replay), ahead), record or {})
        self._from_recordings = bool(self._replay) and not needs_source(self._graph, self._replay)
        if self._replay and not self._from_recordings and live:
            raise ConfigError("--replay: expected files or nodes that need no pictures, got a live stream; name files")
        self._edges = EdgeFiles(graph, self._graph, record or {}, self._replay, again or {})
        self._streams = {stream.id: stream for stream in streams}
        """Those of the beginning."""
        self._copies = CopyWatch(device, settings.assert_zero_copy, self._fail)
        self._max_frames = max_frames
        self._interrupted = self._stopped = self._running = False
        self._errors: list[BaseException] = []
        self._ledger = Ledger()
        self._contexts: dict[str, Context] = {}
        engines = acceleration(settings, device, live=live)

        def context(name: str) -> Context:
            return self._contexts.setdefault(name, Context(name, device, out_dir, root, graph, models, engines))

        self._context = context
        transit, source = Transit(clock), self._graph.source
        lent, governor = context(source.name), Governor(clock)
        door = self._admission = Admission(
            streams, settings, clock, transit, self._ledger, source.name, began_s, keep_open
        )

        def reader(stream: Stream) -> Reader:
            return Reader(source, lent, stream, door, max_frames, settings, clock, lambda: governor.keep)

        self._readers = Readers(reader, streams, door, self._ledger, clock, governor)
        stages, lanes = assemble(self._graph, context, settings, live, clock, self._ledger)
        channels: list[Channel[Tick]] = [Channel(BETWEEN_STAGES) for _ in stages[1:]]
        self._observer = Observer(self._graph, clock, self._ledger, self._readers, stages, lanes, channels, transit)
        policy = Policy(settings.on_error == "drop" or (settings.on_error == "auto" and live), self._edges.write_down)
        line = Line(stages, lanes, channels, policy, self._ledger, self._observer, settings.ticks_in_flight, self._fail)
        work = [*stages, *([lane.running] for lane in lanes)]
        self._workers = Workers(work, line.loops(self._ticks(), source.name), source.name, self._fail)

    def run(self, observe: Observe | None = None, every_s: float = 0.25) -> RunReport:
        """Run until the streams end, `interrupt()` is called or something fails; sinks are finished in any case.

        Args:
            observe: called with a snapshot about every `every_s` seconds, on this thread.
            every_s: seconds between snapshots.

        Returns:
            How it went; an error while running is in the report.

        Raises:
            PipelineError: the run could not begin: a model, an output or a recording is wrong.
        """
        workers = self._workers
        try:
            self._edges.open()
            workers.open()
            begin = workers.failure is None
            if begin:
                self._observer.begin()
                self._copies.begin()
                self._running = True
                if not self._from_recordings:
                    self._readers.start()
            workers.decide(begin)
            self._wait_for(workers.threads, observe if begin else None, every_s)
        except BaseException:  # Ctrl-C where nobody handles it, what `observe` raises, a thread that cannot be made
            workers.decide(begin=False)
            self._stop()
            self._wait_for(workers.threads, None, every_s)
            raise
        finally:
            self._running = False
            self._edges.close()
        if workers.failure is not None:
            raise workers.failure
        self._copies.check()
        if self._errors:
            self._ledger.settle(self._observer.hand_overs(), "run_stopped")
        report = self._observer.report(self._errors, self._interrupted, sum(workers.engine_cpu_ns))
        return replace(report, crossed=self._copies.crossed())

    def outputs(self, names: Iterable[str]) -> list[Path]:
        """Return the files that nodes wrote for single streams, sorted; to be asked after the run."""
        return sorted({path for name in names if name in self._contexts for path in self._contexts[name].outputs})

    @property
    def reads_sources(self) -> bool:
        """Tell whether sources are read, rather than recordings alone."""
        return not self._from_recordings

    def node(self, name: str) -> Node[Any]:
        """Return another instance of a node, which is not opened."""
        spec = self._whole_graph.node(name)
        return spec.cls(spec.config, self._context(name))

    def interrupt(self) -> None:
        """Let no more frames in; finish what is inside, and the sinks.

        Safe to call from any thread and from a signal handler: it takes no lock that the interrupted code may hold.
        """
        self._interrupted = True

    # while it runs, from any thread

    def status(self) -> RunStatus:
        """Return everything there is to say of the run now."""
        failed = "; ".join(dict.fromkeys(said(error) for error in list(self._errors))) or None
        return self._observer.status(self._running and not self._stopped, failed)

    def streams(self) -> dict[str, Stream]:
        """Return the streams that are here, by id."""
        return {reader.stream.id: reader.stream for reader in self._readers.here()}

    def add_stream(self, stream: Stream) -> None:
        """Begin a live stream.

        Raises:
            ConfigError: its id is taken.
            RefusedError: the run is over, or has no live streams.
        """
        if not self._live:
            raise RefusedError(f"stream {stream.id!r}: expected a run of live streams, got one of files; start another")
        if stream.config.start_time is None:
            config = stream.config.model_copy(update={"start_time": datetime.now(UTC)})
            stream = replace(stream, config=config)
        self._readers.add(stream, configured({stream.id: stream.config}))

    def remove_stream(self, stream_id: str) -> None:
        """End a stream: visits end, its frames inside go through, those at the door are dropped (`removed`).

        Raises:
            UnknownStreamError: there is none of that id.
        """
        self._readers.remove(stream_id)

    def pause_stream(self, stream_id: str) -> None:
        """Let go of a stream until `resume_stream()`.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        self._readers.pause(stream_id)

    def resume_stream(self, stream_id: str) -> None:
        """Read a paused stream again.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        self._readers.resume(stream_id)

    def configure(self, streams: Mapping[str, StreamConfig], nodes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change values at one tick, in all stages: a mark with them goes through the graph.

        Args:
            streams: all values of the streams that change, by id.
            nodes: fields and values, as plain data, of the nodes that change, by name; checked before.

        Raises:
            UnknownStreamError: one of the streams is not here.
        """
        self._readers.configure(configured(streams, nodes), streams)

    def _wait_for(self, threads: list[threading.Thread], observe: Observe | None, every_s: float) -> None:
        observed_s = time.monotonic()
        while alive := next((thread for thread in threads if thread.is_alive()), None):
            alive.join(min(LOOK_EVERY_S, every_s))
            if self._interrupted and not self._stopped:
                self._stop()
            self._readers.watch()
            self._copies.check()
            if observe and time.monotonic() - observed_s >= every_s:
                observed_s = time.monotonic()
                observe(self._observer.snapshot())
        self._readers.join()
        if observe:
            observe(self._observer.snapshot())

    # on other threads

    def _ticks(self) -> Iterator[Tick]:
        source, recordings = self._graph.source, self._edges.recordings

        def stopped() -> bool:
            return self._stopped

        if not self._from_recordings:
            return ticks_from_sources(self._admission, source, recordings, stopped)
        return ticks_from_recordings(
            recordings, source, self._streams, self._ledger, self._max_frames, stopped, self._held
        )

    def _fail(self, error: BaseException) -> None:
        self._errors.append(error)
        logger.debug("the run fails", exc_info=error)
        self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._readers.stop()
        self._admission.stop()
