"""Engines of TensorRT are built of ONNX files."""

from __future__ import annotations

from typing import Any

from pipeline.backends.build_progress import BuildProgress
from pipeline.backends.engine_cache import CancelledError
from pipeline.backends.profiles import Profile
from pipeline.backends.tensorrt import RefusedEngineError, log_of

WORKSPACE_BYTES = 2 << 30
"""Memory that the builder may use while it tries kernels, beside what models take that run meanwhile."""


def build(tensorrt: Any, content: bytes, profile: Profile, precision: str, progress: BuildProgress) -> bytes:
    """Return an engine of an ONNX file. Takes seconds to many minutes.

    Args:
        tensorrt: the package.
        content: an ONNX file, all inputs of which are fed.
        profile: the shapes of its inputs.
        precision: `fp32` or `fp16`; in `fp16` TensorRT chooses which layers are computed so.
        progress: is told how far it is, and ends it.

    Raises:
        RefusedEngineError: TensorRT cannot build it; says why.
        CancelledError: `progress` ended it.
    """
    log = log_of(tensorrt)
    builder = tensorrt.Builder(log)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, log)
    if not parser.parse(content):
        told = "; ".join(parser.get_error(k).desc() for k in range(parser.num_errors))
        raise RefusedEngineError(f"TensorRT cannot read the file: {told or 'it does not say why'}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    if precision == "fp16":
        config.set_flag(tensorrt.BuilderFlag.FP16)
    shapes = builder.create_optimization_profile()
    for name, (least, usual, most) in profile.shapes.items():
        shapes.set_shape(name, least, usual, most)
    config.add_optimization_profile(shapes)
    monitor = config.progress_monitor = _monitor(tensorrt, progress)
    engine = builder.build_serialized_network(network, config)
    del monitor  # must outlive what uses it
    if engine is None:
        if progress.cancelled:
            raise CancelledError("the building of an engine was cancelled")
        raise RefusedEngineError(f"TensorRT cannot build an engine: {log.told()}")
    return bytes(engine)


def _monitor(tensorrt: Any, progress: BuildProgress) -> Any:
    class Monitor(tensorrt.IProgressMonitor):  # type: ignore[misc]
        """Hands on what TensorRT tells."""

        def __init__(self) -> None:
            tensorrt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.started(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.stepped(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            progress.finished(phase_name)

    return Monitor()
