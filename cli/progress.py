"""How far a run is: a bar on a terminal, a line every few seconds anywhere else. On standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from nodes.types import Tracks, Visits
from pipeline.graph import Graph
from pipeline.report import Snapshot
from pipeline.values import Value

BAR_CELLS = 24
LINE_EVERY_S = 5.0


class Progress:
    """Shows snapshots of a run. Knows which edges carry people and events by their kind."""

    def __init__(self, graph: Graph, title: str, max_frames: int | None = None, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._max_frames = max_frames
        self._title = title
        self._people = _last_edge(graph, Tracks)
        self._events = _last_edge(graph, Visits)
        self._bar = self._out.isatty()
        self._passes, self._said_s = (1, 1), 0.0

    def observe(self, snapshot: Snapshot) -> None:
        """Show a snapshot, when it is time to."""
        if self._bar:
            self._out.write(f"\r{self._text(snapshot)}\x1b[K")
            self._out.flush()
            return
        if snapshot.passes != self._passes:
            self._passes, self._said_s = snapshot.passes, 0.0
        if snapshot.elapsed_s - self._said_s >= LINE_EVERY_S:
            self._said_s = snapshot.elapsed_s
            self._out.write(f"{self._text(snapshot)}\n")

    def finish(self) -> None:
        """Wipe the bar off, so that what follows stands on a line of its own."""
        if self._bar:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _text(self, snapshot: Snapshot) -> str:
        done = _share_done(snapshot, self._max_frames)
        number, passes = snapshot.passes
        which = [f"pass {number} of {passes}"] if passes > 1 else []
        parts = [self._title, *which, *self._share(done, snapshot), f"{snapshot.fps:.1f} fps"]
        if done:
            parts.append(f"eta {clock_text(snapshot.elapsed_s * (1 - done) / done)}")
        if self._people in snapshot.last_rows:
            parts.append(f"people {snapshot.last_rows[self._people]}")
        if self._events in snapshot.total_rows:
            parts.append(f"events {snapshot.total_rows[self._events]}")
        return "  ".join(parts)

    def _share(self, done: float | None, snapshot: Snapshot) -> Iterable[str]:
        if done is None:
            return [f"{snapshot.frames} frames"]
        cells = round(done * BAR_CELLS)
        bar = [f"[{'#' * cells}{'.' * (BAR_CELLS - cells)}]"] if self._bar else []
        return [*bar, f"{done:4.0%}"]


def clock_text(seconds: float) -> str:
    """Return a duration as `m:ss` or `h:mm:ss`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _share_done(snapshot: Snapshot, max_frames: int | None) -> float | None:
    """Return the part of the input that has passed, 0 to 1; None when a length is unknown."""
    shares = [snapshot.frames / (max_frames * len(snapshot.duration_ns))] if max_frames and snapshot.duration_ns else []
    lengths_ns = list(snapshot.duration_ns.values())
    if lengths_ns and all(lengths_ns):
        passed_ns = [min(snapshot.pts_ns.get(name, 0), length or 0) for name, length in snapshot.duration_ns.items()]
        shares.append(sum(passed_ns) / sum(length or 0 for length in lengths_ns))
    return min(max(shares), 1.0) if shares else None


def _last_edge(graph: Graph, kind: type[Value]) -> str | None:
    names = [spec.name for spec in graph.nodes if (made := spec.ports.output) and issubclass(made, kind)]
    return names[-1] if names else None
