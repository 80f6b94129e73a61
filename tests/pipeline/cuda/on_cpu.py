"""CUDA C++ executed on the CPU: the same source compiled by g++, one thread of the grid after the other."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.cuda.source import BLOCK, Kernel

DEFINITIONS = """
#include <math.h>
#include <stddef.h>
struct Dim3 { unsigned x, y, z; };
static thread_local Dim3 blockIdx, threadIdx, blockDim;
#define __global__
#define __device__ static inline
static inline long long clock64() { static long long now; return now += 1 << 20; }
"""
"""What nvcc knows by itself, as far as the kernels use it."""

LAUNCH = """
extern "C" void launch_{name}(const unsigned *grid, const unsigned *block, {parameters})
{{
    blockDim = {{block[0], block[1], block[2]}};
    for (blockIdx.z = 0; blockIdx.z < grid[2]; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < grid[1]; ++blockIdx.y)
    for (blockIdx.x = 0; blockIdx.x < grid[0]; ++blockIdx.x)
    for (threadIdx.z = 0; threadIdx.z < block[2]; ++threadIdx.z)
    for (threadIdx.y = 0; threadIdx.y < block[1]; ++threadIdx.y)
    for (threadIdx.x = 0; threadIdx.x < block[0]; ++threadIdx.x)
        {name}({arguments});
}}
"""


def required(found: bool, missing: str) -> None:
    """Skip the test when a compiler is not there, or fail it where FAIL_WITHOUT_COMPILERS=1 says that it must be."""
    if not found and os.environ.get("FAIL_WITHOUT_COMPILERS") == "1":
        pytest.fail(f"FAIL_WITHOUT_COMPILERS=1: {missing}", pytrace=False)
    if not found:
        pytest.skip(missing)


class CompiledKernels:
    """The kernels of one source, compiled into a folder; needs g++."""

    def __init__(self, text: str, kernels: Sequence[Kernel], folder: Path) -> None:
        required(shutil.which("g++") is not None, "no g++ to compile kernels with")
        file, library = folder / "kernels.cpp", folder / "kernels.so"
        file.write_text(DEFINITIONS + text + "".join(map(launcher, kernels)), "utf-8")
        flags = ["-O2", "-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        made = subprocess.run(["g++", *flags, str(file), "-o", str(library)], capture_output=True, text=True)
        if made.returncode:
            pytest.fail(made.stderr, pytrace=False)
        self._library = ctypes.CDLL(str(library))

    def launch(self, kernel: Kernel, grid: tuple[int, int, int], *arrays: np.ndarray) -> None:
        """Run a kernel over a grid of blocks, on arrays in host memory."""
        if len(arrays) != len(kernel.arguments) or not all(array.flags.c_contiguous for array in arrays):
            raise ValueError(f"{kernel.name}: expected {len(kernel.arguments)} contiguous arrays")
        sizes = [(ctypes.c_uint * 3)(*size) for size in (grid, BLOCK)]
        addresses = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        getattr(self._library, f"launch_{kernel.name}")(*sizes, *addresses)


def launcher(kernel: Kernel) -> str:
    names = [f"a{place}" for place in range(len(kernel.arguments))]
    parameters = [f"{kind} {name}" for kind, name in zip(kernel.arguments, names, strict=True)]
    return LAUNCH.format(name=kernel.name, parameters=", ".join(parameters), arguments=", ".join(names))
