"""What the disk of this machine allows at a moment, for publishing to be held against."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from pipeline.bus.log import insert_of
from pipeline.bus.log_file import LogFile
from pipeline.bus.message import Message

SYNCS, PAUSE_NS, COMMIT_BYTES = 400, 250_000, 6 * 4120
"""Commits of the probe, the pause between them, and what SQLite writes of 20 events."""


@contextmanager
def calm_folder() -> Iterator[Path]:
    """Lend a folder; the disk has done before what the run before has left to it, such as to free its blocks."""
    os.sync()
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def sync_us(folder: Path) -> float:
    """Return the median time, in microseconds, to bring one commit to the disk, with pauses between."""
    took_ns: list[int] = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            until_ns = time.perf_counter_ns() + PAUSE_NS
            while time.perf_counter_ns() < until_ns:
                pass
            began_ns = time.perf_counter_ns()
            file.write(bytes(COMMIT_BYTES))
            os.fdatasync(file.fileno())
            took_ns.append(time.perf_counter_ns() - began_ns)
    return median(took_ns) / 1e3


def committed_per_s(offers: Sequence[Sequence[Message]], folder: Path) -> float:
    """Return how many events a second SQLite alone brings to the disk, as the log does: each offer is a commit."""
    row = itertools.count(1)
    with closing(LogFile(folder / "events.db")) as file:
        began_s = time.perf_counter()
        for offer in offers:
            values: list[object] = []
            for one in offer:
                values += (next(row), 0, 1, one.sequence, one.topic, one.id, one.key, one.holds, 0, 0, 0, one.data)
            file.writer.execute("BEGIN IMMEDIATE")
            file.writer.execute(insert_of(len(offer)), values)
            file.writer.execute("COMMIT")
        return sum(map(len, offers)) / (time.perf_counter() - began_s)
