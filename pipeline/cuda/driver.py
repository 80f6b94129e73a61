"""Ask the NVIDIA driver itself whether there is a GPU; needs no package."""

from __future__ import annotations

import ctypes


def no_device() -> str | None:
    """Return why no GPU can be used, or None where one can."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver (libcuda.so.1 cannot be loaded)"
    if code := driver.cuInit(0):
        return f"the NVIDIA driver can use no device (cuInit: {code})"
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    return None if count.value else "the NVIDIA driver knows of no device"
