"""Engines of the stand-in for TensorRT: they run in ONNX Runtime on the CPU, late, and refuse calls in the wrong order.

An engine runs when its stream gets there, on what then lies at the addresses it was given.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime

from tests.fake_streams import Stream, view

if TYPE_CHECKING:
    from tests.fake_tensorrt import FakeTensorRt

HEAD = b"fake engine "


class Severity(Enum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class Kept:
    """An object that must not be used after the one that it came from is gone."""

    def __init__(self, parent: Any) -> None:
        self._parent = weakref.ref(parent)

    def parent(self) -> Any:
        parent = self._parent()
        assert parent is not None, f"{type(self).__name__} was used after what it came from was freed"
        return parent


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


class Engine(Kept):
    def __init__(self, runtime: Runtime, trt: FakeTensorRt, shapes: dict[str, Any], model: onnx.ModelProto) -> None:
        super().__init__(runtime)
        self.trt, self.log, self.shapes = trt, runtime.log, shapes
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        self.inputs = inputs_of(model)  # an input with a value in the file is a constant
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


class Context(Kept):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._given: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._allocators: dict[str, Any] = {}
        self._last: tuple[Stream, int] | None = None
        self._written: dict[str, int] = {}
        """Where the last run writes its outputs: the next one must write elsewhere, as those are the caller's."""
        self._ran_with: dict[str, tuple[int, ...]] = {}
        self.edition = 0
        """How often it was told something: graphs that were recorded before are wrong from then on."""

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        least, _, most = self.parent().shapes[name]
        if len(shape) != len(least) or any(not a <= b <= c for a, b, c in zip(least, shape, most, strict=True)):
            return False
        self.edition += 1
        self._given[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address and address % 256 == 0, f"the address of {name} is no whole multiple of 256 bytes"
        self.edition += 1
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
        if self._last is not None and self._last[0] is not stream:
            assert self._last[0].done >= self._last[1], "an execution context ran on two streams at once"
        assert set(engine.inputs) == set(self._given) and set(engine.inputs) <= set(self._addresses)
        if stream.capturing and (engine.told_late or trt.cannot_record or not self._ran_as_it_is()):
            engine.log.log(Severity.ERROR, trt.cannot_record or "a context is recorded only when it has run as it is")
            return False
        trt.run += not stream.capturing
        inputs = {name: (self._addresses[name], self._given[name], engine.dtypes()[name]) for name in engine.inputs}
        if engine.told_late:
            self._execute_now(engine, stream, inputs)
            return True
        shapes = engine.shapes_for(self._given)
        places = {name: (self._addresses[name], shapes[name], engine.dtypes()[name]) for name in engine.outputs}
        written = {name: place[0] for name, place in places.items()}
        assert stream.capturing or not set(written.items()) & set(self._written.items()), "outputs are written over"
        self._written, self._ran_with = written, dict(self._given)
        alive, edition, recorded = weakref.ref(self), self.edition, stream.capturing

        def work() -> None:
            context = alive()
            assert context is not None, "the context was freed before the device had run it"
            if recorded:
                assert context.edition == edition, "a context was told something else after it was recorded"
                trt.repeated += 1
            for name, array in _outputs(engine, inputs).items():
                view(*places[name])[...] = array

        stream.begin(work)
        self._last = stream, stream.begun
        return True

    def _ran_as_it_is(self) -> bool:
        """Tell whether it has run with the shapes that it has now, and is through."""
        return self._ran_with == self._given and self._last is not None and self._last[0].done >= self._last[1]

    def _execute_now(self, engine: Engine, stream: Stream, inputs: Any) -> None:
        """Run so far that shapes are known when the call returns; outputs are written in their turn."""
        stream.catch_up()
        for name, array in _outputs(engine, inputs).items():
            allocator = self._allocators[name]
            address = allocator.reallocate_output_async(name, 0, array.nbytes + 64, 256, stream.ptr)
            allocator.notify_shape(name, array.shape)
            stream.begin(_writing(weakref.ref(self), address, array))
        self._last = stream, stream.begun


def _writing(alive: Callable[[], Context | None], address: int, array: np.ndarray) -> Callable[[], None]:
    def write() -> None:
        assert alive() is not None, "the context was freed before the device had run it"
        np.copyto(view(address, array.shape, array.dtype), array)

    return write


def _outputs(engine: Engine, inputs: Any) -> dict[str, np.ndarray]:
    made = engine.session.run(engine.outputs, {name: view(*place).copy() for name, place in inputs.items()})
    wrong = engine.trt.wrong_by
    return {
        name: array + np.array(wrong, array.dtype) if wrong else array
        for name, array in zip(engine.outputs, made, strict=True)
    }


def inputs_of(model: onnx.ModelProto) -> dict[str, list[Any]]:
    """Return the extents of inputs that are fed, text or None where they are free."""
    held = {tensor.name for tensor in model.graph.initializer}
    return {
        node.name: [axis.dim_value or axis.dim_param or None for axis in node.type.tensor_type.shape.dim]
        for node in model.graph.input
        if node.name not in held
    }
