"""A stand-in for TensorRT: refuses calls in the wrong order, and executes models late, on the stand-in for cupy.

An engine is the ONNX file with a line before it. It runs in ONNX Runtime on the CPU when its stream gets there, on what
then lies at the addresses it was given.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import onnx
import onnxruntime

from tests.fake_cupy import FakeCupy, Stream, view

HEAD = b"fake engine "


class Severity(Enum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class _Base:
    """What Python classes are made from; they must call its `__init__`, or the real one crashes."""

    made = False

    def __init__(self) -> None:
        self.made = True


class _Kept:
    """An object that must not be used after the one that it came from is gone."""

    def __init__(self, parent: Any) -> None:
        self._parent = weakref.ref(parent)

    def parent(self) -> Any:
        parent = self._parent()
        assert parent is not None, f"{type(self).__name__} was used after what it came from was freed"
        return parent


class FakeTensorRt:
    """The part of the package that pipeline.backends.tensorrt uses.

    Args:
        cupy: whose streams it runs on.
        version: of TensorRT.
        gpu: engines of others are refused.
    """

    class ILogger(_Base):
        Severity = Severity

    class IProgressMonitor(_Base):
        pass

    class IOutputAllocator(_Base):
        pass

    class MemoryPoolType(Enum):
        WORKSPACE = 0

    class BuilderFlag(Enum):
        FP16 = 0

    class TensorIOMode(Enum):
        INPUT = 1
        OUTPUT = 2

    def __init__(self, cupy: FakeCupy, version: str = "10.13.0", gpu: str = "Fake 9000") -> None:
        self.cupy, self.__version__, self.gpu = cupy, version, gpu
        self.built = self.run = 0
        """Engines that were built, and runs of engines that were begun."""
        self.flags: list[Any] = []
        self.wrong_by = 0.0
        """What engines add to their outputs."""
        self.cannot_read = ""
        """What the parser complains of."""
        self.wants_on_host: set[str] = set()
        """Inputs that decide on shapes."""
        self.gate: threading.Event | None = None
        """Building does not go on before it is set."""
        self.building = threading.Event()
        """Building has begun."""

    @staticmethod
    def nptype(dtype: np.dtype) -> type:
        return np.dtype(dtype).type

    def Builder(self, log: Any) -> Builder:
        assert isinstance(log, self.ILogger) and log.made
        return Builder(self, log)

    def OnnxParser(self, network: Network, log: Any) -> Parser:
        assert isinstance(log, self.ILogger) and log.made
        return Parser(self, network)

    def Runtime(self, log: Any) -> Runtime:
        assert isinstance(log, self.ILogger) and log.made
        return Runtime(self, log)


class Builder:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self._trt, self._log = trt, log

    def create_network(self, flags: int) -> Network:
        assert flags == 0
        return Network(self)

    def create_builder_config(self) -> Config:
        return Config(self, self._trt)

    def create_optimization_profile(self) -> OptimizationProfile:
        return OptimizationProfile(self)

    def build_serialized_network(self, network: Network, config: Config) -> bytearray | None:
        network.parent(), config.parent()
        assert network.model is not None, "a network was built before a file was parsed"
        assert len(config.profiles) == 1 and config.workspace_bytes
        self._trt.building.set()
        monitor = config.progress_monitor
        assert isinstance(monitor, self._trt.IProgressMonitor) and monitor.made
        told: list[bool] = []
        thread = threading.Thread(target=lambda: told.append(self._steps(monitor)))  # the real one has threads, too
        thread.start()
        thread.join()
        if told != [True]:
            return None
        shapes = config.profiles[0].shapes
        for name, declared in _inputs(network.model).items():
            if any(not isinstance(extent, int) for extent in declared) and name not in shapes:
                self._log.log(Severity.ERROR, f"input {name} has no shapes in the profile")
                return None
        head = json.dumps({"version": self._trt.__version__, "gpu": self._trt.gpu, "shapes": shapes}).encode()
        self._trt.built += 1
        return bytearray(HEAD + head + b"\n" + network.model.SerializeToString())

    def _steps(self, monitor: Any) -> bool:
        monitor.phase_start("all", None, 2)
        monitor.phase_start("tactics", "all", 4)
        for step in range(4):
            if step == 2 and self._trt.gate is not None:
                self._trt.gate.wait()
            if not monitor.step_complete("tactics", step):
                monitor.phase_finish("tactics")
                monitor.phase_finish("all")
                return False
        monitor.phase_finish("tactics")
        going_on = monitor.step_complete("all", 0)
        monitor.phase_finish("all")
        return bool(going_on)


class Network(_Kept):
    model: onnx.ModelProto | None = None


class Parser:
    def __init__(self, trt: FakeTensorRt, network: Network) -> None:
        self._trt, self._network = trt, network
        self.num_errors = 0

    def parse(self, content: bytes) -> bool:
        self._network.parent()
        if self._trt.cannot_read:
            self.num_errors = 1
            return False
        self._network.model = onnx.load_from_string(content)
        return True

    def get_error(self, number: int) -> Any:
        assert number < self.num_errors
        told = self._trt.cannot_read
        return type("ParserError", (), {"desc": lambda self: told})()


class Config(_Kept):
    def __init__(self, builder: Builder, trt: FakeTensorRt) -> None:
        super().__init__(builder)
        self._trt = trt
        self.profiles: list[OptimizationProfile] = []
        self.workspace_bytes = 0
        self.progress_monitor: Any = None

    def set_memory_pool_limit(self, pool: Any, size: int) -> None:
        assert pool is self._trt.MemoryPoolType.WORKSPACE
        self.workspace_bytes = size

    def set_flag(self, flag: Any) -> None:
        assert isinstance(flag, self._trt.BuilderFlag)
        self._trt.flags.append(flag)

    def add_optimization_profile(self, profile: OptimizationProfile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1


class OptimizationProfile(_Kept):
    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, least: tuple[int, ...], usual: tuple[int, ...], most: tuple[int, ...]) -> None:
        assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))
        self.shapes[name] = [least, usual, most]


class Runtime:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self.trt, self.log = trt, log

    def deserialize_cuda_engine(self, content: bytes) -> Engine | None:
        assert isinstance(content, bytes)
        head, _, model = content.partition(b"\n")
        told = json.loads(head[len(HEAD) :]) if head.startswith(HEAD) else {}
        if (told.get("version"), told.get("gpu")) != (self.trt.__version__, self.trt.gpu):
            self.log.log(Severity.ERROR, "the engine was made by another version,\nor for another GPU")
            return None
        return Engine(self, self.trt, told["shapes"], onnx.load_from_string(model))


class Engine(_Kept):
    def __init__(self, runtime: Runtime, trt: FakeTensorRt, shapes: dict[str, Any], model: onnx.ModelProto) -> None:
        super().__init__(runtime)
        self.trt, self.log, self.shapes = trt, runtime.log, shapes
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        self.inputs = _inputs(model)  # an input with a value in the file is a constant
        self.outputs = [node.name for node in self.session.get_outputs()]
        self.told_late = any(node.op_type == "NonZero" for node in model.graph.node)
        self._shapes: dict[Any, Any] = {}

    @property
    def num_io_tensors(self) -> int:
        return len(self.inputs) + len(self.outputs)

    def get_tensor_name(self, number: int) -> str:
        return [*self.inputs, *self.outputs][number]

    def get_tensor_mode(self, name: str) -> Any:
        return self.trt.TensorIOMode.INPUT if name in self.inputs else self.trt.TensorIOMode.OUTPUT

    def is_shape_inference_io(self, name: str) -> bool:
        return name in self.trt.wants_on_host

    def get_tensor_dtype(self, name: str) -> np.dtype:
        return self.dtypes()[name]

    def create_execution_context(self) -> Context:
        self.parent()
        return Context(self)

    def dtypes(self) -> dict[str, np.dtype]:
        """Return element types of inputs and outputs."""
        names = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(uint8)": "uint8"}
        nodes = [*self.session.get_inputs(), *self.session.get_outputs()]
        return {node.name: np.dtype(names[node.type]) for node in nodes}

    def shapes_for(self, given: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of outputs for those of inputs."""
        key = tuple(given.items())
        if key not in self._shapes:
            made = self.session.run(None, {name: np.zeros(shape, self.dtypes()[name]) for name, shape in given.items()})
            self._shapes[key] = {name: array.shape for name, array in zip(self.outputs, made, strict=True)}
        return self._shapes[key]


class Context(_Kept):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._given: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._allocators: dict[str, Any] = {}
        self._thread = threading.get_ident()

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        least, _, most = self.parent().shapes[name]
        if len(shape) != len(least) or any(not a <= b <= c for a, b, c in zip(least, shape, most, strict=True)):
            return False
        self._given[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address and address % 256 == 0, f"the address of {name} is no whole multiple of 256 bytes"
        self._addresses[name] = address
        return True

    def set_output_allocator(self, name: str, allocator: Any) -> bool:
        assert allocator.made
        self._allocators[name] = allocator
        return True

    def infer_shapes(self) -> list[str]:
        return [name for name in self.parent().inputs if name not in self._given]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        engine = self.parent()
        assert not self.infer_shapes(), "the shape of an output was asked for before those of all inputs were set"
        shape = engine.shapes_for(self._given)[name]
        return (-1,) * len(shape) if engine.told_late else shape

    def execute_async_v3(self, handle: int) -> bool:
        engine = self.parent()
        engine.parent()
        trt, stream = engine.trt, engine.trt.cupy.streams[handle]
        assert stream is trt.cupy.current, "it was to run on the stream of another thread"
        assert threading.get_ident() == self._thread, "an execution context was shared by threads"
        assert set(engine.inputs) == set(self._given) and set(engine.inputs) <= set(self._addresses)
        trt.run += 1
        inputs = {name: (self._addresses[name], self._given[name], engine.dtypes()[name]) for name in engine.inputs}
        if engine.told_late:
            self._execute_now(engine, stream, inputs)
            return True
        shapes = engine.shapes_for(self._given)
        places = {name: (self._addresses.pop(name), shapes[name], engine.dtypes()[name]) for name in engine.outputs}
        alive = weakref.ref(self)

        def work() -> None:
            assert alive() is not None, "the context was freed before the device had run it"
            for name, array in _outputs(engine, inputs).items():
                view(*places[name])[...] = array

        stream.begin(work)
        return True

    def _execute_now(self, engine: Engine, stream: Stream, inputs: Any) -> None:
        """Run so far that shapes are known when the call returns; outputs are written in their turn."""
        stream.catch_up()
        for name, array in _outputs(engine, inputs).items():
            allocator = self._allocators[name]
            address = allocator.reallocate_output_async(name, 0, array.nbytes + 64, 256, stream.ptr)
            allocator.notify_shape(name, array.shape)
            stream.begin(_writing(address, array))


def _writing(address: int, array: np.ndarray) -> Callable[[], None]:
    return lambda: np.copyto(view(address, array.shape, array.dtype), array)


def _outputs(engine: Engine, inputs: Any) -> dict[str, np.ndarray]:
    made = engine.session.run(engine.outputs, {name: view(*place).copy() for name, place in inputs.items()})
    wrong = engine.trt.wrong_by
    return {
        name: array + np.array(wrong, array.dtype) if wrong else array
        for name, array in zip(engine.outputs, made, strict=True)
    }


def _inputs(model: onnx.ModelProto) -> dict[str, list[Any]]:
    """Return the extents of inputs that are fed, text or None where they are free."""
    held = {tensor.name for tensor in model.graph.initializer}
    return {
        node.name: [axis.dim_value or axis.dim_param or None for axis in node.type.tensor_type.shape.dim]
        for node in model.graph.input
        if node.name not in held
    }
