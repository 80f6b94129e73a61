"""Run a graph: one thread for each source, stage and live sink; ticks flow from left to right until streams end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.admission import Admission
from pipeline.assembly import assemble
from pipeline.channel import Channel, ChannelClosed
from pipeline.clock import Clock
from pipeline.device import Device
from pipeline.errors import ConfigError, PipelineError
from pipeline.feed import below_the_cut, needs_pictures, open_recordings, ticks_from_recordings, ticks_from_sources
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.latency import Latency
from pipeline.ledger import Ledger
from pipeline.node import Context
from pipeline.observer import Observer
from pipeline.opening import Opening
from pipeline.reader import Reader
from pipeline.recording import Recorder
from pipeline.report import RunReport, Snapshot
from pipeline.settings import EngineConfig
from pipeline.stage import Policy, RunningNode, run_stage
from pipeline.tick import Tick

logger = logging.getLogger(__name__)

BETWEEN_STAGES = 2
"""Ticks that may wait before a stage: one being handed over and one to go on with; more only adds latency."""


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
        replay: Mapping[str, Path] | None = None,
        max_frames: int | None = None,
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
            record: folders to record edges to, by edge.
            replay: folders to read edges from, by edge, in place of the nodes above.
            max_frames: frames after which each stream is ended.
            clock: tells the time; another one is for tests.
        """
        clock = clock or Clock()
        self._streams = {stream.id: stream for stream in streams}
        live = any(stream.live for stream in streams)
        self._max_frames = max_frames
        self._recordings = open_recordings(graph, replay or {})
        self._graph = below_the_cut(graph, replay or {})
        self._from_recordings = bool(replay) and not needs_pictures(self._graph)
        if replay and not self._from_recordings and live:
            raise ConfigError("--replay: expected files or nodes that need no pictures, got a live stream; name files")
        self._record = dict(record or {})
        self._source = self._graph.source
        self._ledger = Ledger()
        self._permits = threading.Semaphore(settings.ticks_in_flight)
        self._interrupted = threading.Event()
        self._errors: list[Exception] = []
        self._recorders: dict[str, Recorder] = {}
        drop = settings.on_error == "drop" or (settings.on_error == "auto" and live)
        self._policy = Policy(drop, self._write_down)

        def context(name: str) -> Context:
            return Context(name, device, out_dir, root)

        transit = Latency()
        self._admission = Admission(streams, settings, clock, transit, self._ledger, self._source.name)
        self._stages, self._lanes = assemble(self._graph, context, settings, live, clock, self._ledger)
        self._channels: list[Channel[Tick]] = [Channel(BETWEEN_STAGES) for _ in self._stages[1:]]
        self._readers = [
            Reader(self._source, context(self._source.name), stream, self._admission, max_frames) for stream in streams
        ]
        self._observer = Observer(
            self._graph,
            clock,
            self._ledger,
            self._admission,
            self._readers,
            self._stages,
            self._lanes,
            self._channels,
            transit,
        )

    def run(self, observe: Callable[[Snapshot], None] | None = None, every_s: float = 0.25) -> RunReport:
        """Run until the streams end, `interrupt()` is called or something fails; sinks are finished in any case.

        Args:
            observe: called with a snapshot every `every_s` seconds, on this thread.
            every_s: seconds between snapshots.

        Returns:
            How it went; an error while running is in the report.

        Raises:
            PipelineError: the run could not begin: a model, an output or a recording is wrong.
        """
        self._begin_recordings()
        nodes = [*self._stages, *([lane.running] for lane in self._lanes)]
        loops = [self._feed, *([self._pass_on] * (len(self._stages) - 1)), *([self._drain] * len(self._lanes))]
        opening = Opening(len(nodes))
        threads = [
            threading.Thread(target=self._work, args=(index, running, loop, opening), name=_thread_name(running, index))
            for index, (running, loop) in enumerate(zip(nodes, loops, strict=True))
        ]
        for thread in threads:
            thread.start()
        opening.wait()
        if not opening.failed:
            self._observer.begin()
            threads += [] if self._from_recordings else [reader.start() for reader in self._readers]
        opening.go()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(every_s / len(threads))
            if observe and not opening.failed:
                observe(self._observer.snapshot())
        for recorder in self._recorders.values():
            recorder.close()
        if opening.failed:
            raise opening.failed[0]
        return self._observer.report(self._errors, self._interrupted.is_set())

    def interrupt(self) -> None:
        """Let no more frames in; finish what is inside, and the sinks. Safe to call from a signal handler."""
        self._interrupted.set()
        self._stop()

    # threads

    def _work(self, index: int, running: list[RunningNode], loop: Callable[[int], None], opening: Opening) -> None:
        """Open a stage's nodes, run its loop, close them: all on one thread, as nodes are promised."""
        begun: list[RunningNode] = []
        try:
            for one in running:
                begun.append(one)
                one.node.open()
        except Exception as error:
            opening.failed.append(_cannot_open(one.spec.name, one.spec.type, error))
        opening.arrive()
        try:
            if not opening.failed:
                cpu_ns = time.thread_time_ns()
                loop(index)
                in_nodes = sum(one.meter.cpu_ns for one in running)
                self._observer.engine_cpu_ns.append(time.thread_time_ns() - cpu_ns - in_nodes)
        finally:
            for one in begun:
                try:
                    one.node.close()
                except Exception as error:
                    if not opening.failed:
                        self._fail(error)

    def _feed(self, index: int) -> None:
        """Make ticks, run the nodes that ride along with the source, and hand the ticks on."""
        ticks = self._ticks()
        try:
            while True:
                self._permits.acquire()
                tick = next(ticks, None)
                if tick is None:
                    break
                self._observer.entered(tick)
                self._write_down(self._source.name, tick)
                self._run(index, tick)
        except Exception as error:
            self._fail(error)
            self._drain_admission()
        finally:
            self._close_next(index)

    def _pass_on(self, index: int) -> None:
        """Run a stage on what the one before hands over. After a failure ticks are counted and let go."""
        channel, failed = self._channels[index - 1], False
        try:
            while True:
                tick = channel.get()
                if failed:
                    self._let_go(index, tick)
                    continue
                try:
                    self._run(index, tick)
                except Exception as error:
                    failed = True
                    self._fail(error)
                    self._permits.release()
        except ChannelClosed:
            self._close_next(index)

    def _drain(self, index: int) -> None:
        self._lanes[index - len(self._stages)].run()

    def _run(self, index: int, tick: Tick) -> None:
        tick = run_stage(self._stages[index], tick, self._policy, self._ledger)
        if index + 1 < len(self._stages):
            self._channels[index].put(tick)
            return
        for lane in self._lanes:
            lane.offer(tick)
        self._observer.left(tick)
        self._permits.release()

    def _let_go(self, index: int, tick: Tick) -> None:
        first = self._stages[index][0].spec.name
        self._ledger.came(first, len(tick.frames))
        self._ledger.dropped(first, "run_stopped", len(tick.frames))
        self._permits.release()

    def _drain_admission(self) -> None:
        """Take what sources still hand over after the feed failed, so that none of them waits for ever."""
        if self._from_recordings:
            return
        while (taken := self._admission.take()) is not None:
            if isinstance(taken, list):
                self._ledger.went(self._source.name, -len(taken))
                self._ledger.dropped(self._source.name, "run_stopped", len(taken))

    def _close_next(self, index: int) -> None:
        if index + 1 < len(self._stages):
            self._channels[index].close()
        else:
            for lane in self._lanes:
                lane.close()

    def _ticks(self) -> Iterator[Tick]:
        if self._from_recordings:
            for tick in ticks_from_recordings(
                self._recordings, self._source, self._streams, self._ledger, self._max_frames
            ):
                if self._interrupted.is_set():
                    return
                yield tick
        else:
            yield from ticks_from_sources(self._admission, self._source, self._streams, self._recordings)

    def _begin_recordings(self) -> None:
        for edge, folder in self._record.items():
            kind = self._graph.node(edge).ports.output
            if kind is None:
                raise ConfigError(f"--record {edge}: expected an edge with values, got a sink; record what it reads")
            self._recorders[edge] = Recorder(edge, kind, folder)

    def _write_down(self, name: str, tick: Tick) -> None:
        if name in self._recorders:
            self._recorders[name].add(tick)

    def _fail(self, error: Exception) -> None:
        self._errors.append(error)
        if not isinstance(error, PipelineError):
            logger.debug("unexpected error", exc_info=error)
        self._stop()

    def _stop(self) -> None:
        for reader in self._readers:
            reader.stop()
        self._admission.stop()


def _thread_name(running: list[RunningNode], index: int) -> str:
    return running[0].spec.name if running else f"stage-{index}"


def _cannot_open(name: str, type_name: str, error: Exception) -> Exception:
    if isinstance(error, PipelineError):
        return error
    return PipelineError(f"node {name!r} ({type_name}): cannot be opened: {type(error).__name__}: {error}")
