"""TensorRT: executes engines, which `engine_build` makes. The only file that imports it.

Written for the Python interface of TensorRT 10, by its documentation.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from pipeline.backends.backend import one_line
from pipeline.backends.recorded import Recorded, Recordings
from pipeline.device import Device

logger = logging.getLogger(__name__)

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


class TensorRtEngine:
    """An engine that is ready to run. May be shared by threads: each has execution contexts of its own.

    Args:
        tensorrt: the package.
        engine: as `build` returned it. Loading one that somebody else made is to run what he wants.
        device: where it runs.
        name: of the model, for messages.
        cuda_graphs: whether runs are recorded and repeated. Where that cannot be done they are begun kernel by kernel,
            which is logged.

    Raises:
        RefusedEngineError: TensorRT does not take it, or wants inputs in memory of the host.
    """

    def __init__(
        self, tensorrt: Any, engine: bytes, device: Device, name: str = "an engine", cuda_graphs: bool = False
    ) -> None:
        self._tensorrt, self._device, self._name, self._cuda_graphs = tensorrt, device, name, cuda_graphs
        self._log = log_of(tensorrt)
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
        lane = self._lane()
        recorded = self._recorded(lane, inputs) if self._cuda_graphs else None
        if recorded:
            made = recorded.run(inputs)
        else:
            made = self._begun(lane.context, {name: _aligned(one, self._device) for name, one in inputs.items()})
        lane.last, lane.stream = self._device.mark(), self._device.stream()
        return {name: made[name] for name in outputs}

    def _begun(self, context: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a run on aligned inputs and return its outputs."""
        device = self._device
        for name, array in inputs.items():
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
        self._execute(context)
        return made | {name: one.array() for name, one in growing.items()}

    def _execute(self, context: Any) -> None:
        if not context.execute_async_v3(self._device.stream()):
            raise RuntimeError(f"TensorRT could not run: {self._log.told()}")

    def _recorded(self, lane: _Lane, inputs: Mapping[str, Any]) -> Recorded | None:
        """Return the recorded run for inputs, or None where they are not to be or cannot be recorded."""
        try:
            return lane.recordings.of(inputs, self._record)
        except Exception as error:  # of TensorRT, cupy and the driver: what cannot be recorded can still be run
            self._cuda_graphs = False
            logger.warning(
                "model %s: no CUDA graphs, its kernels are launched one by one: %s", self._name, one_line(error)
            )
            return None

    def _record(self, inputs: Mapping[str, Any]) -> Recorded:
        """Record a run. TensorRT wants a context to have run once, as it is, before that."""
        device, context = self._device, self._context()
        fed = {name: array.copy() for name, array in inputs.items()}
        made = self._begun(context, fed)
        done = device.mark()
        if done is not None:
            done.synchronize()  # before anything can fail: a context must not be let go while it runs
        if late := [name for name in self._dtypes if -1 in tuple(context.get_tensor_shape(name))]:
            raise RuntimeError(f"the size of {late} shows only in the run")
        return Recorded(device, context, fed, made, device.recorded(lambda: self._execute(context)))

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
            lane = self._lanes[threading.get_ident()] = _Lane(self._context())
        elif lane.stream != self._device.stream():
            lane.wait()
        return lane

    def _context(self) -> Any:
        context = self._engine.create_execution_context()
        if context is None:
            raise RuntimeError("TensorRT cannot make an execution context; is the GPU's memory full?")
        return context


@dataclass
class _Lane:
    """An execution context, which runs one thing at a time, and recorded runs, which wait for each other, too."""

    context: Any
    recordings: Recordings = field(default_factory=Recordings)
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
def log_of(tensorrt: Any) -> Any:
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
