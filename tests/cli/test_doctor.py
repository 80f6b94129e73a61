"""The doctor: what is installed and works is told, what is missing or wrong with the line to type."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import doctor, doctor_packages, doctor_trials
from cli.doctor_packages import PINNED, installed
from cli.doctor_trials import TRIALS
from pipeline import device as device_module
from pipeline.backends import tensorrt
from pipeline.device_cpu import CpuDevice
from tests.repository import ROOT

PYPROJECT = """\
[project]
dependencies = ["numpy>=2"]
[project.optional-dependencies]
cpu = ["onnxruntime>=1.24,<2"]
gpu = ["onnxruntime-gpu[cuda]>=1.28", "cupy-cuda13x[ctk]>=14"]
serve = ["uvicorn>=0.34"]
"""


def run(*argv: str, flags: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "run_graph.py", "doctor", *argv]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **versions: str) -> dict[str, doctor_packages.Group]:
    """Return what is found of the groups when nothing but these is installed; `_` stands for `-`."""
    there = {name.replace("_", "-"): version for name, version in versions.items()}
    monkeypatch.setattr(doctor_packages, "version_of", there.get)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return {group.name: group for group in installed(tmp_path / "pyproject.toml")}


def test_everything_that_a_run_needs_is_tried_and_works_here() -> None:
    told = run("--json")

    found = {one["name"]: one for one in json.loads(told.stdout)}
    assert [name for name in found if name in TRIALS] == list(TRIALS)
    assert {
        name: found[name]["state"] for name in ("run", "cpu", "machine", "video", "models", "events", "device")
    } == (dict.fromkeys(("run", "cpu", "machine", "video", "models", "events", "device"), "works"))
    assert "people-shop-480" in found["models"]["told"]
    assert told.returncode == any(one["state"] == "broken" for one in found.values())


def test_without_packages_it_runs_and_says_what_to_type() -> None:
    told = run(flags=("-S", "-E"))

    assert (told.returncode, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert lines[-1] == "wrong: run, cpu"
    (missing,) = (number for number, line in enumerate(lines) if line.startswith("run "))
    assert "numpy" in lines[missing]
    assert lines[missing + 1].strip() == f"type: {PINNED['run']}"
    assert any(line.startswith("models ") and "not tried" in line for line in lines)


def test_a_group_that_nobody_needs_is_absent_and_one_that_all_need_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = groups(tmp_path, monkeypatch, onnxruntime="1.30.0")

    assert {name: group.state for name, group in found.items()} == {
        "run": "broken",
        "cpu": "works",
        "gpu": "absent",
        "serve": "absent",
    }
    assert found["serve"].cure == "python -m pip install 'uvicorn>=0.34'"


def test_a_version_that_was_not_asked_for_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = groups(tmp_path, monkeypatch, numpy="1.26.4", onnxruntime="1.30.0")

    assert found["run"].state == "broken"
    assert found["run"].told.endswith("expected numpy>=2, got numpy 1.26.4")


def test_the_runtime_for_the_gpu_takes_the_place_of_that_for_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = groups(tmp_path, monkeypatch, numpy="2.1", onnxruntime="1.30.0")

    assert found["gpu"].cure == f"python -m pip uninstall -y onnxruntime && {PINNED['gpu']}"


def test_with_the_runtime_for_the_gpu_alone_that_for_the_cpu_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = groups(tmp_path, monkeypatch, onnxruntime_gpu="1.30.0")

    assert (found["cpu"].state, found["cpu"].cure, found["gpu"].state) == ("works", "", "broken")
    assert {found[name].cure for name in ("run", "gpu")} == {PINNED["gpu"]}


def test_two_packages_of_one_folder_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = groups(tmp_path, monkeypatch, numpy="2.1", onnxruntime="1.30.0", onnxruntime_gpu="1.30.0")

    assert found["onnxruntime"].state == "broken"
    assert found["onnxruntime"].cure == (
        "python -m pip uninstall -y onnxruntime onnxruntime-gpu && python -m pip install onnxruntime-gpu"
    )


def test_what_crashes_in_a_trial_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = tmp_path / "crashes"
    crashes.write_text("#!/bin/sh\nkill -SEGV $$\n", "utf-8")
    crashes.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashes))

    (video,) = (one for one in doctor.findings() if one.name == "video")

    assert (video.state, video.told) == ("broken", "ended by signal 11")
    assert video.cure == f"{crashes} -m cli.doctor_trials video  # says all of it"


def test_what_a_trial_raises_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raises = tmp_path / "raises"
    raises.write_text('#!/bin/sh\necho "Traceback" >&2\necho "ImportError: no libthing.so" >&2\nexit 1\n', "utf-8")
    raises.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(raises))

    assert {one.told for one in doctor.findings() if one.name in TRIALS} == {"ImportError: no libthing.so"}


def test_the_machine_is_tried_where_results_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    tried: list[Path] = []
    monkeypatch.setattr(doctor_trials, "ROOT", tmp_path)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: contextlib.nullcontext(tried.append(dir)))

    TRIALS["machine"].run()

    assert tried == [tmp_path / "out"]


def test_where_there_is_a_gpu_the_models_are_run_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_device(kind: str) -> CpuDevice:
        opened.append(kind)
        return CpuDevice()

    monkeypatch.setattr(device_module, "missing_for_cuda", list)
    monkeypatch.setattr(device_module, "open_device", open_device)

    told = TRIALS["device"].run()["told"]

    assert opened == ["cuda"]
    assert told.endswith("its kernels compiled, gaze-shop-480 and people-shop-480 run once")


def test_tensorrt_is_looked_for_and_not_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tensorrt, "find_spec", lambda name: None)
    assert TRIALS["tensorrt"].run() == {
        "state": "absent",
        "told": "for --backend tensorrt: no package tensorrt (pip install 'tensorrt-cu13>=10.9,<11')",
    }

    monkeypatch.setattr(tensorrt, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace(__version__="10.13.0"))
    found = TRIALS["tensorrt"].run()
    assert found["state"] == "works"
    assert found["told"].startswith("TensorRT 10.13.0, ONNX Runtime with")
    assert found["told"].endswith(f"its provider, 0 engines in {tmp_path}/gazegraph/engines")

    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace(__version__="11.4.0"))
    with pytest.raises(tensorrt.RefusedEngineError, match=r"expected TensorRT 10, got 11\.4\.0"):
        TRIALS["tensorrt"].run()
