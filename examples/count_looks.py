#!/usr/bin/env python3
"""Add up how long each area was looked at, from the event log of a run, also while it is written.

    python run_graph.py graphs/retail.yaml
    python examples/count_looks.py out/retail/shop/events.jsonl

Needs nothing but Python: an event is one line of JSON. Visits count when they have ended, unless they are taken back
(`retracted`) instead, or later because the tracker corrected an identity. The files of a log in several parts are named
in their order, which is that of their names: `events*.jsonl`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator


def looking_times(lines: Iterable[str]) -> dict[str, tuple[int, float]]:
    """Return visits and seconds of looking by target, longest first."""
    over: dict[str, tuple[str, float]] = {}
    for line in lines:
        event = json.loads(line)
        look = event["data"]
        if event["type"] == "io.gazegraph.look.ended":
            over[look["visit"]] = look["target"], look["dwell_s"]
        elif event["type"] == "io.gazegraph.look.retracted":
            over.pop(look["visit"], None)
    visits: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for target, dwell_s in over.values():
        visits[target] += 1
        seconds[target] += dwell_s
    longest_first = sorted(seconds, key=lambda target: (-seconds[target], target))
    return {target: (visits[target], seconds[target]) for target in longest_first}


def read(paths: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the files of a log; one that is still being written has no line break and is left out."""
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield from (line for line in file if line.endswith("\n"))


def main(argv: list[str]) -> int:
    """Print a line for each target of the log named on the command line."""
    if not argv:
        sys.stderr.write("usage: count_looks.py out/<graph>/<stream>/events*.jsonl\n")
        return 2
    for target, (visits, seconds) in looking_times(read(argv)).items():
        sys.stdout.write(f"{target:<16} {visits:>3} visits {seconds:>6.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
