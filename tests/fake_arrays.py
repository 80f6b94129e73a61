"""Arrays of a stand-in for a GPU: only work on its streams reads them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.array_functions import Operators
from tests.fake_streams import MemoryPointer, Stream, view

if TYPE_CHECKING:
    from tests.fake_cupy import FakeCupy


class DeviceArray(Operators):
    """An array that only the device reads. Operators begin work on the current stream."""

    __array_priority__ = 100

    def __init__(
        self, shape: Sequence[int], dtype: Any, memptr: MemoryPointer, strides: Sequence[int] | None = None
    ) -> None:
        self._cupy, self._memory, self._address = memptr.mem.cupy, memptr.mem, memptr.ptr
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.nbytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self.size, self.ndim = int(np.prod(self.shape)), len(self.shape)
        self.strides = row_by_row(self.shape, self.dtype.itemsize) if strides is None else tuple(strides)
        self.data = memptr
        self.__cuda_array_interface__ = {"data": (memptr.ptr, False), "shape": self.shape, "version": 3}

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("an array of the device was read on the host: use Device.to_host")

    def __array_namespace__(self) -> FakeCupy:
        return self._cupy

    def __len__(self) -> int:
        return self.shape[0]

    def host(self) -> np.ndarray:
        """Return the memory as it is now, for work that is done on a stream."""
        return view(self._address, self.shape, self.dtype, self.strides)

    def set(self, arr: np.ndarray, stream: Stream) -> None:
        """Begin to copy from pinned memory."""
        assert arr.flags.c_contiguous and arr.nbytes == self.nbytes
        there, here = self._address, arr.ctypes.data
        size = self.nbytes
        stream.begin(lambda: ctypes.memmove(there, here, size) and None)

    def get(self, *, stream: Stream, blocking: bool) -> np.ndarray:
        """Return a copy on the host, after waiting for the stream when `blocking`."""
        if blocking:
            stream.catch_up()
        return self.host().copy()

    def begin(self, function: Callable[..., Any], *args: Any, **options: Any) -> DeviceArray:
        """Begin a function on arrays, whose result has a shape that does not hang on their values.

        Nothing names the memory of the arguments until it is done: that is for the caller to see to, as on a GPU.
        """
        return self._cupy.begin(function, *args, **options)

    def copy(self) -> DeviceArray:
        """Return a copy in memory of its own."""
        return self.begin(np.array, self)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int, **_: Any) -> Capsule:
        return Capsule(self, self._address, self.shape, self.dtype, self.strides)

    def reshape(self, *shape: Any) -> DeviceArray:
        """Return the same memory in another shape, or a copy where it cannot be."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        if self.strides != row_by_row(self.shape, self.dtype.itemsize):
            return self.begin(np.reshape, self, wanted)
        return self._seen(self.host().reshape(wanted))

    def view(self, dtype: Any) -> DeviceArray:
        """Return the same memory as numbers of another kind."""
        return self._seen(self.host().view(dtype))

    @property
    def T(self) -> DeviceArray:
        """The matrix, turned over: the same memory."""
        return self._seen(self.host().T)

    def __getitem__(self, key: Any) -> DeviceArray:
        if any(isinstance(one, DeviceArray) for one in (key if isinstance(key, tuple) else (key,))):
            return self.begin(lambda array, at: array[at], self, key)
        return self._seen(self.host()[key])

    def _seen(self, array: np.ndarray) -> DeviceArray:
        """Return the array of the device at memory that is part of this one's, as numpy lays it out."""
        address = array.__array_interface__["data"][0]
        place = MemoryPointer(self._memory, address - self._memory.ptr)
        return DeviceArray(array.shape, array.dtype, place, array.strides)


@dataclass(frozen=True)
class Capsule:
    """What `__dlpack__` gives: memory of somebody's, who holds it for as long as this is held."""

    owner: Any
    address: int
    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...] | None = None


class Late:
    """Where an array will be read; keeps no memory."""

    def __init__(self, array: DeviceArray) -> None:
        self._at = array._address, array.shape, array.dtype, array.strides

    def now(self) -> np.ndarray:
        """Return what is there now."""
        return view(*self._at)


def blank(array: DeviceArray) -> np.ndarray:
    """Return an array of the host of the same shape and dtype."""
    return np.zeros(array.shape, array.dtype)


def row_by_row(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    return tuple(itemsize * int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
