"""Ask the NVIDIA driver itself which GPUs there are; needs no package."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

_MAJOR, _MINOR = 75, 76
"""Numbers of the attributes that are the two parts of a GPU's compute capability, in cuda.h."""


@dataclass(frozen=True)
class Gpu:
    """The first GPU that this process sees, and what drives it."""

    name: str
    compute: str
    """Compute capability, such as `8.6`."""
    cuda: str
    """Newest CUDA that the driver knows."""
    driver: str
    """Its version; empty where it does not tell."""
    count: int
    """How many GPUs the process sees."""


OLDEST_CUDA = 13000
"""What the driver must be for: 1000 · major + 10 · minor, as it says it itself. Libraries of any later 13 run on it."""
OLDEST_DRIVER = 580
"""The first driver for CUDA 13. Ref: NVIDIA, CUDA Compatibility, minor version compatibility."""


def no_device() -> str | None:
    """Return why no GPU can be used, and what to do; or None where one can."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return (
            f"no NVIDIA driver (libcuda.so.1 cannot be loaded: install driver {OLDEST_DRIVER} or newer; a container "
            "is given it by --gpus all)"
        )
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    if version.value < OLDEST_CUDA:
        return f"an NVIDIA driver for CUDA {in_words(version.value)} (install driver {OLDEST_DRIVER} or newer)"
    if code := driver.cuInit(0):
        return f"the NVIDIA driver can use no device (cuInit: {code})"
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    return None if count.value else "the NVIDIA driver knows of no device"


def in_words(version: int) -> str:
    """Return a version of CUDA as it is written: 13.1 for 13010."""
    return f"{version // 1000}.{version % 1000 // 10}"


def first_gpu() -> Gpu:
    """Return what the driver says of the first GPU; to be asked only where `no_device()` is None."""
    driver = ctypes.CDLL("libcuda.so.1")
    number, name = ctypes.c_int(), ctypes.create_string_buffer(100)
    driver.cuDeviceGet(ctypes.byref(number), 0)
    driver.cuDeviceGetName(name, len(name), number)
    told = [ctypes.c_int() for _ in range(4)]
    driver.cuDeviceGetAttribute(ctypes.byref(told[0]), _MAJOR, number)
    driver.cuDeviceGetAttribute(ctypes.byref(told[1]), _MINOR, number)
    driver.cuDriverGetVersion(ctypes.byref(told[2]))
    driver.cuDeviceGetCount(ctypes.byref(told[3]))
    major, minor, version, count = (one.value for one in told)
    return Gpu(name.value.decode(errors="replace"), f"{major}.{minor}", in_words(version), _version(), count)


def _version() -> str:
    """Return the version of the driver as its management library (NVML) has it; empty where that is not there."""
    try:
        management = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return ""
    told = ctypes.create_string_buffer(80)
    if management.nvmlInit_v2():
        return ""
    failed = management.nvmlSystemGetDriverVersion(told, len(told))
    management.nvmlShutdown()
    return "" if failed else told.value.decode(errors="replace")
