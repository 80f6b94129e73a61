"""Measure what the engine adds and gains: `python -m benchmarks.speed`. Wants an idle machine with two cores.

The retail graph with all its sinks against two sequential loops over the same nodes on the same frames: one with every
library on one thread, one with the threads that the libraries choose. Each run has a process of its own; rounds
alternate their order; ratios are taken within a round, and of all rounds the median counts. CPU is that of the whole
process, opening included. A round in which other processes kept more than 0.3 cores busy, before a run or during it, is
measured again; when that helps too rarely, the figures are void. Then the models alone on one core, by their CPU time,
and one long run of the graph, for its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.looped import write_looped
from benchmarks.machine import LoadOfOthers
from benchmarks.results import ROOT, Figures, command_line, finish, guarded, models_used
from pipeline.errors import ConfigError, PipelineError

CLIP = ROOT / "scenes" / "demo" / "shop.mp4"
KINDS = ("graph", "one_thread", "defaults")
MOST_LOAD = 0.3
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FPS_OF_CLIP = 25
SAMPLED_S = 2.0
LEAST_MINUTES = 2
"""Memory is compared with that after the first minute."""
MOST_TRIES = 3
"""Rounds measured at most, for each one wanted."""


@dataclass(frozen=True)
class Load:
    """How many cores other processes kept busy before a run and during it."""

    run: str
    before: float
    during: float


@dataclass(frozen=True)
class Round:
    """One run of each kind."""

    runs: dict[str, Figures]
    loads: list[Load]

    @property
    def quiet(self) -> bool:
        """Tell whether the machine was ours."""
        return all(max(load.before, load.during) <= MOST_LOAD for load in self.loads)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and return the exit code."""
    options = _parser().parse_args(arguments)
    if 0 < options.minutes < LEAST_MINUTES:
        raise ConfigError(f"--minutes: expected 0 or {LEAST_MINUTES} and more, got {options.minutes!r}")
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "loops.mp4"
        write_looped(CLIP, options.frames / FPS_OF_CLIP, clip)
        rounds = measured(options.rounds, clip, options.frames)
        figures = {**compare([each.runs for each in rounds]), **_in_a_process("models", CLIP, 0)}
        if options.minutes:
            frames = write_looped(CLIP, 60 * options.minutes, clip)
            figures.update(memory(_in_a_process("graph", clip, frames)["memory"]))
    loads = [load for each in rounds for load in each.loads]
    figures["load_before"] = max(load.before for load in loads)
    figures["load_during"] = max(load.during for load in loads)
    figures["void"] = not all(each.quiet for each in rounds)
    if figures["void"]:
        print(f"void: other processes kept more than {MOST_LOAD} cores busy, see load_before, load_during")
    details = {
        "rounds": [asdict(each) for each in rounds],
        "cores": len(os.sched_getaffinity(0)),
        "memory_minutes": options.minutes,
        "models": models_used(),
    }
    return finish("speed", figures, details, options)


def measured(wanted: int, clip: Path, frames: int) -> list[Round]:
    """Return that many quiet rounds, of alternating order; all rounds there were, when too few of them were quiet."""
    rounds: list[Round] = []
    while sum(each.quiet for each in rounds) < wanted:
        if len(rounds) == MOST_TRIES * wanted:
            return rounds
        loads: list[Load] = []
        order = KINDS if len(rounds) % 2 == 0 else KINDS[::-1]
        runs = {kind: _run(kind, loads, clip, frames) for kind in order}
        runs["graph"].pop("memory")
        rounds.append(Round(runs, loads))
    return [each for each in rounds if each.quiet]


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


def _run(kind: str, loads: list[Load], clip: Path, frames: int) -> Figures:
    """Do one run and note the load before and during it."""
    load = LoadOfOthers()
    time.sleep(SAMPLED_S)
    before, load = load.cores(), LoadOfOthers()
    figures = _in_a_process(kind, clip, frames)
    loads.append(Load(kind, before, load.cores()))
    print(loads[-1], file=sys.stderr)
    return figures


def _in_a_process(kind: str, clip: Path, frames: int) -> Figures:
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    if kind != "defaults":
        environment.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    command = [sys.executable, "-m", "benchmarks.speed_run", kind, "--frames", str(frames), "--clip", str(clip)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"{kind}: expected a run, got exit code {done.returncode}: {done.stderr.strip()}")
    figures: Figures = json.loads(done.stdout)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = command_line("speed", "Measure what the engine adds and gains; wants an idle machine.")
    parser.add_argument("--frames", type=int, default=400, help="frames of each run (default 400)")
    parser.add_argument("--rounds", type=int, default=5, help="quiet rounds to measure (default 5)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="minutes of input of the run for memory, 0 for none (default 10)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
