"""Measure what the engine adds and gains: `python -m benchmarks.speed`. Wants an idle machine with two cores.

The retail graph with all its sinks against two sequential loops over the same nodes on the same frames: one with every
library on one thread, one with the threads that the libraries choose. Each run has a process of its own; rounds
alternate their order; ratios are taken within a round, and of all rounds the median counts. CPU is that of the whole
process. Before each run the load by others is sampled; where it was above 0.3 cores, everything is void. Then one long
run, for its memory, and the models alone on one core, by their CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.looped import write_looped
from benchmarks.machine import load_of_others
from benchmarks.results import ROOT, Figures, command_line, finish, guarded, models_used
from pipeline.errors import ConfigError, PipelineError

CLIP = ROOT / "scenes" / "demo" / "shop.mp4"
KINDS = ("graph", "one_thread", "defaults")
MOST_LOAD = 0.3
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FPS_OF_CLIP = 25
LEAST_MINUTES = 2
"""Memory is compared with that after the first minute."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and return the exit code."""
    options = _parser().parse_args(arguments)
    if 0 < options.minutes < LEAST_MINUTES:
        raise ConfigError(f"--minutes: expected 0 or {LEAST_MINUTES} and more, got {options.minutes!r}")
    loads: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "loops.mp4"
        write_looped(CLIP, options.frames / FPS_OF_CLIP, clip)
        rounds = []
        for number in range(options.rounds):
            order = KINDS if number % 2 == 0 else KINDS[::-1]
            runs = {kind: _run(kind, loads, clip, options.frames) for kind in order}
            runs["graph"].pop("memory")
            rounds.append({kind: runs[kind] for kind in KINDS})
        figures = compare(rounds)
        figures.update(_run("models", loads))
        if options.minutes:
            frames = write_looped(CLIP, 60 * options.minutes, clip)
            figures.update(memory(_run("graph", loads, clip, frames)["memory"]))
    figures["load_before"] = round(max(loads), 2)
    figures["void"] = max(loads) > MOST_LOAD
    if figures["void"]:
        print(
            f"void: other processes kept {max(loads):.2f} cores busy, at most {MOST_LOAD} are allowed", file=sys.stderr
        )
    details = {
        "rounds": rounds,
        "loads": [round(load, 2) for load in loads],
        "cores": len(os.sched_getaffinity(0)),
        "memory_minutes": options.minutes,
        "models": models_used(),
    }
    return finish("speed", figures, details, options)


def compare(rounds: Sequence[dict[str, Figures]]) -> Figures:
    """Return the figures of some rounds, each with the runs `graph`, `one_thread` and `defaults`."""
    each: dict[str, list[float]] = {}
    for runs in rounds:
        fps = {kind: run["frames"] / run["elapsed_s"] for kind, run in runs.items()}
        cpu_ms = {kind: 1e3 * run["cpu_s"] / run["frames"] for kind, run in runs.items()}
        faster_loop = max(fps["one_thread"], fps["defaults"])
        figures = {
            "throughput_ratio": fps["graph"] / faster_loop,
            "cpu_ratio": cpu_ms["graph"] / cpu_ms["one_thread"],
            "graph_fps": fps["graph"],
            "sequential_fps": faster_loop,
            "engine_cpu_share": runs["graph"]["engine_cpu_s"] / runs["graph"]["cpu_s"],
            "cpu_ms_per_frame": cpu_ms["graph"],
        }
        for key, figure in figures.items():
            each.setdefault(key, []).append(figure)
    return {key: round(median(values), 4) for key, values in each.items()}


def memory(samples: Sequence[tuple[float, int]]) -> Figures:
    """Return what was held after the first minute of input and at the end.

    Args:
        samples: seconds of input so far, and resident bytes.
    """
    after = next(held for at_s, held in samples if at_s >= 60)
    end = samples[-1][1]
    return {
        "memory_mib_at_1_min": round(after / 2**20, 1),
        "memory_mib_at_end": round(end / 2**20, 1),
        "memory_growth": round(end / after, 3),
    }


def _run(kind: str, loads: list[float], clip: Path | None = None, frames: int = 0) -> Figures:
    """Note the load, then do one run."""
    loads.append(load_of_others())
    print(f"{kind}: load before {loads[-1]:.2f}", file=sys.stderr)
    return _in_a_process(kind, clip, frames)


def _in_a_process(kind: str, clip: Path | None, frames: int) -> Figures:
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    if kind != "defaults":
        environment.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    command = [sys.executable, "-m", "benchmarks.speed_run", kind, "--frames", str(frames)]
    command += ["--clip", str(clip)] if clip else []
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"{kind}: expected a run, got exit code {done.returncode}: {done.stderr.strip()}")
    figures: Figures = json.loads(done.stdout)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = command_line("speed", "Measure what the engine adds and gains; wants an idle machine.")
    parser.add_argument("--frames", type=int, default=600, help="frames of each run (default 600)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="minutes of input of the run for memory, 0 for none (default 10)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
