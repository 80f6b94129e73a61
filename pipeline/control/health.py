"""Whether a run goes on, and whether frames of every stream come out of it. Told in words that hold no address."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.control.plain import stream_of
from pipeline.status import RunStatus, StreamState, StreamStatus

AT_EASE: frozenset[StreamState] = frozenset({"paused", "reading", "ended", "removed"})
"""States in which no frames need to come: by order, or a file, which may take its time."""


@dataclass(frozen=True)
class Health:
    """An answer to a probe."""

    ok: bool
    reasons: tuple[str, ...] = ()
    """Why not."""
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By stream: whether it is ready, its state, seconds since a frame of it left the graph, and why it was lost."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "reasons": list(self.reasons)}


def live(status: RunStatus) -> Health:
    """Tell whether the run goes on, or is about to begin, and has not failed."""
    if status.failed is not None:
        return Health(False, ("run: failed",))
    over = not status.running and status.elapsed_s > 0
    return Health(not over, ("run: over",) if over else ())


def ready(status: RunStatus, ready_s: float, stream_id: str | None = None) -> Health:
    """Tell whether a frame of every stream went through the whole graph within the last `ready_s` seconds.

    Streams that are paused and files are left out of that.

    Args:
        status: of the run.
        ready_s: seconds.
        stream_id: ask for this stream alone.

    Raises:
        UnknownStreamError: there is no such stream.
    """
    asked = status.streams if stream_id is None else (stream_of(status, stream_id),)
    why = {stream.id: _why_not(stream, ready_s) for stream in asked}
    reasons = [f"stream {name}: {text}" for name, text in why.items() if text]
    if not status.running:
        reasons.insert(0, "run: failed" if status.failed is not None else "run: not begun, or over")
    streams = {
        stream.id: {
            "ready": not why[stream.id],
            "state": stream.state,
            "last_out_s": stream.last_out_s,
            "reason": stream.reason,
        }
        for stream in asked
    }
    return Health(not reasons, tuple(reasons), streams)


def _why_not(stream: StreamStatus, ready_s: float) -> str:
    if stream.state in AT_EASE:
        return ""
    if stream.state == "failed":
        return "failed"
    if stream.last_out_s is not None and stream.last_out_s <= ready_s:
        return ""
    frames = "no frame has" if stream.last_out_s is None else f"for {stream.last_out_s:.1f} s no frame has"
    lost = f", was lost: {stream.reason}" if stream.reason else ""
    return f"{frames} left the graph ({stream.state} for {stream.state_s:.1f} s{lost})"
