"""What a run says of itself at one moment: data for metrics, health and whoever steers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.errors import Reason

StreamState = Literal[
    "connecting", "live", "stalled", "lost", "backing_off", "paused", "reading", "ended", "failed", "removed"
]
"""`live`: frames come. `stalled`: none for `engine.stall_s`, still connected. `lost`: the connection is
over. `reading`: a file. `ended`: of a file, or of a stream cut by `--max-frames`. `failed`: given up. `removed`:
its last frames are inside.
"""


@dataclass(frozen=True)
class StreamStatus:
    """One stream at one moment."""

    id: str
    url: str
    """Without its password."""
    live: bool
    state: StreamState
    state_s: float
    """Seconds since it came into this state."""
    reason: Reason | None
    """Why it was lost last; None when it never was."""
    message: str
    """The sentence about that, without passwords; empty when there is none."""
    next_try_s: float | None
    """Seconds until the next try to connect; None unless it is backing off."""
    connections: int
    """How often frames began to come."""
    losses: dict[Reason, int]
    """How often it was lost, or a try to connect failed, by reason."""
    generation: int
    frames_in: int
    """Frames read, with those dropped in the source."""
    frames_out: int
    """Frames that went through the whole graph."""
    dropped: dict[str, int]
    """Frames dropped, by cause."""
    in_flight: int
    """Frames at the door and inside the graph."""
    last_out_s: float | None
    """Seconds since a frame of it left the graph; None before any."""
    drift_ppm: float | None
    """How much faster the sender's clock runs than ours; None while unknown and for files."""
    config: dict[str, Any] = field(default_factory=dict)
    """Its values, as plain data and without passwords."""


@dataclass(frozen=True)
class NodeStatus:
    """One node at one moment."""

    name: str
    type: str
    ticks: int
    frames: int
    rows: int
    """Rows put out: people, maps, events."""
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class QueueStatus:
    """What waits before a stage or a live sink."""

    capacity: int
    waiting: int
    peak: int
    spilled: int = 0
    """Ticks that ever had to wait on disk."""
    failures: int = 0
    """How often the sink failed."""


@dataclass(frozen=True)
class AgeHistogram:
    """Ages of live frames when they left the graph."""

    bounds_s: tuple[float, ...]
    """Upper bounds of the buckets, rising; one more bucket is above the last."""
    counts: tuple[int, ...]
    """Frames in each bucket (not cumulated); one more than bounds."""
    sum_s: float


@dataclass(frozen=True)
class RunStatus:
    """A whole run at one moment."""

    graph: str
    running: bool
    """False once the run is over, or while it is opening."""
    failed: str | None
    """Why it stops, if it does."""
    elapsed_s: float
    frames_out: int
    streams: tuple[StreamStatus, ...]
    nodes: tuple[NodeStatus, ...]
    queues: dict[str, QueueStatus]
    """By the first node of a stage, or by sink."""
    edges: dict[str, Any]
    """By node: frames in, out, dropped by cause, in flight."""
    dropped: dict[str, dict[str, int]]
    """By node and cause."""
    age: AgeHistogram
    removed: dict[str, Any]
    """What streams that were removed add up to: in, out, dropped by cause."""
