"""`models build` and `models engines`: engines of a graph's models, built ahead, listed and removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import cli.plan
from cli import program
from pipeline.backends import acceleration
from pipeline.backends.engine_cache import EngineCache
from pipeline.cuda.driver import Gpu
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_tensorrt import FakeTensorRt
from tests.pipeline.cuda.on_cpu import CompiledKernels

Caught = pytest.CaptureFixture[str]
GRAPH = "graphs/retail.yaml"


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compiled_kernels: CompiledKernels) -> FakeTensorRt:
    device = CudaDeviceOnCpu(compiled_kernels)
    trt = FakeTensorRt(device.fake)
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    monkeypatch.setattr(acceleration, "first_gpu", lambda: Gpu("Fake 9000", "9.0", "13.0", "580.1", 1))
    monkeypatch.setattr(cli.plan, "open_device", lambda kind: device)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return trt


def build(*options: str) -> int:
    return program.main(["models", "build", GRAPH, *options])


def test_engines_of_a_graph_are_built_once_and_are_those_of_its_runs(
    trt: FakeTensorRt, tmp_path: Path, capsys: Caught
) -> None:
    folder = tmp_path / "gazegraph/engines"

    assert build("--backend", "tensorrt") == 0
    assert capsys.readouterr().out == (
        f"people-shop-480: its engine is here\ngaze-shop-480: its engine is here\nengines lie in {folder}\n"
    )
    assert build("--backend", "tensorrt", "--set", "engine.device=cuda") == 0
    assert trt.built == 2


def test_a_model_without_an_engine_is_told(trt: FakeTensorRt, capsys: Caught, caplog: pytest.LogCaptureFixture) -> None:
    trt.cannot_read = "no such operator: Foo"

    assert build("--backend", "tensorrt") == 1

    assert "people-shop-480: no engine; why is told above\n" in capsys.readouterr().out
    assert "model people-shop-480: no engine, it runs in ONNX Runtime: TensorRT cannot read the file" in caplog.text


def test_a_backend_without_engines_is_refused(trt: FakeTensorRt, capsys: Caught) -> None:
    assert build() == 2
    assert capsys.readouterr().err == (
        "models build: expected a backend that has engines, got 'auto'; add --backend tensorrt or --backend "
        "onnxruntime-tensorrt\n"
    )


def test_engines_are_listed_and_removed(trt: FakeTensorRt, tmp_path: Path, capsys: Caught) -> None:
    folder = tmp_path / "gazegraph/engines"
    assert program.main(["models", "engines"]) == 0
    assert capsys.readouterr().out == f"no engines in {folder}\n"
    build("--backend", "tensorrt", "--precision", "fp16")
    capsys.readouterr()

    assert program.main(["models", "engines"]) == 0
    head, first, second, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "precision", "GPU", "TensorRT", "driver", "size"]
    assert [line.split()[:7] for line in (first, second)] == [
        [name, "fp16", "Fake", "9000", "10.13.0", "580.1", size]
        for name, size in zip(("people-shop-480", "gaze-shop-480"), (first.split()[6], second.split()[6]), strict=True)
    ]
    assert last == f"2 engines in {folder}"

    assert program.main(["models", "engines", "gaze-shop-480", "--remove", "--folder", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"1 engines removed from {folder}"
    assert [record.name for record in EngineCache(folder).records()] == ["people-shop-480"]


def test_a_folder_that_others_can_write_is_refused(trt: FakeTensorRt, tmp_path: Path, capsys: Caught) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)

    assert program.main(["models", "engines", "--folder", str(folder)]) == 2
    assert "expected what only its owner can write" in capsys.readouterr().err
    assert build("--backend", "tensorrt", "--set", f"engine.cache_folder={folder}") == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--backend", "tensorrt"],
            "engine.backend 'tensorrt': expected the device 'cuda', got 'cpu'; add --device cuda, or take the backend "
            "onnxruntime",
        ),
        (
            ["--precision", "fp16"],
            "precision: expected the backend tensorrt or onnxruntime-tensorrt for 'fp16', got 'auto'; add --backend "
            "tensorrt, or take precision fp32",
        ),
    ],
)
def test_what_cannot_be_is_said_by_a_check(options: list[str], told: str, capsys: Caught) -> None:
    assert program.main([GRAPH, *options, "--check"]) == 2
    assert told in capsys.readouterr().err


def test_without_the_package_what_to_type_is_said(
    trt: FakeTensorRt, monkeypatch: pytest.MonkeyPatch, capsys: Caught
) -> None:
    absent: Any = None
    monkeypatch.setitem(sys.modules, "tensorrt", absent)

    assert program.main([GRAPH, "--backend", "tensorrt", "--check"]) == 2
    assert capsys.readouterr().err.endswith("(pip install 'tensorrt-cu13>=10.9,<11')\n")
