"""Make the shipped models anew: the steps of training/recipe.yaml in their order, finished ones left out.

    python -m training --list    what there is to do and what is done
    python -m training --ship    do the rest, then replace the shipped files, their records and their cards

A step that was interrupted goes on where its last checkpoint is; what was rendered stays. So type the same again.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import guarded
from training.arguments import program_parser
from training.data import SeedSet
from training.recipe import FILE, ROOT, WEIGHTS, Step, read_recipe

RUN, STATE = "run.yaml", "state.npz"


def finished(step: Step, root: Path) -> float | None:
    """Return the hours that a finished step took, None of one that is not.

    Raises:
        ValueError: what is finished was done with other arguments.
    """
    from training.record import plain, read_run

    path = step.folder(root) / RUN
    if not path.exists():
        return None
    facts = read_run(step.folder(root) / WEIGHTS)
    for name, wanted in step.arguments.items():
        got = facts["arguments"].get(name)
        if got != plain(wanted):
            raise ValueError(
                f"{path}: expected a run with {name} {plain(wanted)!r}, got one with {got!r}; move the folder away to "
                "take the step anew, or give another --root"
            )
    return float(facts["hours"])


def check(steps: Sequence[Step], root: Path) -> None:
    """Refuse a recipe that a program would refuse hours later.

    Raises:
        ValueError: a set is not named as sets are.
        SystemExit: an argument is none of the program's.
    """
    for step in steps:
        options = program_parser(step.program).parse_args(step.command(root)[2:])
        for text in (*options.stills, getattr(options, "calibrate", options.stills[0])):
            SeedSet.parse("stills", text)
        for text in getattr(options, "crops", ()):
            SeedSet.parse("crops", text)


def take(step: Step, steps: Sequence[Step], root: Path) -> int:
    """Take a step in a process of its own; what was made of its weights before is no longer finished."""
    for later in steps:
        if step.name in later.needs:
            for name in (RUN, STATE):
                (later.folder(root) / name).unlink(missing_ok=True)
    return subprocess.run([sys.executable, *step.command(root)], check=False).returncode


def ship(steps: Sequence[Step], root: Path) -> None:
    """Replace the shipped files by those of finished steps."""
    from training.cards import DETECTOR_FILE, GAZE_FILE, ship_detector, ship_gaze
    from training.record import read_run

    by_program = {"detector": (DETECTOR_FILE, ship_detector), "gaze": (GAZE_FILE, ship_gaze)}
    for step in steps:
        if step.ships:
            name, put = by_program[step.program]
            facts = read_run(step.folder(root) / WEIGHTS)
            put(step.folder(root) / name, facts, read_run(step.arguments["head"]), True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the steps that are not finished."""
    first, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m training", description=first, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="tell the steps and what is done; take none")
    parser.add_argument("--ship", action="store_true", help="replace the shipped files in the end")
    parser.add_argument("--recipe", type=Path, default=FILE, help="another recipe (default training/recipe.yaml)")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the weights (default %(default)s)")
    options = parser.parse_args(arguments)
    steps = read_recipe(options.recipe, options.root)
    check(steps, options.root)
    for step in steps:
        hours, folder = finished(step, options.root), step.folder(options.root)
        begun = "begun" if (folder / STATE).exists() else "to do"
        state = begun if hours is None else f"finished, {hours:.2f} h"
        print(f"{step.name}: {state}: python {shlex.join(step.command(options.root))}", flush=True)
        if hours is None and not options.list:
            code = take(step, steps, options.root)
            if code:
                print(f"{step.name}: ended with {code}; type the same again to go on", file=sys.stderr)
                return code
    if options.ship and not options.list:
        ship(steps, options.root)
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
