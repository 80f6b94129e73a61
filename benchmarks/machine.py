"""What the machine is doing beside us, what we hold of it, and what is free. Reads /proc: Linux only."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from pipeline.errors import ConfigError

_PROC_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Columns of /proc/stat in which a core did nothing: idle, and waiting for a disk."""
_GUEST = 8
"""From this column on, times are counted a second time."""


class LoadOfOthers:
    """How many cores other processes keep busy, on average since this was made.

    Others are all but this process and the children it has waited for. Time that the machine below a virtual machine
    took away counts as theirs. The load average of the system would still speak of what ended minutes ago.
    """

    def __init__(self) -> None:
        """Begin.

        Raises:
            ConfigError: this is not Linux.
        """
        self._began_s, self._busy_s, self._own_s = time.perf_counter(), busy_s(), own_s()

    def cores(self) -> float:
        """Return the average so far."""
        others_s = (busy_s() - self._busy_s) - (own_s() - self._own_s)
        return round(max(others_s, 0.0) / (time.perf_counter() - self._began_s), 2)


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


def own_s() -> float:
    """Return the CPU seconds of this process and of the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
