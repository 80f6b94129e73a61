"""The check of the GPU: without one it is skipped, and what it lacks or finds wrong is told by check."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from benchmarks import cuda
from pipeline import device_cuda
from pipeline.device import open_device
from tests.cuda_device import CudaDeviceOnCpu
from tests.pipeline.cuda.on_cpu import CompiledKernels


def test_without_a_gpu_it_says_so_and_nothing_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cuda, "no_device", lambda: "no driver")

    assert cuda.main([]) == 0
    assert capsys.readouterr().out == "skipped: no CUDA device: no driver\n"


def test_each_check_tells_for_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def lacks() -> cuda.Figures:
        import no_such_package  # noqa: F401

        return {}

    def fails() -> cuda.Figures:
        raise cuda.WrongError("expected 1, got 2")

    monkeypatch.setattr(cuda, "no_device", lambda: None)
    monkeypatch.setattr(cuda, "CHECKS", {"good": lambda: {"ms": 1.5}, "lacks": lacks, "fails": fails})

    assert cuda.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "good: right",
        f"  {'ms':<44} 1.5",
        "lacks: not run: no no_such_package",
        "fails: FAILED: WrongError: expected 1, got 2",
    ]
    assert cuda.main(["good", "lacks"]) == 0


def test_the_frames_it_makes_are_frames() -> None:
    made = open_device("cpu").model_input(cuda.frames_of(2, (64, 48), 0), (32, 24))

    assert made.shape == (2, 3, 24, 32)
    assert np.ptp(made) > 50


@pytest.fixture
def stood_in_for(monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels) -> None:
    """Let the checks find a GPU that is stood in for, and do a little of their work."""
    monkeypatch.setattr(device_cuda, "CudaDevice", lambda: CudaDeviceOnCpu(compiled_kernels))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(cuda, "FULL_HD", (640, 360))
    monkeypatch.setattr(cuda, "TICKS", 30)
    monkeypatch.setattr(cuda, "REPEATS", 1)
    monkeypatch.setattr(cuda, "HEADS", (3,))


@pytest.mark.usefixtures("stood_in_for")
@pytest.mark.parametrize("name", ["pixels", "memory", "maps", "models"])
def test_checks_hold_on_the_stand_in(name: str) -> None:
    told = cuda.CHECKS[name]()

    assert told.keys() & {"bytes_a_picture", "pool_bytes", "3_heads_apart", "gaze-shop-480_apart"}
    assert all(float(value) >= 0 for value in told.values())


@pytest.mark.usefixtures("stood_in_for")
def test_a_wrong_pixel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "TOLERANCE", 0.0)

    with pytest.raises(cuda.WrongError, match=r"model_input: expected at most 0\.0 grey levels from the CPU, got"):
        cuda.pixels()


@pytest.mark.usefixtures("stood_in_for")
def test_a_map_that_is_read_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "MAPS_TOLERANCE", -1.0)

    with pytest.raises(cuda.WrongError, match=r"3 maps: expected at most -1\.0 from the CPU, got 0"):
        cuda.maps()
