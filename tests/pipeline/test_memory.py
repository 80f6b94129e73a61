"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.repository import ROOT

HOLES = """
import ctypes, threading
from benchmarks.machine import resident_bytes
from pipeline.memory import few_arenas, give_back
few_arenas(2)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(8)
def fill():
    held = [libc.malloc(60_000) for _ in range(400)]
    together.wait()
    for one in held:
        ctypes.memset(one, 1, 60_000)
    together.wait()
    for k, one in enumerate(held):
        if k % 40 < 39:  # what is kept has holes below it, which do not go back by themselves
            libc.free(ctypes.c_void_p(one))
threads = [threading.Thread(target=fill) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
before = resident_bytes()
give_back()
print(before - resident_bytes())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of Linux")
def test_freed_memory_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(done.stdout) > 100_000_000
