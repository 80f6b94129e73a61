"""Inputs of sessions may be arrays of other libraries, lent by DLPack."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.device import open_device
from pipeline.errors import ModelError
from pipeline.session import Session, open_session
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_arrays import Capsule, DeviceArray
from tests.fake_cupy import FakeCupy
from tests.fake_streams import Stream
from tests.pipeline.cuda.on_cpu import CompiledKernels
from tests.pipeline.tiny_model import install, model


class Theirs:
    """An array of another library, computed on a stream of that library's own."""

    def __init__(self, cupy: FakeCupy, values: Any, device: tuple[int, int] = (2, 0)) -> None:
        self._cupy, self._device = cupy, device
        self._stream = Stream(cupy, non_blocking=True)
        self._values = np.array(values, np.float32)
        self._memory = (ctypes.c_uint8 * self._values.nbytes)()
        self._stream.begin(lambda: self.holds(self._values))

    def holds(self, values: np.ndarray) -> None:
        """Have the memory hold other values, as when it is used again."""
        ctypes.memmove(self._memory, np.ascontiguousarray(values).ctypes.data, self._values.nbytes)

    def is_there(self) -> None:
        """Wait until it is computed."""
        self._stream.catch_up()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, *, stream: int, **_: Any) -> Capsule:
        self._cupy.streams[stream].begin(self._stream.catch_up)
        return Capsule(self, ctypes.addressof(self._memory), self._values.shape, self._values.dtype)


class OnHost:
    """An array of another library in host memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.__dlpack__, self.__dlpack_device__ = values.__dlpack__, values.__dlpack_device__


@pytest.fixture
def cuda(compiled_kernels: CompiledKernels) -> CudaDeviceOnCpu:
    return CudaDeviceOnCpu(compiled_kernels)


def session(root: Path, device: Any) -> Session:
    install(root, model())
    return open_session("tiny", device, root)


def test_a_lent_array_of_the_host_is_read_where_it_lies(tmp_path: Path) -> None:
    cpu, values = open_device("cpu"), np.ones((2, 3), np.float32)

    assert session(tmp_path, cpu).run({"x": OnHost(values)})["y"].tolist() == [[2, 3, 4]] * 2
    assert np.shares_memory(cpu.taken(OnHost(values)), values)


def test_a_lent_array_of_the_device_is_waited_for(tmp_path: Path, cuda: CudaDeviceOnCpu) -> None:
    opened = session(tmp_path, cuda)

    told = opened.run({"x": Theirs(cuda.fake, [[1, 1, 1]])})["y"]

    assert isinstance(told, DeviceArray)
    assert cuda.to_host(told).tolist() == [[2, 3, 4]]


def test_who_lent_an_array_may_use_its_memory_again_when_the_device_has_read_it(cuda: CudaDeviceOnCpu) -> None:
    theirs = Theirs(cuda.fake, [[1, 1, 1]])
    taken = cuda.taken(theirs)
    cuda.fake.current.catch_up()

    theirs.holds(np.zeros((1, 3), np.float32))

    assert cuda.to_host(taken).tolist() == [[1, 1, 1]]


def test_a_lent_array_is_held_until_the_device_has_read_it(cuda: CudaDeviceOnCpu) -> None:
    freed: list[bool] = []

    class Told(Theirs):
        def __del__(self) -> None:
            freed.append(True)

    theirs = Told(cuda.fake, [[1, 1, 1]])
    theirs.is_there()
    taken = cuda.taken(theirs)
    del theirs
    gc.collect()
    assert freed == []

    assert cuda.to_host(taken).tolist() == [[1, 1, 1]]
    cuda.taken(Theirs(cuda.fake, [[2, 2, 2]]))
    gc.collect()
    assert freed == [True]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.ones((1, 3), np.float32), "got ndarray (its memory is that of the DLPack device 1, not of CUDA (2))"),
        ([[1, 1, 1]], "got list ('list' object has no attribute '__dlpack_device__')"),
    ],
)
def test_arrays_of_other_memory_are_refused_by_the_gpu(
    tmp_path: Path, cuda: CudaDeviceOnCpu, given: Any, told: str
) -> None:
    opened = session(tmp_path, cuda)

    with pytest.raises(ModelError) as caught:
        opened.run({"x": given})

    assert str(caught.value) == (
        f"model {tmp_path}/tiny.onnx: input 'x': expected an array of the device 'cuda', {told}"
    )


def test_what_is_no_array_is_refused_by_the_cpu(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="input 'x': expected an array of the device 'cpu', got list"):
        session(tmp_path, open_device("cpu")).run({"x": [[1, 1, 1]]})
