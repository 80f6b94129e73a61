"""Measure live graphs: `python -m benchmarks.live`. Faults, load, cameras that come and go, minutes of four streams.

(`load`) the retail graph with all its sinks at 0.5, 1, 2 and 4 times what it can take, and ages at the sinks, told by
numbers that the cameras write into their pictures; (`faults`) what a camera or its network does wrong, and how long it
takes from its end to the first new frame; (`churn`) what memory, threads and open files do while cameras come and go,
and while connects fail; (`soak`) minutes of four streams. In every run all frames must add up. Cameras are servers in a
process of their own on this machine, so they take some of its time, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.live_part import PARTS
from benchmarks.live_table import fault_table, load_table
from benchmarks.machine import LoadOfOthers
from benchmarks.results import MISSED, ROOT, Figures, command_line, finish, guarded, models_used
from pipeline.errors import PipelineError

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""As run_graph.py sets it: the engine's stages are the parallelism."""
SAMPLED_S = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    wanted = [part for part in PARTS if part in options.only]
    load = LoadOfOthers()
    time.sleep(SAMPLED_S)
    before = load.cores()
    found: dict[str, Figures] = {}
    failed, took_s = {}, {}
    for part in wanted:
        print(f"{part} ...", file=sys.stderr)
        began_s = time.monotonic()
        try:
            found[part] = in_a_process(part, options.short, found.get("load", {}).get("one_x_fps"))
        except PipelineError as error:  # half an hour of figures is not thrown away because one part failed
            failed[part] = str(error)
            print(error, file=sys.stderr)
        took_s[part] = round(time.monotonic() - began_s, 1)
    violations = {part: each.pop("violations") for part, each in found.items()}
    for text in (load_table(found.get("load", {})), fault_table(found.get("faults", {}))):
        print(text, end="\n\n" if text else "")
    beside = {**whole_file(found), "short": options.short, "parts": list(found)}
    beside["conservation_violations"] = sum(map(len, violations.values())) if found else None
    details = {
        "failed": failed,
        "violations": violations,
        "load_before": before,
        "took_s": took_s,
        "cores": len(os.sched_getaffinity(0)),
        "models": models_used(),
    }
    if options.short or len(found) < len(PARTS):
        of = ", ".join(found) or "nothing"
        print(f"a short run of {of}; growth in so few cycles means little" if options.short else f"a run of {of}")
    code = finish("live", summary(beside), details, options, beside)
    return MISSED if failed else code


def whole_file(found: dict[str, Figures]) -> Figures:
    """Return what stands in live.json beside the figures that have targets."""
    load, churn = found.get("load", {}), found.get("churn", {})
    return {
        "faults": found.get("faults", {}).get("faults"),
        **{key: load.get(key) for key in ("load", "load_1080p", "max_age_ms", "one_x_fps", "saturated")},
        "churn": churn.get("churn"),
        "failing_connects": churn.get("failing_connects"),
        "soak": found.get("soak"),
    }


def summary(whole: Figures) -> Figures:
    """Return the figures that have targets, one number each; None where nothing was measured."""
    faults = list((whole["faults"] or {}).values())
    load, large = whole["load"], whole["load_1080p"]
    churn, failing, soak = (whole[key] or {} for key in ("churn", "failing_connects", "soak"))
    return {
        "faults_tried": len(faults) if faults else None,
        "faults_recovered": sum(one["recovered_s"] is not None for one in faults) if faults else None,
        "faults_late": sum(not one["in_time"] for one in faults) if faults else None,
        "false_ends": sum(one["false_ends"] for one in faults) if faults else None,
        "p95_over_max_age": worst_age(load, large, whole["max_age_ms"]) if load and large else None,
        "p95_at_4_over_2": ratio(load, "p95_ms", "4", "2"),
        "fps_at_4_over_1": ratio(load, "processed_fps", "4", "1"),
        "fps_at_4_over_1_1080p": ratio(large, "processed_fps", "4", "1"),
        "churn_rss_mb_per_1000": churn.get("rss_mb_per_1000"),
        "churn_threads_per_1000": churn.get("threads_per_1000"),
        "churn_open_files_per_1000": churn.get("open_files_per_1000"),
        "failing_rss_mb_per_1000": failing.get("rss_mb_per_1000"),
        "failing_threads_per_1000": failing.get("threads_per_1000"),
        "failing_open_files_per_1000": failing.get("open_files_per_1000"),
        "soak_p95_ms": soak.get("p95_ms"),
        "conservation_violations": whole["conservation_violations"],
    }


def worst_age(load: Figures, large: Figures, max_age_ms: float) -> float | None:
    """Return the largest p95 age of all loads, over what is allowed; None where a load let nothing through."""
    ages = [each["p95_ms"] for each in [*load.values(), *large.values()]]
    return None if None in ages else round(max(ages) / max_age_ms, 4)


def ratio(levels: Figures | None, key: str, over: str, under: str) -> float | None:
    """Return how a figure of one load compares with that of another."""
    if not levels or levels[over][key] is None or not levels[under][key]:
        return None
    return round(float(levels[over][key] / levels[under][key]), 4)


def in_a_process(part: str, short: bool, one_x: float | None) -> Figures:
    """Measure a part in a process of its own.

    Raises:
        PipelineError: it failed; with its last words.
    """
    command = [sys.executable, "-m", "benchmarks.live_part", part, *(["--short"] if short else [])]
    command += [] if one_x is None else ["--one-x", str(one_x)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip()[-2000:]
        raise PipelineError(f"{part}: expected figures, got exit code {done.returncode}: {said or 'nothing was said'}")
    figures: Figures = json.loads(done.stdout)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = command_line("live", "Measure live graphs; wants an idle machine.")
    parser.add_argument("--short", action="store_true", help="minutes in place of half an hour; marked in the file")
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,...", help=f"of {', '.join(PARTS)}")
    return parser


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(PARTS)}, got {unknown[0]!r}")
    return parts


if __name__ == "__main__":
    sys.exit(guarded(main))
