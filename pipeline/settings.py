"""How the engine runs a graph: the `engine:` block of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineConfig(BaseModel):
    """Everything has a default that suits both a clip on a laptop and cameras on a server."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run. `auto` takes the CPU as yet: `cuda` has run on a stand-in for a GPU and on none."""
    assert_zero_copy: bool = False
    """Fail the run when a picture goes to the device, or anything as large comes back but for who draws it: proof that
    decoding, models and what lies between them stay on the GPU."""
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
    stall_s: float = Field(default=2.0, gt=0)
    """Seconds without a frame after which a live stream counts as stalled. Raise for cameras with long gaps."""
    give_up_s: float = Field(default=10.0, gt=0)
    """Seconds without a frame after which a live stream counts as lost although its connection holds, and is connected
    to anew. Raise for cameras that send a key frame less often than that."""
    back_off_first_s: float = Field(default=1.0, gt=0)
    """Longest wait before the first try to connect again; it doubles with each try that fails. The wait is drawn
    between 0 and that, so that many cameras do not come back at one moment."""
    back_off_cap_s: float = Field(default=30.0, gt=0)
    """Longest wait between two tries. Lower to notice sooner that a camera is back; costs tries that fail."""
    serve: str | None = None
    """Address at which a run can be watched and steered over HTTP, such as `127.0.0.1:8700`; None for nobody."""
    serve_token_file: Path | None = None
    """File with the token that is asked of who steers; needed where others than this machine can reach `serve`."""
    ready_s: float = Field(default=10.0, gt=0)
    """A stream counts as ready while a frame of it went through the whole graph within the last so many seconds."""
