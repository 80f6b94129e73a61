"""How the engine runs a graph: the `engine:` block of a configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineConfig(BaseModel):
    """Everything has a default that suits both a clip on a laptop and cameras on a server."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run. `auto` takes a CUDA device when there is one that works, and the CPU otherwise."""
    on_error: Literal["auto", "stop", "drop"] = "auto"
    """When a node fails on a tick: `stop` the run after finishing the files, or `drop` the frames of the failing
    stream and go on. `auto` stops when all sources are files and drops when one is live."""
    batch_size: int = Field(default=1, ge=1, le=256)
    """Frames in one tick at most. Raise for throughput with many streams or a GPU; costs latency and memory."""
    batch_wait_ms: float | None = Field(default=None, ge=0)
    """How long a live tick may wait to be filled, milliseconds; None: one frame period. Raise for fuller ticks."""
    ticks_in_flight: int = Field(default=6, ge=1, le=64)
    """Ticks inside the graph at once. Raise to keep more stages busy; costs memory and, with live streams, latency."""
    sink_queue: int = Field(default=64, ge=1)
    """Ticks that may wait before a slow sink of a live graph. Raise to ride out longer hiccups; costs memory."""
