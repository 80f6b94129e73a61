"""Run a graph: one thread for each source, stage and live sink; ticks flow from left to right until streams end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.admission import Admission
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
from pipeline.reader import Reader
from pipeline.recording import Recorder
from pipeline.report import NodeReport, RunReport, Snapshot
from pipeline.settings import EngineConfig
from pipeline.sinks import SinkLane
from pipeline.stage import Meter, Policy, RunningNode, run_stage
from pipeline.stages import cut
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
        self._clock = clock or Clock()
        self._streams = {stream.id: stream for stream in streams}
        self._live = any(stream.live for stream in streams)
        self._max_frames = max_frames
        self._replay = dict(replay or {})
        self._recordings = open_recordings(graph, self._replay)
        self._graph = below_the_cut(graph, self._replay)
        self._from_recordings = bool(self._replay) and not needs_pictures(self._graph)
        if self._replay and not self._from_recordings and self._live:
            raise ConfigError("--replay: expected files or nodes that need no pictures, got a live stream; name files")
        self._record = dict(record or {})
        self._source = self._graph.source
        self._context = lambda name: Context(name, device, out_dir, root)
        self._ledger = Ledger()
        self._transit, self._age = Latency(), Latency()
        self._admission = Admission(streams, settings, self._clock, self._transit, self._ledger, self._source.name)
        self._permits = threading.Semaphore(settings.ticks_in_flight)
        self._lanes: list[SinkLane] = []
        self._stages = self._cut(settings)
        self._channels: list[Channel[Tick]] = [Channel(BETWEEN_STAGES) for _ in self._stages[1:]]
        self._readers = [
            Reader(self._source, self._context(self._source.name), stream, self._admission, max_frames)
            for stream in streams
        ]
        self._recorders: dict[str, Recorder] = {}
        drop = settings.on_error == "drop" or (settings.on_error == "auto" and self._live)
        self._policy = Policy(drop, self._write_down)
        self._interrupted = threading.Event()
        self._errors: list[Exception] = []
        self._engine_cpu_ns: list[int] = []
        self._frames_out = 0
        self._began_ns = 0

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
        self._recorders = {
            edge: Recorder(edge, self._graph.node(edge).ports.output, folder)  # type: ignore[arg-type]
            for edge, folder in self._record.items()
        }
        nodes = [stage for stage in self._stages] + [[lane.running] for lane in self._lanes]
        opened = _Opening(len(nodes))
        loops = [self._feed, *([self._pass_on] * (len(self._stages) - 1)), *([self._drain] * len(self._lanes))]
        threads = [
            threading.Thread(target=self._work, args=(index, running, loop, opened), name=_thread_name(running, index))
            for index, (running, loop) in enumerate(zip(nodes, loops, strict=True))
        ]
        for thread in threads:
            thread.start()
        opened.wait()
        if not opened.failed:
            self._began_ns = self._clock.now_ns()
            threads += [] if self._from_recordings else [reader.start() for reader in self._readers]
        opened.go()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(every_s / len(threads))
            if observe and self._began_ns:
                observe(self._snapshot())
        for recorder in self._recorders.values():
            recorder.close()
        if opened.failed:
            raise opened.failed[0]
        return self._report()

    def interrupt(self) -> None:
        """Let no more frames in; finish what is inside, and the sinks. Safe to call from a signal handler."""
        self._interrupted.set()
        self._stop()

    # threads

    def _work(self, index: int, running: list[RunningNode], loop: Callable[[int], None], opened: _Opening) -> None:
        """Open a stage's nodes, run its loop, close them: all on one thread, as nodes are promised."""
        begun: list[RunningNode] = []
        try:
            for one in running:
                begun.append(one)
                one.node.open()
        except Exception as error:
            opened.failed.append(_cannot_open(one.spec.name, one.spec.type, error))
        opened.arrive()
        try:
            if not opened.failed:
                cpu_ns = time.thread_time_ns()
                loop(index)
                in_nodes = sum(one.meter.cpu_ns for one in running)
                self._engine_cpu_ns.append(time.thread_time_ns() - cpu_ns - in_nodes)
        finally:
            for one in begun:
                try:
                    one.node.close()
                except Exception as error:
                    if not opened.failed:
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
                tick.entered_ns = self._clock.now_ns()
                self._policy.after_node(self._source.name, tick)
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
        lane = self._lanes[index - len(self._stages)]
        lane.run()

    def _run(self, index: int, tick: Tick) -> None:
        tick = run_stage(self._stages[index], tick, self._policy, self._ledger)
        if index + 1 < len(self._stages):
            self._channels[index].put(tick)
            return
        for lane in self._lanes:
            lane.offer(tick)
        self._leave(tick)

    def _leave(self, tick: Tick) -> None:
        now_ns = self._clock.now_ns()
        if len(tick.frames):
            self._transit.add(now_ns - tick.entered_ns)
        for arrived_ns in tick.frames.arrived_ns.tolist():
            if arrived_ns:
                self._age.add(now_ns - arrived_ns)
        self._frames_out += len(tick.frames)
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

    # making and telling

    def _cut(self, settings: EngineConfig) -> list[list[RunningNode]]:
        """Make the nodes, stage by stage. The sinks of a live graph leave their stages for lanes of their own."""
        stages = []
        for specs in cut(self._graph):
            stage = []
            for spec in specs:
                if spec is self._source:
                    continue
                running = RunningNode(spec, spec.cls(spec.config, self._context(spec.name)))
                if self._live and spec.ports.output is None:
                    keeps = spec.cls.sink_policy == "keep"
                    room = settings.sink_queue if keeps else settings.ticks_in_flight
                    self._lanes.append(SinkLane(running, room, self._clock, self._ledger))
                else:
                    stage.append(running)
            if stage or not stages:
                stages.append(stage)
        return stages

    def _meters(self) -> dict[str, Meter]:
        running = [one for stage in self._stages for one in stage] + [lane.running for lane in self._lanes]
        by_name = {one.spec.name: one.meter for one in running}
        source = Meter()
        for reader in self._readers:
            source.frames += reader.meter.frames
            source.wall_ns += reader.meter.wall_ns
            source.cpu_ns += reader.meter.cpu_ns
        source.rows = source.frames
        return {spec.name: by_name.get(spec.name, source) for spec in self._graph.nodes}

    def _snapshot(self) -> Snapshot:
        elapsed_s = (self._clock.now_ns() - self._began_ns) / 1e9
        meters = self._meters()
        return Snapshot(
            frames=self._frames_out,
            elapsed_s=elapsed_s,
            fps=self._frames_out / elapsed_s if elapsed_s > 0 else 0.0,
            pts_ns={name: pts_ns for name, (_, pts_ns) in self._admission.progress().items()},
            duration_ns={reader.stream.id: reader.duration_ns() for reader in self._readers},
            last_rows={name: meter.last_rows for name, meter in meters.items()},
            total_rows={name: meter.rows for name, meter in meters.items()},
        )

    def _report(self) -> RunReport:
        failures = [reader.error for reader in self._readers if reader.error]
        errors = [*self._errors, *failures, *(PipelineError(line) for line in self._ledger.violations())]
        meters = self._meters()
        nodes = tuple(_node_report(spec.name, spec.type, meters[spec.name]) for spec in self._graph.nodes)
        queues = {
            stage[0].spec.name: channel.statistics()
            for stage, channel in zip(self._stages[1:], self._channels, strict=True)
        }
        return RunReport(
            status="failed" if errors else "interrupted" if self._interrupted.is_set() else "done",
            error="\n".join(dict.fromkeys(map(_told, errors))) or None,
            bad_input=any(reader.error and not reader.meter.frames for reader in self._readers),
            frames=self._frames_out,
            elapsed_s=(self._clock.now_ns() - self._began_ns) / 1e9,
            nodes=nodes,
            edges=self._ledger.to_dict(),
            dropped=self._ledger.drops(),
            streams={
                name: {"frames": count, "last_pts_s": pts_ns / 1e9}
                for name, (count, pts_ns) in self._admission.progress().items()
            },
            queues={
                name: {"capacity": each.capacity, "peak": each.peak, "passed": each.passed}
                for name, each in queues.items()
            },
            transit=self._transit.to_dict(),
            age_at_sink=self._age.to_dict(),
            node_cpu_s=sum(meter.cpu_ns for meter in meters.values()) / 1e9,
            engine_cpu_s=(sum(self._engine_cpu_ns) + sum(reader.engine_cpu_ns for reader in self._readers)) / 1e9,
            sinks={
                lane.running.spec.name: {"spilled": lane.spilled, "failures": lane.failures} for lane in self._lanes
            },
        )


class _Opening:
    """Where the threads wait until the nodes of all of them are open."""

    def __init__(self, threads: int) -> None:
        self.failed: list[Exception] = []
        self._arrived = threading.Semaphore(0)
        self._threads = threads
        self._go = threading.Event()

    def arrive(self) -> None:
        """Note that one thread's nodes are open, and wait for the word to begin."""
        self._arrived.release()
        self._go.wait()

    def wait(self) -> None:
        """Wait until all threads have arrived."""
        for _ in range(self._threads):
            self._arrived.acquire()

    def go(self) -> None:
        """Let the threads begin."""
        self._go.set()


def _thread_name(running: list[RunningNode], index: int) -> str:
    return running[0].spec.name if running else f"stage-{index}"


def _cannot_open(name: str, type_name: str, error: Exception) -> Exception:
    if isinstance(error, PipelineError):
        return error
    return PipelineError(f"node {name!r} ({type_name}): cannot be opened: {type(error).__name__}: {error}")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"


def _node_report(name: str, type_name: str, meter: Meter) -> NodeReport:
    frames = max(meter.frames, 1)
    wall_ms, cpu_ms = meter.wall_ns / frames / 1e6, meter.cpu_ns / frames / 1e6
    return NodeReport(name, type_name, meter.ticks, meter.frames, meter.rows, wall_ms, cpu_ms)
