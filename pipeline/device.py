"""Where pictures become model inputs and arrays live: the one seam between CPU and GPU."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pipeline.cuda.driver import no_device
from pipeline.errors import ConfigError
from pipeline.frames import FrameBatch
from pipeline.values import Value

if TYPE_CHECKING:
    from pipeline.cuda.decoding import DeviceDecoding
    from pipeline.cuda.riders import Rider

logger = logging.getLogger(__name__)

DeviceKind = Literal["cpu", "cuda"]


class Device(ABC):
    """What differs between host and accelerator. Maths do not: they use `xp`, or the namespace of what they get."""

    kind: ClassVar[DeviceKind]
    memory: ClassVar[str]
    """What ONNX Runtime calls the memory of this device: `cpu` or `cuda`."""
    xp: Any
    """Array namespace of this device: numpy or cupy."""

    def __init__(self, model_threads: int = 1) -> None:
        if model_threads < 1:
            raise ConfigError(f"device: expected 1 model thread or more, got {model_threads!r}")
        self.model_threads = model_threads
        """CPU threads of each model. More than one pays only while cores idle: stages already run side by side."""

    @property
    @abstractmethod
    def providers(self) -> Sequence[Any]:
        """ONNX Runtime execution providers for the calling thread, names or names with options; the first must work."""

    @abstractmethod
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
        """Make the input of an image model: every frame upright, brought to one size, values 0 to 255 unless scaled.

        Args:
            frames: the B frames of a tick, with pictures. B = 0 is ordinary.
            size_wh: width and height of the model input, pixels.
            colour: order of the channels; `grey` is one channel, brightness, for which no colour is converted.
            layout: `nchw` (B, 3, H, W) or `nhwc` (B, H, W, 3); 1 channel for `grey`.
            dtype: `float32` or `uint8`; 0 to 255 in both.
            how: `stretch`: both axes fill the size, so fractions of the input are fractions of the frame. `letterbox`:
                the frame keeps its shape and stands in the upper left corner, as large as `letterbox.content_size`.
            shrink: `area` by area alone; `linear` by area as far as halving goes and the rest linearly, in a fraction
                of the time.
            fill: what the rest of a letterbox is filled with, before `mean` and `std`.
            mean: what is taken off each channel, in the order of `colour`; `float32` only.
            std: what it is divided by after that; `float32` only.

        Returns:
            A new array on this device, valid for ever.

        Raises:
            ValueError: the tick comes from a recording and has no pictures.
        """

    @abstractmethod
    def crops(
        self,
        frames: FrameBatch,
        frame_row: np.ndarray[Any, np.dtype[np.int64]],
        boxes: np.ndarray[Any, np.dtype[Any]],
        size_wh: tuple[int, int],
        colour: Literal["bgr", "rgb", "grey"] = "bgr",
        layout: Literal["nchw", "nhwc"] = "nchw",
        dtype: Literal["float32", "uint8"] = "float32",
    ) -> Any:
        """Make the input of a model that looks at parts of pictures: boxes of frames, each stretched to one size.

        Only the pixels of the boxes are read. A box may reach beyond its frame: there the frame's edge is repeated.

        Args:
            frames: the B frames of a tick, with pictures.
            frame_row: (N,) the frame of each box. N = 0 is ordinary.
            boxes: (N, 4) x1, y1, x2, y2 in fractions of the upright frame, each wider and higher than nothing.
            size_wh: width and height of a crop, pixels.
            colour: as in `model_input`.
            layout: `nchw` (N, 3, H, W) or `nhwc` (N, H, W, 3); 1 channel for `grey`.
            dtype: `float32` or `uint8`; 0 to 255 in both.

        Returns:
            A new array on this device, valid for ever.

        Raises:
            ValueError: the tick comes from a recording and has no pictures; a box is empty or not finite.
        """

    @abstractmethod
    def address(self, array: Any) -> int:
        """Return where the first element of an array of this device lies in its memory."""

    @abstractmethod
    def taken(self, array: Any) -> Any:
        """Return an array that others may have made, if it has `__dlpack__`, as one of this device.

        What has been computed of it is there before anything that the calling thread begins afterwards.

        Raises:
            TypeError, ValueError, BufferError, RuntimeError, AttributeError: it is none, or lies in other memory.
        """

    def stream(self) -> int:
        """Return the handle of the CUDA stream of the calling thread; 0 where there are none."""
        return 0

    def mark(self) -> Any:
        """Return an event that is over when all that the calling thread has begun is; None where it is done at once.

        To be given to `reading` by who reads what was made, or to `synchronize()` with.
        """
        return None

    def recorded(self, begin: Callable[[], None]) -> Callable[[], None]:
        """Return what repeats all that `begin` begins on the device, as one, on the stream of who calls it.

        Nothing of it is done now where the device records; nothing may be allocated or waited for in it.

        Raises:
            Exception: something cannot be recorded; of the package that records.
        """
        return begin

    @abstractmethod
    def run(self, engine: Any, binding: Any) -> list[Any]:
        """Run an engine of ONNX Runtime on what was bound, after all that this thread began on the device before.

        Returns:
            An array on this device for each output that was bound. They are the caller's.
        """

    def decoding(self) -> DeviceDecoding | None:
        """Return what keeps frames that this device decodes in its memory; None where it decodes none."""
        return None

    def crossed(self) -> dict[str, dict[str, int]]:
        """Return copies and bytes that crossed between host and device so far, by way; empty where nothing can."""
        return {}

    @abstractmethod
    def to_host(self, array: Any) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the array in host memory; without a copy where it is there already."""

    def all_to_host(self, *arrays: Any) -> list[np.ndarray[Any, np.dtype[Any]]]:
        """Return arrays in host memory, with one copy for all that are not there already."""
        return [self.to_host(array) for array in arrays]

    def riding(self, riders: Sequence[Rider]) -> AbstractContextManager[None]:
        """Let arrays that others will want on the host come along with the first `all_to_host` inside a `with`.

        They may be read by the calling thread; who finds no copy to ride with does not come.
        """
        return nullcontext()

    def beside(self, array: Any, other: Any) -> Any:
        """Return an array in the memory that another one is in: the host's or this device's."""
        return self.to_host(array) if isinstance(other, np.ndarray) else self.xp.asarray(array)

    def reading(self, *read: tuple[Value, Any]) -> AbstractContextManager[None]:
        """Let the calling thread read values of this device inside a `with`, from when they are made.

        They stay in memory until all is done that was begun inside, which may be long after it is left.

        Args:
            read: values, each with what `mark` returned to the thread that made it.
        """
        return nullcontext()


def check_pictures(where: str, frames: FrameBatch) -> None:
    """Refuse frames without pictures.

    Raises:
        ValueError: there is not a picture for each frame; names `where`.
    """
    if len(frames.pictures) != len(frames):
        raise ValueError(
            f"{where}: expected {len(frames)} pictures, got {len(frames.pictures)}; a tick replayed from a recording "
            "has none: replay an edge below the nodes that run models on pictures"
        )


def open_device(kind: Literal["auto", "cpu", "cuda"] = "auto", model_threads: int = 1) -> Device:
    """Open the device a run computes on.

    `auto` is the CPU for as long as the CUDA device has not been measured on a GPU: it has only run on a stand-in.
    Where there is a GPU, the log says so.

    Raises:
        ConfigError: `cuda` was asked for; names everything that is missing, or what went wrong.
    """
    if kind != "cuda":
        from pipeline.device_cpu import CpuDevice

        if kind == "auto" and no_device() is None:
            logger.info(
                "device auto: the CPU, although there is a GPU: the CUDA device was never measured on one; --device "
                "cuda takes it, make gpu-check checks and measures it"
            )
        return CpuDevice(model_threads)
    if missing := missing_for_cuda():
        raise ConfigError(f"device 'cuda': expected a usable GPU, got {'; '.join(missing)}; use the device cpu or auto")
    from pipeline.device_cuda import CudaDevice

    try:
        return CudaDevice(model_threads)
    except Exception as error:  # those of cupy, of the driver and of the compiler have no common base
        raise ConfigError(
            f"device 'cuda': expected a usable GPU, got {' '.join(str(error).split())}; python run_graph.py doctor "
            "says what is installed, and the device cpu needs no GPU"
        ) from error


def missing_for_cuda() -> list[str]:
    """Return all that is missing before a run can compute on a GPU, each with what to type; empty: nothing."""
    here = {"cupy": find_spec("cupy") is not None, "onnxruntime-gpu": _has_cuda_runtime()}
    missing = []
    if packages := [name for name, found in here.items() if not found]:
        names = " and no ".join(packages)
        missing.append(f"no package {names} (type make gpu, then .venv-gpu/bin/python in place of python)")
    if why := no_device():
        missing.append(why)
    return missing


def _has_cuda_runtime() -> bool:
    if find_spec("onnxruntime") is None:
        return False
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
