"""The CUDA device over a stand-in for cupy: models run in ONNX Runtime on the CPU, in their turn on their stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.cuda import source
from pipeline.device_cuda import CudaDevice
from tests.fake_cupy import FakeCupy
from tests.pipeline.cuda.on_cpu import CompiledKernels

KERNELS = {kernel.name: kernel for kernel in (source.TO_FLOATS, source.TO_BYTES, source.BE_LATE)}


class CudaDeviceOnCpu(CudaDevice):
    """A CUDA device without a GPU; without compiled kernels, it makes no model inputs."""

    memory = "cpu"
    providers = ("CPUExecutionProvider",)

    def __init__(self, compiled: CompiledKernels | None = None, **options: Any) -> None:
        def launch(name: str, grid: tuple[int, ...], *arrays: np.ndarray) -> None:
            assert compiled is not None
            compiled.launch(KERNELS[name], grid, *arrays)

        self.fake = FakeCupy(launch)
        super().__init__(cupy=self.fake, **options)

    def run(self, engine: Any, binding: Any) -> list[Any]:
        """Run after all that this thread began before, as the provider does on the stream that it was given."""
        self._streams.own().catch_up()
        return super().run(engine, binding)
