"""`run_graph.py doctor`: what is installed, what works, what is missing, and the line to type. Needs no packages."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from cli import program
from cli.doctor_packages import installed
from cli.doctor_trials import TRIALS
from cli.program import DONE, FAILED

TRIAL_S = 120.0
"""How long a trial may take; the slowest imports what a cold disk holds."""
_MARKS = {"works": "ok", "absent": "-", "broken": "WRONG"}


@dataclass(frozen=True)
class Finding:
    """What was found of one thing."""

    name: str
    state: Literal["works", "absent", "broken"]
    """`absent`: it is not here, and nothing that everybody needs is lacking for that."""
    told: str
    cure: str = ""
    """What to type; empty: nothing need be done."""


def main(argv: Sequence[str]) -> int:
    """Run `doctor [--json]` and return the exit code: 1 when something is wrong, 0 else."""
    parser = argparse.ArgumentParser(prog="run_graph.py doctor", description=__doc__.partition(": ")[2])
    parser.add_argument("--json", action="store_true", help="print the findings for programs")
    args = parser.parse_args(argv)
    found = list(findings())
    print(json.dumps([asdict(one) for one in found], indent=2) if args.json else _page(found))
    return FAILED if any(one.state == "broken" for one in found) else DONE


def findings() -> Iterable[Finding]:
    """Yield what is found: Python, packages, then each trial of what a run needs."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "works", f"{python} on {sys.platform}")
    lacking = False
    for extra in installed(program.ROOT / "pyproject.toml"):
        lacking |= extra.needed and extra.state == "broken"
        yield Finding(extra.name, extra.state, extra.told, extra.cure)
    for name, trial in TRIALS.items():
        if lacking and trial.needs_packages:
            yield Finding(name, "absent", "not tried: packages are missing, see above")
        else:
            yield _tried(name)


def _tried(name: str) -> Finding:
    """Try something in a process of its own: what crashes there, being built for another machine, ends only that."""
    command = [sys.executable, "-m", "cli.doctor_trials", name]
    try:
        told = subprocess.run(
            command, cwd=program.ROOT, capture_output=True, text=True, check=False, timeout=TRIAL_S, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return Finding(name, "broken", f"no answer in {TRIAL_S:g} s", shlex.join(command))
    if told.returncode == 0:
        return Finding(name, **json.loads(told.stdout.splitlines()[-1]))
    last = (told.stderr.strip().splitlines() or ["nothing was said"])[-1]
    how = f"ended by signal {-told.returncode}" if told.returncode < 0 else last
    return Finding(name, "broken", how, f"{shlex.join(command)}  # says all of it")


def _page(found: Sequence[Finding]) -> str:
    width = max(len(one.name) for one in found)
    lines = []
    for one in found:
        lines.append(f"{one.name:<{width}}  {_MARKS[one.state]:<5}  {one.told}")
        if one.cure:
            lines.append(f"{'':<{width}}         type: {one.cure}")
    wrong = [one.name for one in found if one.state == "broken"]
    lines.append(f"wrong: {', '.join(wrong)}" if wrong else "nothing is wrong: python run_graph.py graphs/retail.yaml")
    return "\n".join(lines)
