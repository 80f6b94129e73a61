"""Whether there is a GPU is what the driver says."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from pipeline.cuda.driver import Gpu, first_gpu, no_device


class Driver:
    """Says what it is told to say."""

    def __init__(self, code: int, count: int, version: int) -> None:
        self.code, self.count, self.version = code, count, version

    def cuInit(self, flags: int) -> int:
        return self.code

    def cuDriverGetVersion(self, version: Any) -> int:
        version._obj.value = self.version
        return 0

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = self.count
        return 0


@pytest.mark.parametrize(
    ("code", "count", "version", "why"),
    [
        (0, 2, 13000, None),
        (0, 2, 14010, None),
        (0, 0, 13020, "the NVIDIA driver knows of no device"),
        (100, 1, 13020, "the NVIDIA driver can use no device (cuInit: 100)"),
        (0, 1, 12040, "an NVIDIA driver for CUDA 12.4 (install driver 580 or newer)"),
    ],
)
def test_the_driver_is_asked(
    monkeypatch: pytest.MonkeyPatch, code: int, count: int, version: int, why: str | None
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(code, count, version))

    assert no_device() == why


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", load)

    assert no_device() == (
        "no NVIDIA driver (libcuda.so.1 cannot be loaded: install driver 580 or newer; a container is given it by "
        "--gpus all)"
    )


class Library:
    """The driver of a GPU, and its management library."""

    def __init__(self, name: str, fails: bool = False) -> None:
        self.name, self.fails = name, fails

    def cuDeviceGet(self, number: Any, which: int) -> int:
        number._obj.value = 7 + which
        return 0

    def cuDeviceGetName(self, name: Any, length: int, number: Any) -> int:
        assert (length, number.value) == (100, 7)
        name.value = b"Fake 9000"
        return 0

    def cuDeviceGetAttribute(self, told: Any, which: int, number: Any) -> int:
        assert number.value == 7
        told._obj.value = {75: 8, 76: 6}[which]
        return 0

    def cuDriverGetVersion(self, told: Any) -> int:
        told._obj.value = 13020
        return 0

    def cuDeviceGetCount(self, told: Any) -> int:
        told._obj.value = 2
        return 0

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlSystemGetDriverVersion(self, told: Any, length: int) -> int:
        told.value = b"580.65.06"
        return int(self.fails)

    def nvmlShutdown(self) -> int:
        return 0


@pytest.mark.parametrize("fails", [False, True])
def test_the_driver_tells_of_the_first_gpu(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library(name, fails))

    assert first_gpu() == Gpu("Fake 9000", "8.6", "13.2", "" if fails else "580.65.06", 2)
