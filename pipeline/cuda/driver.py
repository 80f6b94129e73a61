"""Ask the NVIDIA driver itself whether there is a GPU; needs no package."""

from __future__ import annotations

import ctypes

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
