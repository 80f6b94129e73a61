"""Watch a run: what its nodes, queues, streams and accounts say, as snapshots and as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.ages import Ages
from pipeline.channel import Channel
from pipeline.clock import Clock
from pipeline.errors import ConfigError, PipelineError
from pipeline.graph import Graph
from pipeline.latency import Latency
from pipeline.ledger import Ledger
from pipeline.reader import Reader
from pipeline.readers import Readers
from pipeline.report import NodeReport, RunReport, Snapshot
from pipeline.running import Meter, RunningNode
from pipeline.sinks import SinkLane
from pipeline.status import NodeStatus, QueueStatus, RunStatus, StreamStatus
from pipeline.tick import Tick
from pipeline.transit import Transit
from pipeline.urls import redact, redacted


@dataclass
class Observer:
    """Knows everything that counts something in a run, and reads the counts."""

    graph: Graph
    clock: Clock
    ledger: Ledger
    readers: Readers
    stages: Sequence[Sequence[RunningNode]]
    lanes: Sequence[SinkLane]
    channels: Sequence[Channel[Tick]]
    transit: Transit
    age: Latency = field(default_factory=Latency)
    ages: Ages = field(default_factory=Ages)
    streams: dict[str, tuple[int, int]] = field(init=False)
    """By stream, frames let in and the last pts."""
    out_ns: dict[str, int] = field(default_factory=dict)
    """By stream, when a frame of it left the graph last, on the engine's clock."""
    frames_out: int = 0
    source_rows: int = 0
    last_source_rows: int = 0
    began_ns: int | None = None

    def __post_init__(self) -> None:
        self.streams = {reader.stream.id: (0, 0) for reader in self.readers.here()}

    def begin(self) -> None:
        """Note that all is open and the run begins."""
        self.began_ns = self.clock.now_ns()

    def entered(self, tick: Tick) -> None:
        """Note that a tick is let into the graph."""
        tick.entered_ns = self.clock.now_ns()
        self.transit.entered()
        for stream_id, pts_ns in zip(tick.frames.stream_id, tick.frames.pts_ns.tolist(), strict=True):
            self.streams[stream_id] = self.streams.get(stream_id, (0, 0))[0] + 1, pts_ns
        self.last_source_rows = len(tick.slots[self.graph.source.name].value)
        self.source_rows += self.last_source_rows

    def left(self, tick: Tick) -> None:
        """Note that a tick has left the graph."""
        now_ns = self.clock.now_ns()
        self.transit.left(now_ns - tick.entered_ns if len(tick.frames) else None)
        for arrived_ns in tick.frames.arrived_ns.tolist():
            if arrived_ns:  # files have none
                self.age.add(now_ns - arrived_ns)
                self.ages.add(now_ns - arrived_ns)
        self.frames_out += len(tick.frames)
        self.ledger.left(tick.frames.stream_id)
        self.out_ns.update(dict.fromkeys(tick.frames.stream_id, now_ns))
        for mark in tick.marks:
            if mark.kind == "ended" and self.readers.left(mark.stream_id):
                self.streams.pop(mark.stream_id, None)
                self.out_ns.pop(mark.stream_id, None)

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
            duration_ns={reader.stream.id: reader.duration_ns() for reader in self.readers.here()},
            last_rows={name: meter.last_rows for name, meter in meters.items()},
            total_rows={name: meter.rows for name, meter in meters.items()},
        )

    def report(self, errors: Sequence[BaseException], interrupted: bool, engine_cpu_ns: int) -> RunReport:
        """Return how the run went; frames that do not add up are errors, too.

        Args:
            errors: what stopped it.
            interrupted: whether it was ended from outside.
            engine_cpu_ns: CPU time of its threads outside of nodes and sources.
        """
        meters = self._meters()
        violations = [PipelineError(line) for line in self.ledger.violations(self.hand_overs())]
        told = [_told(error) for error in [*errors, *self.readers.errors(), *violations]]
        waited = {
            stage[0].spec.name: channel.statistics()
            for stage, channel in zip(self.stages[1:], self.channels, strict=True)
        }
        return RunReport(
            status="failed" if told else "interrupted" if interrupted else "done",
            error="\n".join(dict.fromkeys(told)) or None,
            bad_input=any(reader.error and not reader.meter.frames for reader in self.readers.here())
            or any(isinstance(error, ConfigError) for error in errors),
            whole=not (errors or violations),
            frames=self.frames_out,
            elapsed_s=self._elapsed_s(),
            nodes=tuple(_node_report(spec.name, spec.type, meters[spec.name]) for spec in self.graph.nodes),
            edges=self.ledger.to_dict(),
            dropped=self.ledger.drops(),
            streams=self._streams(),
            removed=self.ledger.removed(),
            queues={
                name: {"capacity": each.capacity, "peak": each.peak, "passed": each.passed}
                for name, each in waited.items()
            },
            transit=self.transit.to_dict(),
            age_at_sink=self.age.to_dict(),
            node_cpu_s=sum(meter.cpu_ns for meter in meters.values()) / 1e9,
            engine_cpu_s=(engine_cpu_ns + self.readers.engine_cpu_ns()) / 1e9,
            sinks={lane.running.spec.name: {"spilled": lane.spilled, "failures": lane.failures} for lane in self.lanes},
        )

    def status(self, running: bool, failed: str | None) -> RunStatus:
        """Return everything there is to say of the run now.

        Args:
            running: whether it goes on.
            failed: why it stops, if it does.
        """
        edges = self.ledger.to_dict()
        nodes = self._meters().items()
        types = {spec.name: spec.type for spec in self.graph.nodes}
        return RunStatus(
            graph=self.graph.path,
            running=running,
            failed=failed,
            elapsed_s=self._elapsed_s(),
            frames_out=self.frames_out,
            streams=tuple(self._stream_status(reader) for reader in self.readers.here()),
            nodes=tuple(
                NodeStatus(name, types[name], m.ticks, m.frames, m.rows, m.wall_ns / 1e9, m.cpu_ns / 1e9)
                for name, m in nodes
            ),
            queues=self._queue_status(),
            edges=edges,
            dropped={name: account["dropped"] for name, account in edges.items() if account["dropped"]},
            age=self.ages.histogram(),
            removed=self.ledger.removed(),
        )

    def _stream_status(self, reader: Reader) -> StreamStatus:
        stream, life, now_ns = reader.stream, reader.life, self.clock.now_ns()
        account = self.ledger.of_stream(stream.id)
        out_ns, next_ns = self.out_ns.get(stream.id), life.next_try_ns
        return StreamStatus(
            id=stream.id,
            url=redact(stream.config.url),
            live=stream.live,
            state=life.state,
            state_s=(now_ns - life.since_ns) / 1e9,
            reason=life.reason,
            message=life.message,
            next_try_s=None if next_ns is None else max(next_ns - now_ns, 0) / 1e9,
            connections=life.connections,
            losses=dict(life.losses),
            generation=self.readers.generation(stream.id),
            frames_in=account["in"],
            frames_out=account["out"],
            dropped=account["dropped"],
            in_flight=account["in_flight"],
            last_out_s=None if out_ns is None else (now_ns - out_ns) / 1e9,
            drift_ppm=reader.times.drift_ppm,
            config=redacted(stream.config.model_dump(mode="json")),
        )

    def _queue_status(self) -> dict[str, QueueStatus]:
        queues = {}
        for stage, channel in zip(self.stages[1:], self.channels, strict=True):
            each = channel.statistics()
            queues[stage[0].spec.name] = QueueStatus(each.capacity, each.waiting, each.peak)
        return queues | {lane.running.spec.name: lane.status() for lane in self.lanes}

    def _streams(self) -> dict[str, Any]:
        """Return what the report says of each stream."""
        told = {}
        for name, (count, pts_ns) in self.streams.items():
            told[name] = {"frames": count, "last_pts_s": pts_ns / 1e9, **self.ledger.of_stream(name)}
        return told

    def _elapsed_s(self) -> float:
        return 0.0 if self.began_ns is None else (self.clock.now_ns() - self.began_ns) / 1e9

    def _meters(self) -> dict[str, Meter]:
        """Return the meters by node name; that of the source sums up its streams."""
        running = [one for stage in self.stages for one in stage] + [lane.running for lane in self.lanes]
        by_name = {one.spec.name: one.meter for one in running}
        source = self.readers.meter()
        source.rows, source.last_rows = self.source_rows, self.last_source_rows
        return {spec.name: by_name.get(spec.name, source) for spec in self.graph.nodes}


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"


def _node_report(name: str, type_name: str, meter: Meter) -> NodeReport:
    frames = max(meter.frames, 1)
    wall_ms, cpu_ms = meter.wall_ns / frames / 1e6, meter.cpu_ns / frames / 1e6
    return NodeReport(name, type_name, meter.ticks, meter.frames, meter.rows, wall_ms, cpu_ms)
