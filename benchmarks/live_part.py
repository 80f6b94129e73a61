"""One part of the live benchmark in a process of its own: `python -m benchmarks.live_part churn` prints it as JSON.

So that what one part holds is not measured in another.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence

from benchmarks import live_load
from benchmarks.live_churn import measure_churn
from benchmarks.live_faults import measure_faults
from benchmarks.live_soak import soak
from benchmarks.results import DONE, Figures, guarded

PARTS = ("load", "faults", "churn", "soak")
ROUNDS = 3
"""How often each fault happens."""


def measure(part: str, *, short: bool, one_x: float | None = None) -> Figures:
    """Return what one part measures, with its `violations`.

    Raises:
        PipelineError: a run failed, or something did not come in time.
    """
    lengths = live_load.SHORT if short else live_load.FULL
    if part == "load":
        return live_load.measure_load(lengths)
    if part == "soak":
        return soak(lengths, one_x)
    return measure_churn(short=short) if part == "churn" else measure_faults(1 if short else ROUNDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one part and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_part", description="One part of benchmarks.live.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--one-x", type=float, metavar="FPS", help="for soak; default: measured first")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    print(json.dumps(measure(options.part, short=options.short, one_x=options.one_x)))
    return DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
