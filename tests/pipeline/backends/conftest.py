"""A GPU with TensorRT that are stood in for, and a folder of engines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.backends import acceleration
from pipeline.cuda.driver import Gpu
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_tensorrt import FakeTensorRt
from tests.pipeline.backends.rig import Rig
from tests.pipeline.cuda.on_cpu import CompiledKernels


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels) -> Rig:
    device = CudaDeviceOnCpu(compiled_kernels)
    rig = Rig(device, FakeTensorRt(device.fake), tmp_path, Gpu("Fake 9000", "9.0", "13.0", "580.1", 1))
    monkeypatch.setitem(sys.modules, "tensorrt", rig.trt)
    monkeypatch.setattr(acceleration, "first_gpu", lambda: rig.gpu)
    return rig
