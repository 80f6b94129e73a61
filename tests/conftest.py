"""What every test may count on: one thread per library, repeatable examples, skips that give a reason."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import hypothesis
import pytest

from pipeline.device import missing_for_cuda

if TYPE_CHECKING:
    from tests.pipeline.cuda.on_cpu import CompiledKernels

pytest_plugins = ["tests.stuck", "tests.time_budget"]


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and all they start, ignore it
    cv2.setNumThreads(1)
    hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"real_data", "real_models"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.needs_real_data)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_cuda") is None:
        return
    missing = "; ".join(missing_for_cuda())
    if missing and os.environ.get("FAIL_WITHOUT_CUDA") == "1":
        pytest.fail(f"FAIL_WITHOUT_CUDA=1: {missing}", pytrace=False)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real footage that GAZE_REAL_DATA names."""
    return folder_named_by("GAZE_REAL_DATA")


@pytest.fixture(scope="session")
def real_models() -> Path:
    """Return the folder of third-party models that GAZE_REAL_MODELS names."""
    return folder_named_by("GAZE_REAL_MODELS")


def folder_named_by(variable: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} is not set")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"{variable}: expected a folder, got {named!r}", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def compiled_kernels(tmp_path_factory: pytest.TempPathFactory) -> CompiledKernels:
    """Return the kernels of the GPU, compiled for the CPU."""
    from pipeline.cuda import source
    from tests.pipeline.cuda.on_cpu import CompiledKernels

    kernels = (source.TO_FLOATS, source.TO_BYTES, source.BE_LATE)
    return CompiledKernels(source.text(source.TO_FLOATS.file), kernels, tmp_path_factory.mktemp("kernels"))
