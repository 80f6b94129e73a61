"""The check of the GPU: without one it is skipped, and what it lacks or finds wrong is told by check."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from benchmarks import cuda, cuda_engines, cuda_runs, cuda_trace, models_files
from benchmarks.noise_frames import frames_of
from pipeline import device, device_cuda, hardware_pictures
from pipeline.backends import acceleration, tensorrt
from pipeline.cards import load_card
from pipeline.cuda.driver import Gpu
from pipeline.device import open_device
from tests.card_frames import PicturesOfCard
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_tensorrt import FakeTensorRt
from tests.pipeline.cuda.on_cpu import CompiledKernels
from tests.repository import ROOT

MODELS = ("people-shop-480", "gaze-shop-480")


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
    made = open_device("cpu").model_input(frames_of(2, (64, 48), 0), (32, 24))

    assert made.shape == (2, 3, 24, 32)
    assert np.ptp(made) > 50


@pytest.fixture
def stood_in_for(monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels) -> None:
    """Let the checks find a GPU that is stood in for, and do a little of their work."""
    monkeypatch.setattr(device_cuda, "CudaDevice", lambda **options: CudaDeviceOnCpu(compiled_kernels, **options))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(cuda, "FULL_HD", (640, 360))
    monkeypatch.setattr(cuda, "TICKS", 30)
    monkeypatch.setattr(cuda, "REPEATS", 1)
    monkeypatch.setattr(cuda, "HEADS", (3,))
    for name, value in (("HEADS", (1, 2)), ("RUNS", 1), ("FRAMES", 4), ("STREAMS", (1, 2))):
        monkeypatch.setattr(cuda_runs, name, value)
    monkeypatch.setattr(cuda_engines, "FULL_HD", (640, 360))
    on_cpu = device.open_device
    monkeypatch.setattr(
        device, "open_device", lambda kind: CudaDeviceOnCpu(compiled_kernels) if kind == "cuda" else on_cpu(kind)
    )


@pytest.mark.usefixtures("stood_in_for")
@pytest.mark.parametrize(
    "name", ["pixels", "memory", "maps", "models", "heads", "recorded", "graph", "races", "streams"]
)
def test_checks_hold_on_the_stand_in(name: str) -> None:
    told = cuda.CHECKS[name]()

    assert told.keys() & {
        "bytes_a_picture",
        "pool_bytes",
        "3_heads_apart",
        "gaze-shop-480_apart",
        "2_ms",
        "graph_host_ms",
        "people: to_device pictures, bytes a frame",
        "2: people, ms a frame",
        "events",
    }
    assert all(float(value) >= 0 for value in told.values())


@pytest.mark.usefixtures("stood_in_for")
def test_models_of_the_true_size_are_timed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the training extra is not installed")
    monkeypatch.setattr(cuda_engines, "DETECTOR", "deimv2-wholebody34-atto")
    monkeypatch.setattr(cuda_engines, "GAZE", "gazelle-dinov3-atto")

    told = cuda.CHECKS["true size"]()

    assert 0 < float(told["CUDA provider: ms a frame"]) < 1e5
    assert told.keys() == {"CUDA provider: ms a frame", "published_ms_rtx_3070_tensorrt"}


@pytest.mark.usefixtures("stood_in_for")
def test_where_tensorrt_is_installed_they_run_by_engines_too(
    monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    monkeypatch.setattr(device_cuda, "CudaDevice", lambda: device)
    monkeypatch.setitem(sys.modules, "tensorrt", FakeTensorRt(device.fake))
    monkeypatch.setattr(acceleration, "first_gpu", lambda: Gpu("Fake 9000", "9.0", "13.0", "580.1", 1))
    monkeypatch.setattr(tensorrt, "missing", lambda: None)
    shipped = {name: SimpleNamespace(card=card, path=path) for name in MODELS for card, path in [load_card(name, ROOT)]}
    monkeypatch.setattr(models_files, "files_of", lambda cards, folder: shipped)
    monkeypatch.setattr(cuda_engines, "find_spec", lambda name: name)

    told = cuda_engines.true_size()

    by_engine = {key: value for key, value in told.items() if "models by engine" in key}
    assert set(by_engine.values()) == {"people-shop-480, gaze-shop-480"}
    assert [key.partition(":")[0] for key in by_engine] == [
        "TensorRT fp32",
        "TensorRT fp32, CUDA graphs",
        "TensorRT fp16",
        "TensorRT fp16, CUDA graphs",
    ]


@pytest.mark.usefixtures("stood_in_for")
def test_a_graph_that_does_not_do_what_was_recorded_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CudaDeviceOnCpu, "recorded", lambda self, begin: lambda: None)

    with pytest.raises(cuda.WrongError, match="recorded: graph: expected all to move by one and the first to be 2"):
        cuda_engines.recorded()


@pytest.mark.usefixtures("stood_in_for")
@pytest.mark.parametrize("name", ["decode", "zero copy"])
def test_what_needs_a_decoder_is_not_run_without(name: str, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(cuda, "no_device", lambda: None)

    assert cuda.main([name]) == 0
    assert capsys.readouterr().out == f"{name}: not run: no decoder on the card (libnvcuvid.so.1)\n"


@pytest.mark.usefixtures("stood_in_for")
def test_frames_of_a_card_are_held_against_those_of_the_cpu(
    monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels
) -> None:
    monkeypatch.setattr(cuda_runs, "_needs_decoder", lambda: None)
    monkeypatch.setattr(hardware_pictures, "HardwarePictures", PicturesOfCard)
    device = CudaDeviceOnCpu(compiled_kernels)
    monkeypatch.setattr(device_cuda, "CudaDevice", lambda: device)
    monkeypatch.setattr(PicturesOfCard, "fake", device.fake, raising=False)

    told = cuda_runs.decode()

    assert told["frames"] == 4
    assert 0 < float(told["apart"]) < cuda_runs.TOLERANCE
    monkeypatch.setattr(cuda_runs, "TOLERANCE", 0.0)
    with pytest.raises(cuda.WrongError, match="decode: expected at most"):
        cuda_runs.decode()


def test_copies_of_a_trace_are_told_by_way() -> None:
    def copied(name: str, size: int) -> dict[str, Any]:
        return {"cat": "gpu_memcpy", "name": name, "args": {"bytes": size}}

    trace = {
        "traceEvents": [
            copied("Memcpy HtoD (Pinned -> Device)", 100),
            {"cat": "kernel", "name": "to_floats", "args": {}},
            {"ph": "M"},
            copied("Memcpy HtoD (Pageable -> Device)", 20),
            copied("Memcpy DtoH (Device -> Pageable)", 8),
        ]
    }

    assert cuda_trace.copies_in(trace) == {"Memcpy HtoD": [100, 20], "Memcpy DtoH": [8]}


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


@pytest.mark.usefixtures("stood_in_for")
def test_other_events_on_the_gpu_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = cuda_runs.retail_run

    def strange(out: Any, on: Any, **options: Any) -> Any:
        report, folder = run(out, on, **options)
        target = "nothing" if on.kind == "cpu" else "something"
        row = f'{{"type": "started", "data": {{"track": 1, "target": "{target}"}}}}\n'
        (folder / "events.jsonl").write_text(row, "utf-8")
        return report, folder

    monkeypatch.setattr(cuda_runs, "retail_run", strange)

    with pytest.raises(cuda.WrongError, match=r"graph: expected 90% of 1 events to be the CPU's, got 0"):
        cuda_runs.graph()
