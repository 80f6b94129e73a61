"""Writes events of a live stream until it is killed; a test runs it as a process of its own.

    python -m tests.nodes.killed_writer FOLDER GENERATION

Each line of output is the number of events that are written.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nodes.types import Visits
from pipeline.values import concat
from tests.nodes.event_logs import live, node, visits

PER_TICK = 8


def ticks(generation: int, tick: int) -> Visits:
    """Return the events of a tick: visits that start and end at once, and one that goes on for long."""
    first = tick * PER_TICK
    rows = [visits(first, generation=generation, kind="updated" if tick else "started", visit=f"long/{generation}")]
    for number in range(first + 1, first + PER_TICK, 2):
        visit = f"{generation}/{number}"
        rows += [visits(number, generation=generation, kind="started", visit=visit)]
        if number + 1 < first + PER_TICK:
            rows += [visits(number + 1, generation=generation, visit=visit)]
    return concat(rows)


def main(folder: str, generation: int) -> None:
    """Write until killed."""
    writer = node(Path(folder), rotate_mb=0.02)
    writer.open()
    tick = 0
    while True:
        writer.process(live(generation), ticks(generation, tick))
        tick += 1
        os.write(1, b"%d\n" % (tick * PER_TICK))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
