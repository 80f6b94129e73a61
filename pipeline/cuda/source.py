"""The CUDA C++ of this package as text, the names of its kernels, and the grids that they run on.

Compiles with NVRTC, which needs no header, and as C++ for the CPU with a few definitions before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kernel:
    """An entry of a source."""

    file: str
    """The source that it stands in, beside this file."""
    name: str
    arguments: tuple[str, ...]
    """C++ types, in order. All are addresses in the memory of the device."""


TO_FLOATS = Kernel("pixels.cu", "planes_to_floats", ("const Image *", "const Target *", "float *"))
"""Makes model inputs of float32: rows (N,) IMAGE, one TARGET, and the result (N, C, H, W) or (N, H, W, C)."""
TO_BYTES = Kernel("pixels.cu", "planes_to_bytes", ("const Image *", "const Target *", "unsigned char *"))
"""The same of uint8, rounded; without mean and deviation."""

OPTIONS = ("--std=c++17",)
"""What the compiler is told, beside for which GPU."""

BE_LATE = Kernel("pixels.cu", "be_late", ("const long long *",))
"""Keeps a stream busy: one thread, for as many cycles as it is told."""

BLOCK = (32, 8, 1)
"""Threads of a block along x, y and z: neighbours in a row read and write neighbours in memory."""


def text(file: str) -> str:
    """Return a source as it is to be compiled; the kernels say in which file they are."""
    return Path(__file__).with_name(file).read_text("utf-8")


def grid(size_wh: tuple[int, int], count: int) -> tuple[int, int, int]:
    """Return the blocks along x, y and z for `count` images of one size. For no images do not launch: CUDA refuses.

    Raises:
        ValueError: more images than a grid is deep.
    """
    if count > 65535:
        raise ValueError(f"grid: expected 65535 images or fewer, got {count}; make them in several batches")
    return -(-size_wh[0] // BLOCK[0]), -(-size_wh[1] // BLOCK[1]), count
