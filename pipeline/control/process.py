"""What this process costs: memory, CPU time, threads, open files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")


@dataclass(frozen=True)
class ProcessFigures:
    """Costs of a process; None where the system does not tell."""

    resident_memory_bytes: int | None
    cpu_seconds_total: float
    threads: int
    open_files: int | None

    def known(self) -> Iterator[tuple[str, float]]:
        """Yield name and value of what is known."""
        for name, value in vars(self).items():
            if value is not None:
                yield name, value


def process_figures(proc: Path = PROC) -> ProcessFigures:
    """Return the costs of this process until now; those of memory and files are Linux's alone."""
    times = os.times()
    memory = files = None
    try:
        memory = int((proc / "statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        files = len(os.listdir(proc / "fd")) - 1  # one of them is this listing
    except OSError:
        pass
    return ProcessFigures(memory, times.user + times.system, _threads(proc), files)


def _threads(proc: Path) -> int:
    """Return how many threads there are: those of libraries, too, where the system tells."""
    try:
        return len(os.listdir(proc / "task"))
    except OSError:
        return threading.active_count()
