"""The kernels, compiled for the CPU once for all tests."""

import pytest

from tests.pipeline.cuda.kernel_device import KernelDevice
from tests.pipeline.cuda.on_cpu import CompiledKernels


@pytest.fixture(scope="session")
def kernel_device(compiled_kernels: CompiledKernels) -> KernelDevice:
    return KernelDevice(compiled_kernels)
