"""How the engine runs a graph: the `engine:` block of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_Rows = Annotated[int, Field(ge=1)]


def _rising(extents: tuple[int, int, int]) -> tuple[int, int, int]:
    if not extents[0] <= extents[1] <= extents[2]:
        raise ValueError(f"expected the least, the usual and the most rows, got {list(extents)}; put them in order")
    return extents


Extents = Annotated[tuple[_Rows, _Rows, _Rows], AfterValidator(_rising)]
"""Least, usual and most rows."""


class EngineConfig(BaseModel):
    """Everything has a default that suits both a clip on a laptop and cameras on a server."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run. `auto` takes the CPU as yet: `cuda` has run on a stand-in for a GPU and on none."""
    backend: Literal["auto", "onnxruntime", "onnxruntime-tensorrt", "tensorrt"] = "auto"
    """What executes models on a GPU. `onnxruntime`: its CUDA provider, at once. `tensorrt`: engines that are built for
    this GPU, which takes minutes the first time. `onnxruntime-tensorrt`: the same within ONNX Runtime, for models that
    TensorRT knows in part. `auto` takes `onnxruntime`."""
    precision: Literal["fp32", "fp16"] = "fp32"
    """What engines are built for. `fp16` is faster and less exact; each engine is held against ONNX Runtime."""
    cuda_graphs: bool = False
    """Whether what engines of the backend `tensorrt` do is recorded and launched as one, which spares small models most
    of their time on the host. Never tried on a GPU; `make gpu-check` does."""
    cache_folder: Path | None = None
    """Where engines are kept; None: `gazegraph/engines` in the user's folder for caches. For nobody else to write."""
    extents: dict[str, Extents] = {}
    """Least, usual and most rows that engines take, by the name that cards give an axis, such as `heads: [1, 4, 32]`;
    others take 1 to 32 rows, fewer of large pictures. More cost memory; what is beyond them ONNX Runtime executes."""
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

    @model_validator(mode="after")
    def _cuda_graphs_are_of_engines(self) -> Self:
        if self.cuda_graphs and self.backend != "tensorrt":
            raise ValueError(
                f"cuda_graphs: expected the backend tensorrt, got {self.backend!r}; add --backend tensorrt, or leave "
                "cuda_graphs out"
            )
        return self

    @model_validator(mode="after")
    def _precision_is_that_of_engines(self) -> Self:
        if self.precision != "fp32" and self.backend in ("auto", "onnxruntime"):
            raise ValueError(
                f"precision: expected the backend tensorrt or onnxruntime-tensorrt for {self.precision!r}, got "
                f"{self.backend!r}; add --backend tensorrt, or take precision fp32"
            )
        return self
