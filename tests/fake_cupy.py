"""A stand-in for cupy on a machine without a GPU: as late as a GPU may be, and unforgiving.

Nothing that is begun on a stream is done before somebody waits for it: who reads without waiting reads rubbish. Memory
holds rubbish when it is allocated, and again when it is freed, which on a stream takes its turn like everything else.
Host code that touches an array of the device gets an error. Kernels are the real ones, executed on the CPU.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.array_functions import each_array, functions_by
from tests.fake_arrays import DeviceArray, Late, blank, row_by_row
from tests.fake_streams import (
    RUBBISH,
    Event,
    LentMemory,
    Memory,
    MemoryPointer,
    Stream,
    Streams,
    UnownedMemory,
    block,
    view,
)


class FakeCupy:
    """The part of cupy that pipeline.device_cuda uses, and the functions of the array API standard.

    Args:
        launch: executes a kernel, by name, over a grid on arrays in host memory.
    """

    ndarray = DeviceArray
    MemoryPointer = MemoryPointer

    def __init__(self, launch: Callable[..., None]) -> None:
        self._launch = launch
        self._local = threading.local()
        self.used_bytes = 0
        self.limit: int | None = None
        self.cuda = self
        self.Event = Event
        self.streams: weakref.WeakValueDictionary[int, Stream] = weakref.WeakValueDictionary()
        """Streams by handle."""
        self.Stream = Streams(self)

    @property
    def current(self) -> Stream:
        """The current stream of this thread: there must be one, the default stream orders nothing here."""
        stream = getattr(self._local, "stream", None)
        assert stream is not None, "work was begun on the default stream"
        return stream

    @current.setter
    def current(self, stream: Stream) -> None:
        self._local.stream = stream

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
        made = block(size)
        pinned = (ctypes.c_uint8 * max(size, 1)).from_buffer(made)
        weakref.finalize(pinned, lambda: made.__setitem__(slice(None), bytes([RUBBISH]) * len(made)))
        return pinned

    def UnownedMemory(self, ptr: int, size: int, owner: Any, device_id: int = -1) -> UnownedMemory:
        """Return what stands for memory of somebody else."""
        return UnownedMemory(self, ptr, size, owner, device_id)

    def empty(self, shape: Any, dtype: Any = np.float32) -> DeviceArray:
        """Return an array of rubbish."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        memory = self._allocator(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        return DeviceArray(shape, dtype, MemoryPointer(memory, 0))

    def asarray(self, a: Any, dtype: Any = None) -> DeviceArray:
        """Return the array on the device; from memory of the host that is not pinned, the copy is taken at once."""
        if isinstance(a, DeviceArray):
            return a
        array = np.asarray(a, dtype)
        made, content = self.empty(array.shape, array.dtype), np.ascontiguousarray(array).tobytes()
        there = made._address
        self.current.begin(lambda: ctypes.memmove(there, content, len(content)) and None)
        return made

    def copyto(self, dst: DeviceArray, src: DeviceArray) -> None:
        """Begin to copy an array into another one of the same shape."""
        assert (dst.shape, dst.dtype) == (src.shape, src.dtype)
        there = dst._address, dst.shape, dst.dtype, dst.strides
        late = Late(src)
        self.current.begin(lambda: np.copyto(view(*there), late.now()))

    def from_dlpack(self, array: Any) -> DeviceArray:
        """Return an array over the memory of somebody else; as cupy does, ask for it with a stream and a version."""
        assert array.__dlpack_device__() == (2, 0)
        lent = array.__dlpack__(stream=self.current.ptr, max_version=(1, 0), copy=None)
        place = MemoryPointer(LentMemory(self, lent.address, lent), 0)
        return DeviceArray(lent.shape, lent.dtype, place, lent.strides)

    def ascontiguousarray(self, a: Any) -> DeviceArray:
        """Return the array on the device, its rows one behind the other."""
        there = self.asarray(a)
        plain = there.strides == row_by_row(there.shape, there.dtype.itemsize)
        return there if plain else self.begin(np.ascontiguousarray, there)

    def begin(self, function: Callable[..., Any], *args: Any, **options: Any) -> DeviceArray:
        """Begin a function of numpy on arrays; its result is known by what it makes of others of the same shapes."""
        stream = self.current
        with np.errstate(all="ignore"):
            like = function(*each_array(DeviceArray, blank, args), **options)
        made = self.empty(np.shape(like), np.asarray(like).dtype)
        there = made._address, made.shape, made.dtype
        late = each_array(DeviceArray, Late, args)

        def work() -> None:
            with np.errstate(all="ignore"):
                view(*there)[...] = function(*each_array(Late, Late.now, late), **options)

        stream.begin(work)
        return made

    def __getattr__(self, name: str) -> Any:
        return functions_by(self.begin, {"concatenate": "concat"}.get(name, name))

    def RawModule(self, code: str, *, options: tuple[str, ...]) -> FakeCupy:
        """Return what stands for compiled kernels."""
        assert "__global__" in code
        return self

    def get_function(self, name: str) -> Callable[..., None]:
        """Return what launches a kernel."""

        def launch(grid: tuple[int, ...], block: tuple[int, ...], args: tuple[DeviceArray, ...]) -> None:
            parts = [(array._address, array.shape, array.dtype) for array in args]
            self.current.begin(lambda: self._launch(name, grid, *(view(*part) for part in parts)))

        return launch
