"""What the machine is doing beside us, and what we hold of it. Reads /proc: Linux only."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pipeline.errors import ConfigError

_PROC_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Columns of /proc/stat in which a core did nothing: idle, and waiting for a disk."""
_GUEST = 8
"""From this column on, times are counted a second time."""


def load_of_others(seconds: float = 2.0) -> float:
    """Return how many cores were kept busy by other processes during the next seconds, on average.

    Time that the machine below a virtual machine took away counts as busy. The load average of the system would still
    speak of what ended minutes ago, and of this process.

    Raises:
        ConfigError: this is not Linux.
    """
    began_s, all_s, own_s = time.perf_counter(), busy_s(), _own_s()
    time.sleep(seconds)
    others_s = (busy_s() - all_s) - (_own_s() - own_s)
    return max(others_s, 0.0) / (time.perf_counter() - began_s)


def busy_s() -> float:
    """Return the CPU seconds that all cores together have been busy since the machine started."""
    try:
        line = _PROC_STAT.read_text(encoding="ascii").splitlines()[0]
    except OSError as error:
        raise ConfigError(f"{_PROC_STAT}: expected to read the load, got: {error.strerror}; use Linux") from error
    ticks = [int(part) for part in line.split()[1 : 1 + _GUEST]]
    return sum(count for column, count in enumerate(ticks) if column not in _IDLE) / os.sysconf("SC_CLK_TCK")


def resident_bytes() -> int:
    """Return the memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _own_s() -> float:
    times = os.times()
    return times.user + times.system
