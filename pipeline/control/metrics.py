"""What a run says of itself as Prometheus metrics: the names, and the text that a scrape gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from pipeline.control.process import ProcessFigures
from pipeline.status import NodeStatus, RunStatus, StreamState, StreamStatus

PREFIX = "gazegraph_"


@dataclass(frozen=True)
class Metric:
    """A metric as it is told: without the prefix that all of them have."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("build_info", "gauge", "Always 1; the version that runs.", ("version", "python")),
    Metric("run_info", "gauge", "Always 1; the graph that is run.", ("graph",)),
    Metric("run_running", "gauge", "1 while the run goes on, 0 before it has begun and after its end."),
    Metric("run_failed", "gauge", "1 once the run fails."),
    Metric("run_seconds", "gauge", "Seconds since the run began."),
    Metric("frames_out_total", "counter", "Frames that went through the whole graph."),
    Metric("age_at_sink_seconds", "histogram", "Age of live frames when they left the graph."),
    Metric("node_info", "gauge", "Always 1; the type of a node.", ("node", "type")),
    Metric("node_ticks_total", "counter", "Ticks that a node has processed.", ("node",)),
    Metric("node_frames_total", "counter", "Frames that a node has processed.", ("node",)),
    Metric("node_rows_total", "counter", "Rows that a node put out: people, maps, events.", ("node",)),
    Metric("node_wall_seconds_total", "counter", "Time spent inside a node.", ("node",)),
    Metric("node_cpu_seconds_total", "counter", "CPU time of a node's thread spent inside it.", ("node",)),
    Metric("node_frames_in_total", "counter", "Frames that came to a node.", ("node",)),
    Metric("node_frames_out_total", "counter", "Frames that left a node, processed.", ("node",)),
    Metric("node_frames_dropped_total", "counter", "Frames dropped at a node, by cause.", ("node", "cause")),
    Metric("node_frames_in_flight", "gauge", "Frames that are at a node.", ("node",)),
    Metric("node_frames_unaccounted", "gauge", "In - out - dropped - in flight: 0, or it is an error.", ("node",)),
    Metric("queue_capacity_ticks", "gauge", "Ticks that may wait before a stage or a live sink.", ("node",)),
    Metric("queue_waiting_ticks", "gauge", "Ticks that wait before a stage or a live sink.", ("node",)),
    Metric("queue_peak_ticks", "gauge", "Most ticks that ever waited there.", ("node",)),
    Metric("sink_spilled_ticks_total", "counter", "Ticks that had to wait for a sink on disk.", ("node",)),
    Metric("sink_failures_total", "counter", "How often a sink failed.", ("node",)),
    Metric("stream_state", "gauge", "1 for the state that a stream is in, 0 for all others.", ("stream", "state")),
    Metric("stream_state_seconds", "gauge", "Seconds since a stream came into its state.", ("stream",)),
    Metric("stream_live", "gauge", "1 for a camera or a network stream, 0 for a file.", ("stream",)),
    Metric("stream_connections_total", "counter", "How often frames began to come.", ("stream",)),
    Metric(
        "stream_losses_total", "counter", "How often a stream was lost or could not be connected.", ("stream", "reason")
    ),
    Metric("stream_generation", "gauge", "Rises at each discontinuity of a stream.", ("stream",)),
    Metric("stream_next_try_seconds", "gauge", "Seconds until a lost stream is connected again.", ("stream",)),
    Metric("stream_frames_in_total", "counter", "Frames read, with those dropped in the source.", ("stream",)),
    Metric("stream_frames_out_total", "counter", "Frames that went through the whole graph.", ("stream",)),
    Metric("stream_frames_dropped_total", "counter", "Frames dropped anywhere, by cause.", ("stream", "cause")),
    Metric("stream_frames_in_flight", "gauge", "Frames at the door and inside the graph.", ("stream",)),
    Metric("stream_frames_unaccounted", "gauge", "In - out - dropped - in flight: 0, or it is an error.", ("stream",)),
    Metric("stream_last_out_seconds", "gauge", "Seconds since a frame left the graph.", ("stream",)),
    Metric("stream_clock_drift_ratio", "gauge", "How much faster the sender's clock runs than ours.", ("stream",)),
    Metric("removed_frames_in_total", "counter", "Frames read of streams that were removed."),
    Metric("removed_frames_out_total", "counter", "Frames of removed streams that went through the whole graph."),
    Metric("removed_frames_dropped_total", "counter", "Frames of removed streams dropped, by cause.", ("cause",)),
    Metric("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM."),
    Metric("process_cpu_seconds_total", "counter", "CPU time of the process, user and system."),
    Metric("process_threads", "gauge", "Threads of the process."),
    Metric("process_open_files", "gauge", "Open files of the process, sockets too."),
)
"""All metrics there are."""

Samples = Iterator[tuple[str, tuple[str, ...], float]]
"""Name, values of its labels, value."""


def exposition(status: RunStatus, process: ProcessFigures, version: str, python: str) -> bytes:
    """Return the answer to a scrape, in the text format 0.0.4.

    Args:
        status: of the run.
        process: what it costs.
        version: of gazegraph.
        python: its version.
    """

    class OneScrape(Collector):
        def collect(self) -> Iterable[Any]:
            return families(status, process, version, python)

    registry = CollectorRegistry()
    registry.register(OneScrape())
    return generate_latest(registry)


def families(status: RunStatus, process: ProcessFigures, version: str, python: str) -> Iterator[Any]:
    """Yield every metric with its samples, in the order of `METRICS`; see `exposition`."""
    made: dict[str, Any] = {}
    for metric in METRICS:
        name = PREFIX + metric.name
        if metric.kind == "histogram":
            made[metric.name] = HistogramMetricFamily(name, metric.text, labels=metric.labels)
        else:
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            made[metric.name] = family(name, metric.text, labels=metric.labels)
    made["build_info"].add_metric((version, python), 1)
    for name, labels, value in samples(status, process):
        made[name].add_metric(labels, value)
    bounds = [*map(str, status.age.bounds_s), "+Inf"]
    cumulated = accumulate(status.age.counts)
    made["age_at_sink_seconds"].add_metric((), list(zip(bounds, cumulated, strict=True)), status.age.sum_s)
    yield from made.values()


def samples(status: RunStatus, process: ProcessFigures) -> Samples:
    """Yield what is one number each."""
    yield "run_info", (status.graph,), 1
    yield "run_running", (), status.running
    yield "run_failed", (), status.failed is not None
    yield "run_seconds", (), status.elapsed_s
    yield "frames_out_total", (), status.frames_out
    for node in status.nodes:
        yield from _of_node(node)
    for name, account in status.edges.items():
        yield from _of_account(name, account, status.dropped.get(name, {}))
    for name, queue in status.queues.items():
        yield "queue_capacity_ticks", (name,), queue.capacity
        yield "queue_waiting_ticks", (name,), queue.waiting
        yield "queue_peak_ticks", (name,), queue.peak
        yield "sink_spilled_ticks_total", (name,), queue.spilled
        yield "sink_failures_total", (name,), queue.failures
    for stream in status.streams:
        yield from _of_stream(stream)
    yield "removed_frames_in_total", (), status.removed.get("in", 0)
    yield "removed_frames_out_total", (), status.removed.get("out", 0)
    for cause, count in status.removed.get("dropped", {}).items():
        yield "removed_frames_dropped_total", (cause,), count
    for name, value in process.known():
        yield f"process_{name}", (), value


def _of_node(node: NodeStatus) -> Samples:
    yield "node_info", (node.name, node.type), 1
    yield "node_ticks_total", (node.name,), node.ticks
    yield "node_frames_total", (node.name,), node.frames
    yield "node_rows_total", (node.name,), node.rows
    yield "node_wall_seconds_total", (node.name,), node.wall_s
    yield "node_cpu_seconds_total", (node.name,), node.cpu_s


def _of_account(name: str, account: dict[str, Any], dropped: dict[str, int]) -> Samples:
    came, went, inside = account["in"], account["out"], account["in_flight"]
    yield "node_frames_in_total", (name,), came
    yield "node_frames_out_total", (name,), went
    for cause, count in dropped.items():
        yield "node_frames_dropped_total", (name, cause), count
    yield "node_frames_in_flight", (name,), inside
    yield "node_frames_unaccounted", (name,), came - went - sum(dropped.values()) - inside


def _of_stream(stream: StreamStatus) -> Samples:
    one = (stream.id,)
    for state in get_args(StreamState):
        yield "stream_state", (stream.id, state), state == stream.state
    yield "stream_state_seconds", one, stream.state_s
    yield "stream_live", one, stream.live
    yield "stream_connections_total", one, stream.connections
    for reason, count in stream.losses.items():
        yield "stream_losses_total", (stream.id, reason), count
    yield "stream_generation", one, stream.generation
    if stream.next_try_s is not None:
        yield "stream_next_try_seconds", one, stream.next_try_s
    yield "stream_frames_in_total", one, stream.frames_in
    yield "stream_frames_out_total", one, stream.frames_out
    for cause, count in stream.dropped.items():
        yield "stream_frames_dropped_total", (stream.id, cause), count
    yield "stream_frames_in_flight", one, stream.in_flight
    dropped = sum(stream.dropped.values())
    yield "stream_frames_unaccounted", one, stream.frames_in - stream.frames_out - dropped - stream.in_flight
    if stream.last_out_s is not None:
        yield "stream_last_out_seconds", one, stream.last_out_s
    if stream.drift_ppm is not None:
        yield "stream_clock_drift_ratio", one, stream.drift_ppm / 1e6
