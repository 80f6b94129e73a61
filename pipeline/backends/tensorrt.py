"""TensorRT: builds engines of ONNX files, and executes them. The only file that imports it.

Written for the Python interface of TensorRT 10, by its documentation.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from pipeline.backends.build_progress import BuildProgress
from pipeline.backends.engine_cache import CancelledError
from pipeline.backends.profiles import Profile
from pipeline.device import Device

WORKSPACE_BYTES = 2 << 30
"""Memory that the builder may use while it tries kernels, beside what models take that run meanwhile."""
ALIGNMENT = 256
"""Bytes that addresses of inputs and outputs must be whole multiples of."""
SUPPORTED = "10"
"""Major version that this is written for; ONNX Runtime's provider is linked with it, too."""
INSTALL = "pip install 'tensorrt-cu13>=10.9,<11'"


class RefusedEngineError(Exception):
    """TensorRT does not take an engine, or makes none; says why."""


def missing() -> str | None:
    """Return what is missing before TensorRT can be used, with what to type, or None; imports nothing."""
    return None if find_spec("tensorrt") else f"no package tensorrt ({INSTALL})"


def load() -> Any:
    """Import the package, and with it the libraries that ONNX Runtime's provider looks for.

    Raises:
        RefusedEngineError: it cannot be imported, or is of another version.
    """
    try:
        package = import_module("tensorrt")
    except Exception as error:  # a library that is missing, or for another driver, has many names
        raise RefusedEngineError(f"the package tensorrt cannot be imported: {error} ({INSTALL})") from error
    if package.__version__.split(".")[0] != SUPPORTED:
        raise RefusedEngineError(f"expected TensorRT {SUPPORTED}, got {package.__version__} ({INSTALL})")
    return package


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
    log = _log(tensorrt)
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


class TensorRtEngine:
    """An engine that is ready to run. May be shared by threads: each has an execution context of its own.

    Args:
        tensorrt: the package.
        engine: as `build` returned it. Loading one that somebody else made is to run what he wants.
        device: where it runs.

    Raises:
        RefusedEngineError: TensorRT does not take it, or wants inputs in memory of the host.
    """

    def __init__(self, tensorrt: Any, engine: bytes, device: Device) -> None:
        self._tensorrt, self._device = tensorrt, device
        self._log = _log(tensorrt)
        self._runtime = tensorrt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise RefusedEngineError(f"TensorRT does not take the engine: {self._log.told()}")
        names = [self._engine.get_tensor_name(k) for k in range(self._engine.num_io_tensors)]
        is_input = {name: self._engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT for name in names}
        if on_host := [name for name in names if is_input[name] and self._engine.is_shape_inference_io(name)]:
            raise RefusedEngineError(f"its inputs {on_host} decide on shapes, so TensorRT wants them on the host")
        outputs = [name for name in names if not is_input[name]]
        self._dtypes = {name: np.dtype(tensorrt.nptype(self._engine.get_tensor_dtype(name))) for name in outputs}
        self._lanes: dict[int, _Lane] = {}
        """By thread."""

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """See `Runner.run`.

        Raises:
            RuntimeError: TensorRT refuses the call.
        """
        device, lane = self._device, self._lane()
        context = lane.context
        fed = {name: _aligned(array, device) for name, array in inputs.items()}
        for name, array in fed.items():
            if not context.set_input_shape(name, tuple(array.shape)):
                raise RuntimeError(f"TensorRT refuses input {name!r} of shape {list(array.shape)}")
            context.set_tensor_address(name, device.address(array))
        if unknown := context.infer_shapes():
            raise RuntimeError(f"TensorRT misses shapes or addresses of {list(unknown)}")
        made: dict[str, Any] = {}
        growing: dict[str, Any] = {}
        for name, dtype in self._dtypes.items():
            shape = tuple(context.get_tensor_shape(name))
            if -1 in shape:  # known only once it has run, such as the number of things found
                growing[name] = _grown(self._tensorrt, device, dtype)
                context.set_output_allocator(name, growing[name])
            else:
                made[name] = device.xp.empty(shape, dtype)
                context.set_tensor_address(name, device.address(made[name]))
        if not context.execute_async_v3(device.stream()):
            raise RuntimeError(f"TensorRT could not run: {self._log.told()}")
        lane.last, lane.stream = device.mark(), device.stream()
        made |= {name: one.array() for name, one in growing.items()}
        return {name: made[name] for name in outputs}

    def close(self) -> None:
        """See `Runner.close`; waits until nothing runs any more, as what runs uses the memory of its context."""
        for lane in self._lanes.values():
            lane.wait()
        self._lanes = {}  # contexts first, then what they are of
        self._engine = self._runtime = None

    def _lane(self) -> _Lane:
        """Return that of the calling thread, which may have the number of one that has ended."""
        lane = self._lanes.get(threading.get_ident())
        if lane is None:
            context = self._engine.create_execution_context()
            if context is None:
                raise RuntimeError("TensorRT cannot make an execution context; is the GPU's memory full?")
            lane = self._lanes[threading.get_ident()] = _Lane(context)
        elif lane.stream != self._device.stream():
            lane.wait()
        return lane


@dataclass
class _Lane:
    """An execution context, which runs one thing at a time."""

    context: Any
    stream: int = 0
    """Handle of the stream of its last run."""
    last: Any = None
    """Event: its last run is over; None before it."""

    def wait(self) -> None:
        """Wait until it runs nothing."""
        if self.last is not None:
            self.last.synchronize()


def _aligned(array: Any, device: Device) -> Any:
    """Return an array that begins where TensorRT wants it; parts of larger ones may not."""
    return array.copy() if device.address(array) % ALIGNMENT else array


@cache
def _log(tensorrt: Any) -> Any:
    """Return the one log of this process: TensorRT keeps to the first that it is given."""

    class Log(tensorrt.ILogger):  # type: ignore[misc]
        """Keeps what went wrong, for messages."""

        def __init__(self) -> None:
            tensorrt.ILogger.__init__(self)
            self._told: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (tensorrt.ILogger.Severity.INTERNAL_ERROR, tensorrt.ILogger.Severity.ERROR):
                self._told = [*self._told[-4:], " ".join(message.split())]

        def told(self) -> str:
            """Return what went wrong since this was asked last."""
            told, self._told = self._told, []
            return "; ".join(told) or "it does not say why"

    return Log()


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


def _grown(tensorrt: Any, device: Device, dtype: np.dtype[Any]) -> Any:
    class Output(tensorrt.IOutputAllocator):  # type: ignore[misc]
        """Gives an output memory as soon as its size is known; its shape is known when the call returns."""

        def __init__(self) -> None:
            tensorrt.IOutputAllocator.__init__(self)
            self.memory: Any = None
            self.shape: tuple[int, ...] = ()

        def reallocate_output_async(self, tensor_name: str, memory: int, size: int, alignment: int, stream: int) -> int:
            self.memory = device.xp.empty(max(size, 1), np.uint8)
            return device.address(self.memory)

        def reallocate_output(self, tensor_name: str, memory: int, size: int, alignment: int) -> int:
            return self.reallocate_output_async(tensor_name, memory, size, alignment, device.stream())

        def notify_shape(self, tensor_name: str, shape: Any) -> None:
            self.shape = tuple(shape)

        def array(self) -> Any:
            """Return the output: what lies at the beginning of the memory, which may be larger."""
            size = int(np.prod(self.shape, dtype=np.int64)) * dtype.itemsize
            return self.memory[:size].view(dtype).reshape(self.shape)

    return Output()
