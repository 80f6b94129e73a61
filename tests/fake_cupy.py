"""A stand-in for cupy on a machine without a GPU: as late as a GPU may be, and unforgiving.

Nothing that is begun on a stream is done before somebody waits for it: who reads without waiting reads rubbish. Memory
holds rubbish when it is allocated, and again when it is freed, which on a stream takes its turn like everything else.
Host code that touches an array of the device gets an error. Kernels are the real ones, executed on the CPU.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.fake_streams import Event, Stream

RUBBISH = 0xA5
ALIGNMENT = 512
"""Bytes of which addresses of memory are whole multiples, as in CUDA; those of parts of an array need not be."""
_KEPT: list[bytearray] = []
"""All memory ever handed out: what reads it after it was freed finds rubbish, and does not crash."""


def view(address: int, shape: Sequence[int], dtype: Any, strides: Sequence[int] | None = None) -> np.ndarray:
    """Return host memory at an address as an array."""
    dtype = np.dtype(dtype)
    span = dtype.itemsize + sum((n - 1) * s for n, s in zip(shape, strides or (), strict=False) if n)
    size = span if strides else dtype.itemsize * int(np.prod(shape))
    block = (ctypes.c_uint8 * max(size, 1)).from_address(address)
    return np.ndarray(tuple(shape), dtype, block, strides=None if strides is None else tuple(strides))


def _block(size: int) -> tuple[bytearray, int]:
    block = bytearray([RUBBISH]) * max(size, 1)
    _KEPT.append(block)
    return block, ctypes.addressof(ctypes.c_uint8.from_buffer(block))


class Memory:
    """A block of device memory; freed, it holds rubbish as soon as its stream gets there."""

    def __init__(self, cupy: FakeCupy, size: int) -> None:
        block, address = _block(size + ALIGNMENT)
        self.ptr = -(-address // ALIGNMENT) * ALIGNMENT
        self.size, self._cupy = size, cupy
        cupy.used_bytes += size
        weakref.finalize(self, _free, cupy, size, block, cupy.current)


def _free(cupy: FakeCupy, size: int, block: bytearray, stream: Stream) -> None:
    cupy.used_bytes -= size
    stream.begin(lambda: block.__setitem__(slice(None), bytes([RUBBISH]) * len(block)))


class DeviceArray:
    """An array that only the device reads. Operators begin work on the current stream."""

    __array_priority__ = 100

    def __init__(self, cupy: FakeCupy, memory: Any, address: int, shape: Sequence[int], dtype: Any) -> None:
        self._cupy, self._memory, self._address = cupy, memory, address
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.nbytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self.size, self.ndim = int(np.prod(self.shape)), len(self.shape)
        self.strides = np.empty(0, self.dtype).strides if not self.shape else _strides(self.shape, self.dtype.itemsize)
        self.data = type("Pointer", (), {"ptr": address})
        self.__cuda_array_interface__ = {"data": (address, False), "shape": self.shape, "version": 3}

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("an array of the device was read on the host: use Device.to_host")

    def __len__(self) -> int:
        return self.shape[0]

    def host(self) -> np.ndarray:
        """Return the memory as it is now, for work that is done on a stream."""
        return view(self._address, self.shape, self.dtype)

    def set(self, host: np.ndarray, stream: Stream) -> None:
        """Begin to copy from pinned memory."""
        assert host.flags.c_contiguous and host.nbytes == self.nbytes
        there, here = self._address, host.ctypes.data
        size = self.nbytes
        stream.begin(lambda: ctypes.memmove(there, here, size) and None)

    def get(self, stream: Stream, blocking: bool) -> np.ndarray:
        """Return a copy on the host, after waiting for the stream when `blocking`."""
        if blocking:
            stream.catch_up()
        return self.host().copy()

    def copy(self) -> DeviceArray:
        """Return a copy in memory of its own."""
        made = self._cupy.empty(self.shape, self.dtype)
        there, here, size = made._address, self._address, self.nbytes
        self._cupy.current.begin(lambda: ctypes.memmove(there, here, size) and None)
        return made

    def view(self, dtype: Any) -> DeviceArray:
        """Return the same memory as elements of another type; one axis only."""
        shape = (self.nbytes // np.dtype(dtype).itemsize,)
        return DeviceArray(self._cupy, self._memory, self._address, shape, dtype)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, stream: int) -> Capsule:
        return Capsule(self, self._address, self.shape, self.dtype)

    def reshape(self, *shape: Any) -> DeviceArray:
        """Return the same memory in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        assert int(np.prod(wanted)) == self.size
        return DeviceArray(self._cupy, self._memory, self._address, wanted, self.dtype)

    def __getitem__(self, rows: slice) -> DeviceArray:
        first, end, step = rows.indices(len(self))
        assert step == 1
        at = self._address + first * self.strides[0]
        return DeviceArray(self._cupy, self._memory, at, (max(end - first, 0), *self.shape[1:]), self.dtype)

    def __sub__(self, other: Any) -> DeviceArray:
        return self._with(other, np.subtract)

    def __truediv__(self, other: Any) -> DeviceArray:
        return self._with(other, np.divide)

    def _with(self, other: DeviceArray, do: Callable[..., Any]) -> DeviceArray:
        assert isinstance(other, DeviceArray), "an array of the host came into the maths of the device"
        made = self._cupy.empty(np.broadcast_shapes(self.shape, other.shape), np.result_type(self.dtype, other.dtype))
        parts = [(one._address, one.shape, one.dtype) for one in (self, other, made)]
        self._cupy.current.begin(lambda: do(*(view(*part) for part in parts[:2]), out=view(*parts[2])) and None)
        return made


@dataclass(frozen=True)
class Capsule:
    """What `__dlpack__` gives: memory of somebody's, who holds it for as long as this is held."""

    owner: Any
    address: int
    shape: tuple[int, ...]
    dtype: Any


def _strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    return tuple(itemsize * int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))


class FakeCupy:
    """The part of cupy that pipeline.device_cuda uses.

    Args:
        launch: executes a kernel, by name, over a grid on arrays in host memory.
    """

    ndarray = DeviceArray

    def __init__(self, launch: Callable[..., None]) -> None:
        self._launch = launch
        self._local = threading.local()
        self.used_bytes = 0
        self.limit: int | None = None
        self.cuda = self
        self.Event = Event
        self.streams: weakref.WeakValueDictionary[int, Stream] = weakref.WeakValueDictionary()
        """Streams by handle."""

    @property
    def current(self) -> Stream:
        """The current stream of this thread: there must be one, the default stream orders nothing here."""
        stream = getattr(self._local, "stream", None)
        assert stream is not None, "work was begun on the default stream"
        return stream

    @current.setter
    def current(self, stream: Stream) -> None:
        self._local.stream = stream

    def Stream(self, non_blocking: bool = False) -> Stream:
        """Make a stream."""
        return Stream(self, non_blocking)

    def MemoryPool(self) -> FakeCupy:
        """Return what stands for a pool."""
        return self

    def set_limit(self, size: int) -> None:
        """Set how much may be allocated."""
        self.limit = size

    def total_bytes(self) -> int:
        """Return how much is allocated."""
        return self.used_bytes

    def malloc(self, size: int) -> Memory:
        """Allocate memory of the device."""
        if self.limit is not None and self.used_bytes + size > self.limit:
            raise MemoryError(f"out of memory: {size} bytes")
        return Memory(self, size)

    def set_allocator(self, allocator: Callable[[int], Memory]) -> None:
        """Take memory from an allocator from now on."""
        self._allocator = allocator

    def alloc_pinned_memory(self, size: int) -> Any:
        """Return pinned memory of the host; freed, it is somebody else's at once."""
        block, _ = _block(size)
        pinned = (ctypes.c_uint8 * max(size, 1)).from_buffer(block)
        weakref.finalize(pinned, lambda: block.__setitem__(slice(None), bytes([RUBBISH]) * len(block)))
        return pinned

    def empty(self, shape: Any, dtype: Any = np.float32) -> DeviceArray:
        """Return an array of rubbish."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        memory = self._allocator(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        return DeviceArray(self, memory, memory.ptr, shape, dtype)

    def asarray(self, array: Any) -> DeviceArray:
        """Return the array on the device; from memory of the host that is not pinned, the copy is taken at once."""
        if isinstance(array, DeviceArray):
            return array
        made, content = self.empty(array.shape, array.dtype), np.ascontiguousarray(array).tobytes()
        there = made._address
        self.current.begin(lambda: ctypes.memmove(there, content, len(content)) and None)
        return made

    ascontiguousarray = asarray

    def from_dlpack(self, array: Any) -> DeviceArray:
        """Return memory that others lent, for work on the current stream."""
        lent = array.__dlpack__(stream=self.current.ptr)
        return DeviceArray(self, lent, lent.address, lent.shape, lent.dtype)

    def RawModule(self, code: str, options: tuple[str, ...]) -> FakeCupy:
        """Return what stands for compiled kernels."""
        assert "__global__" in code
        return self

    def get_function(self, name: str) -> Callable[..., None]:
        """Return what launches a kernel."""

        def launch(grid: tuple[int, ...], block: tuple[int, ...], arrays: tuple[DeviceArray, ...]) -> None:
            parts = [(array._address, array.shape, array.dtype) for array in arrays]
            self.current.begin(lambda: self._launch(name, grid, *(view(*part) for part in parts)))

        return launch
