"""The kernels, compiled for the CPU once for all tests."""

import pytest

from pipeline.cuda import source
from tests.pipeline.cuda.kernel_device import KernelDevice
from tests.pipeline.cuda.on_cpu import CompiledKernels


@pytest.fixture(scope="session")
def kernel_device(compiled_kernels: CompiledKernels) -> KernelDevice:
    return KernelDevice(compiled_kernels)


@pytest.fixture(scope="session")
def map_kernels(tmp_path_factory: pytest.TempPathFactory) -> CompiledKernels:
    kernels = (source.COLUMN_PEAKS, source.MAP_PEAKS)
    return CompiledKernels(source.text("maps.cu"), kernels, tmp_path_factory.mktemp("maps"))
