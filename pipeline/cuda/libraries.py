"""Load the libraries of CUDA that packages bring, where the models' provider finds them."""

from __future__ import annotations

import contextlib
import sys


def load_libraries() -> None:
    """Load cuBLAS, cuDNN and the like out of the packages of NVIDIA, else from where the system has them.

    They lie in folders that no linker looks into: unless they are loaded by then, ONNX Runtime cannot load its CUDA
    provider, and goes on without it. Once loaded they are found by name. Where the runtime is that of the CPU, nothing
    is loaded. What cannot be loaded is told on standard error; whether a model lacks it, `Session` says.

    Source: `onnxruntime.preload_dlls`, since 1.21.
    """
    import onnxruntime

    with contextlib.redirect_stdout(sys.stderr):  # it prints, and standard output is for results
        onnxruntime.preload_dlls()
