"""Whether there is a GPU is what the driver says."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from pipeline.cuda.driver import no_device


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
