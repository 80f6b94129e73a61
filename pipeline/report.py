"""What a run tells of itself: snapshots while it goes on, and a report at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["done", "interrupted", "failed"]


@dataclass(frozen=True)
class Snapshot:
    """How far a run is."""

    frames: int
    """Frames that left the graph."""
    elapsed_s: float
    fps: float
    """Frames that left the graph, by second since the first was let in."""
    pts_ns: dict[str, int]
    """Last pts let in, by stream."""
    duration_ns: dict[str, int | None]
    """Length of each stream; None while unknown and for live ones."""
    last_rows: dict[str, int]
    """Rows on each edge in its last tick."""
    total_rows: dict[str, int]
    """Rows on each edge so far."""
    passes: tuple[int, int] = (1, 1)
    """Which pass over the input this is, and of how many."""


@dataclass(frozen=True)
class NodeReport:
    """What one node did and cost."""

    name: str
    type: str
    ticks: int
    frames: int
    rows: int
    wall_ms_per_frame: float
    cpu_ms_per_frame: float


@dataclass(frozen=True)
class RunReport:
    """How a run went. Everything here may differ between two runs of the same input, unlike what sinks write."""

    status: Status
    error: str | None
    frames: int
    elapsed_s: float
    nodes: tuple[NodeReport, ...]
    edges: dict[str, Any]
    """By node: frames in, out, dropped by cause, in flight."""
    dropped: dict[str, int]
    """Frames dropped, by cause."""
    streams: dict[str, dict[str, Any]]
    """By stream: frames let in, last pts in seconds; frames in, out, dropped by cause and in flight, over the graph."""
    queues: dict[str, dict[str, int]]
    """By stage: capacity, most ticks that waited, ticks passed."""
    transit: dict[str, float]
    """Time from entering the graph to leaving it, milliseconds; empty before any tick."""
    age_at_sink: dict[str, float]
    """Age of live frames when they left the graph, milliseconds; empty for files."""
    node_cpu_s: float
    engine_cpu_s: float
    """CPU seconds of the engine's threads outside of nodes."""
    bad_input: bool = False
    """True when a stream could not be opened, or fits no recording: the input is wrong, rather than the run."""
    whole: bool = True
    """False when something else than a source failed: then sinks may lack the end of what was read."""
    sinks: dict[str, dict[str, int]] = field(default_factory=dict)
    """By sink of a live graph: ticks spilled to disk, and how often it failed."""
    removed: dict[str, Any] = field(default_factory=dict)
    """What streams that were removed from a live run add up to: frames in, out, dropped by cause, in flight."""
    passes_s: dict[str, float] = field(default_factory=dict)
    """Seconds that each part of a run in two passes took: `first`, `revising`, `second`. Those that were not begun are
    missing; without `second` no sink has run. Empty for a run in one pass."""

    crossed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Copies and bytes between host and device, by stage, way and what it was; empty where all is on the host."""

    @property
    def reached_sinks(self) -> bool:
        """Tell whether sinks have run at all."""
        return not self.passes_s or "second" in self.passes_s

    @property
    def fps(self) -> float:
        """Return frames by second over the whole run."""
        return self.frames / self.elapsed_s if self.elapsed_s > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for `summary.json`."""
        return {
            "status": self.status,
            "error": self.error,
            "frames": self.frames,
            "elapsed_s": round(self.elapsed_s, 3),
            "fps": round(self.fps, 2),
            "streams": self.streams,
            "removed": self.removed,
            "nodes": {
                node.name: {
                    "type": node.type,
                    "ticks": node.ticks,
                    "frames": node.frames,
                    "rows": node.rows,
                    "wall_ms_per_frame": round(node.wall_ms_per_frame, 3),
                    "cpu_ms_per_frame": round(node.cpu_ms_per_frame, 3),
                }
                for node in self.nodes
            },
            "edges": self.edges,
            "dropped": self.dropped,
            "queues": self.queues,
            "transit": self.transit,
            "age_at_sink": self.age_at_sink,
            "node_cpu_s": round(self.node_cpu_s, 3),
            "engine_cpu_s": round(self.engine_cpu_s, 3),
            "sinks": self.sinks,
            "crossed": self.crossed,
            "passes_s": {name: round(seconds, 3) for name, seconds in self.passes_s.items()},
        }

    def table(self) -> str:
        """Return the end-of-run table."""
        width = max(len(node.name) for node in self.nodes)
        lines = [f"{'node':<{width}}  {'frames':>7}  {'rows':>7}  {'ms/frame':>8}  {'cpu ms':>7}  waiting"]
        for node in self.nodes:
            queue = self.queues.get(node.name)
            waiting = f"  {queue['peak']} of {queue['capacity']}" if queue else ""
            lines.append(
                f"{node.name:<{width}}  {node.frames:>7}  {node.rows:>7}  {node.wall_ms_per_frame:>8.2f}"
                f"  {node.cpu_ms_per_frame:>7.2f}{waiting}"
            )
        dropped = ", ".join(f"{cause} {count}" for cause, count in self.dropped.items()) or "none"
        lines.append(
            f"{self.status}: {self.frames} frames in {self.elapsed_s:.1f} s ({self.fps:.1f} fps), dropped: {dropped}"
        )
        if self.age_at_sink or self.removed.get("in"):
            lines += self._conservation()
        if self.passes_s:
            lines.append("two passes: " + ", ".join(f"{name} {took_s:.1f} s" for name, took_s in self.passes_s.items()))
        if self.age_at_sink:
            lines.append(
                f"age at sink: median {self.age_at_sink['p50_ms']:.0f} ms, p95 {self.age_at_sink['p95_ms']:.0f} ms, "
                f"worst {self.age_at_sink['max_ms']:.0f} ms"
            )
        for way, row in self.crossed.items():
            frames = max(1, self.frames)
            lines.append(f"{way}: {row['copies'] / frames:.1f} copies and {row['bytes'] / frames / 1e3:.1f} kB a frame")
        return "\n".join(lines)

    def _conservation(self) -> list[str]:
        """Return a table that says of each live stream where its frames went."""
        accounts = dict(self.streams)
        if self.removed.get("in"):
            accounts["(removed)"] = self.removed
        width = max(len(name) for name in [*accounts, "stream"])
        lines = [f"{'stream':<{width}}  {'in':>8} = {'out':>8} + dropped"]
        for name, account in accounts.items():
            causes = ", ".join(f"{cause} {count}" for cause, count in account["dropped"].items())
            lost = sum(account["dropped"].values())
            adds_up = "" if account["in_flight"] == 0 else f"  MISSING {account['in_flight']}"
            told = f"{lost} ({causes})" if lost else "0"
            lines.append(f"{name:<{width}}  {account['in']:>8} = {account['out']:>8} + {told}{adds_up}")
        return lines
