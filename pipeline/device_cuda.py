"""The device of NVIDIA GPUs: cupy arrays, kernels of our own for pixels, ONNX Runtime's CUDA provider.

The only file that imports cupy. A thread has a stream of its own; what it begins there is done in order, and the host
waits only where an array comes back (`to_host`). Threads share the planes of pictures, which `Uploads` orders, and
columns of values, which `Handover` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.cuda import source
from pipeline.cuda.decoding import DeviceDecoding
from pipeline.cuda.handover import Handover
from pipeline.cuda.images import cropped_images, whole_images
from pipeline.cuda.late import LateMemory
from pipeline.cuda.libraries import load_libraries
from pipeline.cuda.riders import Rider, Riders
from pipeline.cuda.streams import ThreadStreams
from pipeline.cuda.structs import target
from pipeline.cuda.traffic import Traffic
from pipeline.cuda.uploads import Uploads
from pipeline.device import Device, DeviceKind, check_pictures
from pipeline.frames import FrameBatch
from pipeline.letterbox import content_size
from pipeline.onnx_dtypes import DTYPES
from pipeline.values import Value

Array = np.ndarray[Any, np.dtype[Any]]
_DLPACK_CUDA = 2
"""What DLPack calls the memory of a CUDA device (kDLCUDA)."""


class CudaDevice(Device):
    """Arrays in the memory of the first GPU that this process sees.

    Args:
        model_threads: CPU threads of what a model leaves to the CPU.
        most_bytes: how much memory arrays may take, those of models apart; None: all there is.
        late: whether all that is made here is late, and memory holds rubbish before: races show then. It is slow.
        cupy: what stands for the package in tests.
    """

    kind: ClassVar[DeviceKind] = "cuda"
    memory = "cuda"

    def __init__(
        self, model_threads: int = 1, most_bytes: int | None = None, late: bool = False, cupy: Any = None
    ) -> None:
        super().__init__(model_threads)
        cupy = cupy or import_module("cupy")
        load_libraries()
        self._cupy = cupy
        self._pool = cupy.cuda.MemoryPool()
        if most_bytes is not None:
            self._pool.set_limit(size=most_bytes)
        cupy.cuda.set_allocator(self._pool.malloc)
        self.traffic = Traffic()
        self._streams = ThreadStreams(cupy)
        module = cupy.RawModule(code=source.text(source.TO_FLOATS.file), options=source.OPTIONS)
        kernels = {"float32": source.TO_FLOATS, "uint8": source.TO_BYTES}
        self._kernels = {dtype: module.get_function(kernel.name) for dtype, kernel in kernels.items()}
        self._empty = cupy.empty
        if late:
            self._empty = LateMemory(cupy, self._streams, module.get_function(source.BE_LATE.name)).empty
        self._uploads = Uploads(cupy, self._streams, self.traffic, self._empty)
        self._decoding = DeviceDecoding(cupy, self._streams, self.traffic)
        self._handover = Handover(self._streams)
        self._riders = Riders()

    @property
    def xp(self) -> Any:
        """Return cupy, with the stream of the calling thread as the current one."""
        self._streams.own()
        return self._cupy

    @property
    def providers(self) -> Sequence[Any]:
        """Return the CUDA provider on the stream of the calling thread: who opens a model must be who runs it."""
        return [("CUDAExecutionProvider", {"user_compute_stream": str(self.stream())})]

    def model_input(
        self,
        frames: FrameBatch,
        size_wh: tuple[int, int],
        colour: Literal["bgr", "rgb", "grey"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
        how: Literal["stretch", "letterbox"] = "stretch",
        shrink: Literal["area", "linear"] = "area",
        fill: int = 0,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> Any:
        """See `Device.model_input`."""
        if how not in ("stretch", "letterbox"):
            raise ValueError(f"CudaDevice.model_input: how: expected 'stretch' or 'letterbox', got {how!r}")
        there = self._on_device("model_input", frames, range(len(frames)))
        sizes = [size_wh if how == "stretch" else content_size(one.size_wh, size_wh) for one in there.pictures]
        images = whole_images(there.pictures, np.array(sizes, np.int64).reshape(-1, 2), self.address, shrink)
        wanted = target(size_wh, colour, layout, dtype, fill, mean, std)
        return self._made(frames, range(len(frames)), images, wanted, size_wh, layout, dtype)

    def crops(
        self,
        frames: FrameBatch,
        frame_row: Array,
        boxes: Array,
        size_wh: tuple[int, int],
        colour: Literal["bgr", "rgb", "grey"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
    ) -> Any:
        """See `Device.crops`."""
        rows, row = np.unique(frame_row, return_inverse=True)
        there = self._on_device("crops", frames, rows.tolist())
        images = cropped_images(there.pictures, row, boxes, size_wh, self.address)
        wanted = target(size_wh, colour, layout, dtype)
        return self._made(frames, rows.tolist(), images, wanted, size_wh, layout, dtype)

    def address(self, array: Any) -> int:
        """See `Device.address`."""
        return int(array.data.ptr)

    def taken(self, array: Any) -> Any:
        """See `Device.taken`; others' arrays are copied on the device, as they may use their memory again."""
        if isinstance(array, self._cupy.ndarray):
            return array
        kind = array.__dlpack_device__()[0]
        if kind != _DLPACK_CUDA:
            raise ValueError(f"its memory is that of the DLPack device {int(kind)}, not of CUDA ({_DLPACK_CUDA})")
        theirs = self.xp.from_dlpack(array)  # lets the stream of this thread wait for theirs
        copy = theirs.copy()
        self._handover.hold([theirs])
        return copy

    def stream(self) -> int:
        """See `Device.stream`."""
        return int(self._streams.own().ptr)

    def mark(self) -> Any:
        """See `Device.mark`."""
        return self._streams.mark()

    def recorded(self, begin: Callable[[], None]) -> Callable[[], None]:
        """See `Device.recorded`: a CUDA graph."""
        stream = self._streams.own()
        # cupy's mode is the relaxed one: what other threads begin meanwhile is none of this recording's business.
        stream.begin_capture()
        try:
            begin()
        finally:
            graph = stream.end_capture()
        return lambda: graph.launch(self._streams.own())

    def run(self, engine: Any, binding: Any) -> list[Any]:
        """See `Device.run`."""
        engine.run_with_iobinding(binding)
        return [self._wrapped(value) for value in binding.get_outputs()]

    def to_host(self, array: Any) -> Array:
        """Return a copy of the array in host memory, after all that this thread began before."""
        if isinstance(array, np.ndarray):
            return array
        if not array.nbytes:
            return np.empty(array.shape, array.dtype)
        self.traffic.count("to_host", "values", int(array.nbytes))
        return np.asarray(array.get(stream=self._streams.own(), blocking=True))

    def all_to_host(self, *arrays: Any) -> list[Array]:
        """See `Device.all_to_host`."""
        riders = self._riders.board() if any(_is_there(array) for array in arrays) else ()
        here = self._in_one_copy([*arrays, *(array for rider in riders for array in rider.arrays)])
        left = iter(here[len(arrays) :])
        for rider in riders:
            rider.arrive([next(left) for _ in rider.arrays])
        return here[: len(arrays)]

    def riding(self, riders: Sequence[Rider]) -> AbstractContextManager[None]:
        """See `Device.riding`."""
        return self._riders.waiting(riders)

    def reading(self, *read: tuple[Value, Any]) -> AbstractContextManager[None]:
        """See `Device.reading`."""
        return self._handover.reading(read)

    def held_bytes(self) -> int:
        """Return how much memory of the device arrays hold, free blocks that are kept for the next ones included."""
        return int(self._pool.total_bytes())

    def decoding(self) -> DeviceDecoding:
        """See `Device.decoding`."""
        return self._decoding

    def crossed(self) -> dict[str, dict[str, int]]:
        """See `Device.crossed`."""
        return self.traffic.to_dict()

    def _in_one_copy(self, arrays: Sequence[Any]) -> list[Array]:
        """Return arrays on the host."""
        there = [array for array in arrays if _is_there(array)]
        if len(there) < 2:
            return [self.to_host(array) for array in arrays]
        xp = self.xp
        block = self.to_host(xp.concatenate([xp.ascontiguousarray(one).reshape(-1).view(np.uint8) for one in there]))
        parts = np.split(block, np.cumsum([one.nbytes for one in there])[:-1])
        # Each part becomes memory of its own, so that numbers of eight bytes begin where such numbers may.
        pairs = zip(there, parts, strict=True)
        here = {id(one): part.copy().view(one.dtype).reshape(one.shape) for one, part in pairs}
        return [here[id(array)] if id(array) in here else self.to_host(array) for array in arrays]

    def _on_device(self, method: str, frames: FrameBatch, rows: Sequence[int]) -> FrameBatch:
        """Return frames with pictures on the device, which the stream of this thread may read."""
        check_pictures(f"CudaDevice.{method}", frames)
        pictures = tuple(self._uploads.on_device(frames.pictures[row]) for row in rows)
        return replace(frames.take(np.array(rows, np.int64)), pictures=pictures)

    def _made(
        self,
        frames: FrameBatch,
        rows: Sequence[int],
        images: Array,
        wanted: Array,
        size_wh: tuple[int, int],
        layout: str,
        dtype: str,
    ) -> Any:
        """Return what the kernel makes of images (N,) IMAGE, whose pictures are those of rows of frames."""
        channels, (width, height) = int(wanted["channels"][0]), size_wh
        shape = (channels, height, width) if layout == "nchw" else (height, width, channels)
        self._streams.own()
        made = self._empty((len(images), *shape), dtype)
        if len(images):
            tables = [self.xp.asarray(table.view(np.uint8)) for table in (images, wanted)]
            for table in tables:
                self.traffic.count("to_device", "tables", int(table.nbytes))
            self._kernels[dtype](source.grid(size_wh, len(images)), source.BLOCK, (*tables, made))
        for row in rows:
            self._uploads.was_read(frames.pictures[row])
        return made

    def _wrapped(self, value: Any) -> Any:
        """Return an array of cupy over the memory of an output, which lives as long as the array does."""
        shape, dtype = tuple(value.shape()), np.dtype(DTYPES[value.data_type()])
        size = int(np.prod(shape)) * dtype.itemsize
        # cupy is told that this is the first GPU: of no rows the address is 0, which cannot be asked where it lies.
        memory = self._cupy.cuda.UnownedMemory(value.data_ptr(), size, value, 0)
        return self._cupy.ndarray(shape, dtype, self._cupy.cuda.MemoryPointer(memory, 0))


def _is_there(array: Any) -> bool:
    """Tell whether an array is on the device and has anything to be copied."""
    return not isinstance(array, np.ndarray) and bool(array.nbytes)
