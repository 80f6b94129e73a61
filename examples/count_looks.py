#!/usr/bin/env python3
"""Add up how long each area was looked at, from the event log of a finished run.

    python run_graph.py graphs/retail.yaml
    python examples/count_looks.py out/retail/shop/events.jsonl

Needs nothing but Python: an event is one line of JSON. Visits count when they have ended; a visit that was taken back
(`retracted`) never ends, so it does not count.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path


def looking_times(lines: list[str]) -> dict[str, tuple[int, float]]:
    """Return visits and seconds of looking by target, longest first."""
    visits: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for line in lines:
        event = json.loads(line)
        if event["type"] == "gazegraph.look.ended":
            look = event["data"]
            visits[look["target"]] += 1
            seconds[look["target"]] += look["dwell_s"]
    longest_first = sorted(seconds, key=lambda target: (-seconds[target], target))
    return {target: (visits[target], seconds[target]) for target in longest_first}


def main(argv: list[str]) -> int:
    """Print a line for each target of the log named on the command line."""
    if len(argv) != 1:
        sys.stderr.write("usage: count_looks.py out/<graph>/<stream>/events.jsonl\n")
        return 2
    for target, (visits, seconds) in looking_times(Path(argv[0]).read_text("utf-8").splitlines()).items():
        sys.stdout.write(f"{target:<16} {visits:>3} visits {seconds:>6.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
