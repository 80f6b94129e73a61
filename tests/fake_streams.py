"""Streams, events and memory of a stand-in for a GPU: nothing is done before somebody waits for it."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.fake_cupy import FakeCupy

RUBBISH = 0xA5
ALIGNMENT = 512
"""Bytes of which addresses of memory are whole multiples, as in CUDA; those of parts of an array need not be."""
_KEPT: list[bytearray] = []
"""All memory ever handed out: what reads it after it was freed finds rubbish, and does not crash."""


def view(address: int, shape: Sequence[int], dtype: Any, strides: Sequence[int] | None = None) -> np.ndarray:
    """Return host memory at an address, that of the first element, as an array."""
    dtype = np.dtype(dtype)
    reaches = [(n - 1) * s for n, s in zip(shape, strides or (), strict=False) if n]
    before = -sum(reach for reach in reaches if reach < 0)  # of axes that are walked backwards
    span = dtype.itemsize + sum(abs(reach) for reach in reaches)
    size = span if strides else dtype.itemsize * int(np.prod(shape))
    block = (ctypes.c_uint8 * max(size, 1)).from_address(address - before)
    return np.ndarray(tuple(shape), dtype, block, before, None if strides is None else tuple(strides))


def block(size: int) -> bytearray:
    """Return memory full of rubbish, which is never freed."""
    made = bytearray([RUBBISH]) * max(size, 1)
    _KEPT.append(made)
    return made


def address_of(made: bytearray) -> int:
    """Return where memory lies."""
    return ctypes.addressof(ctypes.c_uint8.from_buffer(made))


class Stream:
    """Work in the order in which it was begun, none of it done before somebody waits."""

    def __init__(self, cupy: FakeCupy, *, non_blocking: bool = False, null: bool = False) -> None:
        assert non_blocking or null, "a stream that the default stream waits for makes all stages wait for each other"
        self._cupy = cupy
        self._todo: list[Callable[[], None]] = []
        self.begun = self.done = 0
        self._lock = threading.RLock()
        self._captured: list[Callable[[], None]] | None = None
        """Work of a recording that has begun, none of which is done before its graph is launched."""
        self.ptr = id(self)
        cupy.streams[self.ptr] = self

    def use(self) -> None:
        """Make it the current stream of this thread."""
        self._cupy.current = self

    def begin(self, work: Callable[[], None]) -> None:
        """Put work at the end."""
        with self._lock:
            if self._captured is not None:
                self._captured.append(work)
                return
            self._todo.append(work)
            self.begun += 1

    def begin_beside(self, work: Callable[[], None]) -> None:
        """Put work at the end that is not of a recording: what memory that is freed becomes."""
        with self._lock:
            self._todo.append(work)
            self.begun += 1

    def begin_capture(self) -> None:
        """Record work from now on in place of doing it."""
        assert self._captured is None, "a recording within a recording"
        self._captured = []

    def end_capture(self) -> Graph:
        """Return what was recorded."""
        assert self._captured is not None, "no recording was begun"
        captured, self._captured = self._captured, None
        return Graph(captured)

    @property
    def capturing(self) -> bool:
        """Tell whether work is recorded."""
        return self._captured is not None

    def catch_up(self, count: int | None = None) -> None:
        """Do the first `count` pieces of work, all of them where none is named."""
        assert not self.capturing, "a stream was waited for while it was recorded"
        with self._lock:
            while self._todo and (count is None or self.done < count):
                work = self._todo.pop(0)
                work()
                self.done += 1

    def wait_event(self, event: Event) -> None:
        """Let what comes after wait for an event."""
        self.begin(event.synchronize)


class Graph:
    """Recorded work, to be done again and again with the addresses that it was recorded with."""

    def __init__(self, work: list[Callable[[], None]]) -> None:
        self._work = work

    def launch(self, stream: Stream) -> None:
        """Begin all of it, as one."""

        def all_of_it() -> None:
            for work in self._work:
                work()

        stream.begin(all_of_it)


class Event:
    """A place in the work of a stream."""

    def __init__(self, *, disable_timing: bool = False) -> None:
        self._at: tuple[Stream, int] | None = None

    def record(self, stream: Stream) -> None:
        """Stand after all that was begun on a stream so far."""
        assert not stream.capturing, "an event was recorded where nothing is done"
        self._at = stream, stream.begun

    def synchronize(self) -> None:
        """Wait for it."""
        assert self._at is not None
        stream, count = self._at
        stream.catch_up(count)

    @property
    def done(self) -> bool:
        """Tell whether it is over."""
        assert self._at is not None
        return self._at[0].done >= self._at[1]


class Streams:
    """What makes streams, and has the default one."""

    def __init__(self, cupy: FakeCupy) -> None:
        self._cupy = cupy
        self.null = Stream(cupy, null=True)

    def __call__(self, *, non_blocking: bool = False) -> Stream:
        return Stream(self._cupy, non_blocking=non_blocking)


class Memory:
    """A block of device memory; freed, it holds rubbish as soon as its stream gets there."""

    def __init__(self, cupy: FakeCupy, size: int) -> None:
        assert not cupy.current.capturing, "memory was asked for in a recording"
        made = block(size + ALIGNMENT)
        self.ptr = -(-address_of(made) // ALIGNMENT) * ALIGNMENT
        self.size, self.cupy = size, cupy
        cupy.used_bytes += size
        weakref.finalize(self, _free, cupy, size, made, cupy.current)


def _free(cupy: FakeCupy, size: int, made: bytearray, stream: Stream) -> None:
    cupy.used_bytes -= size
    stream.begin_beside(lambda: made.__setitem__(slice(None), bytes([RUBBISH]) * len(made)))


class UnownedMemory:
    """A block of somebody else's; let go of, it stays for as long as work that was begun may still read it."""

    def __init__(self, cupy: FakeCupy, ptr: int, size: int, owner: Any, device_id: int) -> None:
        if not ptr and device_id < 0:
            raise RuntimeError("UnownedMemory requires explicit device ID for a null pointer.")
        self.ptr, self.size, self.cupy = ptr, size, cupy
        weakref.finalize(self, _let_go, cupy.current, [owner])


def _let_go(stream: Stream, owners: list[Any]) -> None:
    stream.begin_beside(owners.clear)


class LentMemory:
    """A block that came through DLPack; its owner may have it back at once."""

    def __init__(self, cupy: FakeCupy, ptr: int, owner: Any) -> None:
        self.ptr, self.cupy, self._owner = ptr, cupy, owner


class MemoryPointer:
    """A place in a block of memory."""

    def __init__(self, mem: Any, offset: int) -> None:
        self.mem, self.ptr = mem, mem.ptr + offset

    def memset_async(self, value: int, size: int, stream: Stream) -> None:
        """Begin to fill memory."""
        there = self.ptr
        stream.begin(lambda: ctypes.memset(there, value, size) and None)
