"""Watch a run: what its nodes, queues, streams and accounts say, as snapshots and as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.channel import Channel
from pipeline.clock import Clock
from pipeline.errors import ConfigError, PipelineError
from pipeline.graph import Graph
from pipeline.latency import Latency
from pipeline.ledger import Ledger
from pipeline.reader import Reader
from pipeline.report import NodeReport, RunReport, Snapshot
from pipeline.running import Meter, RunningNode
from pipeline.sinks import SinkLane
from pipeline.tick import Tick


@dataclass
class Observer:
    """Knows everything that counts something in a run, and reads the counts."""

    graph: Graph
    clock: Clock
    ledger: Ledger
    readers: Sequence[Reader]
    stages: Sequence[Sequence[RunningNode]]
    lanes: Sequence[SinkLane]
    channels: Sequence[Channel[Tick]]
    transit: Latency
    age: Latency = field(default_factory=Latency)
    engine_cpu_ns: list[int] = field(default_factory=list)
    """CPU time of each thread outside of its nodes."""
    streams: dict[str, tuple[int, int]] = field(init=False)
    """By stream, frames let in and the last pts."""
    frames_out: int = 0
    source_rows: int = 0
    last_source_rows: int = 0
    began_ns: int | None = None

    def __post_init__(self) -> None:
        self.streams = {reader.stream.id: (0, 0) for reader in self.readers}

    def begin(self) -> None:
        """Note that all is open and the run begins."""
        self.began_ns = self.clock.now_ns()

    def entered(self, tick: Tick) -> None:
        """Note that a tick is let into the graph."""
        tick.entered_ns = self.clock.now_ns()
        for stream_id, pts_ns in zip(tick.frames.stream_id, tick.frames.pts_ns.tolist(), strict=True):
            self.streams[stream_id] = self.streams[stream_id][0] + 1, pts_ns
        self.last_source_rows = len(tick.slots[self.graph.source.name].value)
        self.source_rows += self.last_source_rows

    def left(self, tick: Tick) -> None:
        """Note that a tick has left the graph."""
        now_ns = self.clock.now_ns()
        if len(tick.frames):
            self.transit.add(now_ns - tick.entered_ns)
        for arrived_ns in tick.frames.arrived_ns.tolist():
            if arrived_ns:  # files have none
                self.age.add(now_ns - arrived_ns)
        self.frames_out += len(tick.frames)

    def hand_overs(self) -> list[tuple[str, str]]:
        """Return the pairs of nodes of which the second gets what the first lets through."""
        chain = [spec.name for spec in self.graph.nodes if spec.ports.output]
        alone = {lane.running.spec.name for lane in self.lanes}
        pairs, last = [], self.graph.source.name
        for spec in self.graph.nodes:
            if spec.name != self.graph.source.name:
                pairs.append((chain[-1] if spec.name in alone else last, spec.name))
                last = spec.name if spec.ports.output else last  # a sink lets nothing through
        return pairs

    def snapshot(self) -> Snapshot:
        """Return how far the run is."""
        elapsed_s = self._elapsed_s()
        meters = self._meters()
        return Snapshot(
            frames=self.frames_out,
            elapsed_s=elapsed_s,
            fps=self.frames_out / elapsed_s if elapsed_s > 0 else 0.0,
            pts_ns={name: pts_ns for name, (_, pts_ns) in self.streams.items()},
            duration_ns={reader.stream.id: reader.duration_ns() for reader in self.readers},
            last_rows={name: meter.last_rows for name, meter in meters.items()},
            total_rows={name: meter.rows for name, meter in meters.items()},
        )

    def report(self, errors: Sequence[BaseException], interrupted: bool) -> RunReport:
        """Return how the run went; frames that do not add up are errors, too."""
        meters = self._meters()
        violations = [PipelineError(line) for line in self.ledger.violations(self.hand_overs())]
        told = [_told(error) for error in [*errors, *(r.error for r in self.readers if r.error), *violations]]
        waited = {
            stage[0].spec.name: channel.statistics()
            for stage, channel in zip(self.stages[1:], self.channels, strict=True)
        }
        return RunReport(
            status="failed" if told else "interrupted" if interrupted else "done",
            error="\n".join(dict.fromkeys(told)) or None,
            bad_input=any(reader.error and not reader.meter.frames for reader in self.readers)
            or any(isinstance(error, ConfigError) for error in errors),
            whole=not (errors or violations),
            frames=self.frames_out,
            elapsed_s=self._elapsed_s(),
            nodes=tuple(_node_report(spec.name, spec.type, meters[spec.name]) for spec in self.graph.nodes),
            edges=self.ledger.to_dict(),
            dropped=self.ledger.drops(),
            streams={
                name: {"frames": count, "last_pts_s": pts_ns / 1e9} for name, (count, pts_ns) in self.streams.items()
            },
            queues={
                name: {"capacity": each.capacity, "peak": each.peak, "passed": each.passed}
                for name, each in waited.items()
            },
            transit=self.transit.to_dict(),
            age_at_sink=self.age.to_dict(),
            node_cpu_s=sum(meter.cpu_ns for meter in meters.values()) / 1e9,
            engine_cpu_s=(sum(self.engine_cpu_ns) + sum(reader.engine_cpu_ns for reader in self.readers)) / 1e9,
            sinks={lane.running.spec.name: {"spilled": lane.spilled, "failures": lane.failures} for lane in self.lanes},
        )

    def _elapsed_s(self) -> float:
        return 0.0 if self.began_ns is None else (self.clock.now_ns() - self.began_ns) / 1e9

    def _meters(self) -> dict[str, Meter]:
        """Return the meters by node name; that of the source sums up its streams."""
        running = [one for stage in self.stages for one in stage] + [lane.running for lane in self.lanes]
        by_name = {one.spec.name: one.meter for one in running}
        source = Meter()
        for reader in self.readers:
            source.frames += reader.meter.frames
            source.wall_ns += reader.meter.wall_ns
            source.cpu_ns += reader.meter.cpu_ns
        source.rows, source.last_rows = self.source_rows, self.last_source_rows
        return {spec.name: by_name.get(spec.name, source) for spec in self.graph.nodes}


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"


def _node_report(name: str, type_name: str, meter: Meter) -> NodeReport:
    frames = max(meter.frames, 1)
    wall_ms, cpu_ms = meter.wall_ns / frames / 1e6, meter.cpu_ns / frames / 1e6
    return NodeReport(name, type_name, meter.ticks, meter.frames, meter.rows, wall_ms, cpu_ms)
