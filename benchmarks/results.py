"""What every benchmark does with its figures: a table on screen, a JSON file, and the check against the targets."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.cards import load_card
from pipeline.errors import PipelineError
from pipeline.outputs import make_folder, write_atomically
from pipeline.yaml_source import read_yaml

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ROOT / "benchmarks" / "targets.yaml"
DONE, MISSED, WRONG_INPUT = 0, 1, 2

Figures = dict[str, Any]
Targets = dict[str, dict[str, float]]


def command_line(name: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench", metavar="DIR", help="default: out/bench")
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure misses benchmarks/targets.yaml")
    return parser


def guarded(main: Callable[[], int]) -> int:
    """Run a benchmark; turn wrong input into a paragraph and exit code 2."""
    try:
        return main()
    except (PipelineError, ValueError) as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT


def finish(
    name: str, figures: Figures, details: Figures, arguments: argparse.Namespace, beside: Figures | None = None
) -> int:
    """Print the table, write `<out>/<name>.json` and return the exit code.

    Args:
        name: the benchmark.
        figures: by key, None where there was nothing to measure; `logic.f1` goes into the file as `f1` within `logic`.
        details: counts and what else explains the figures; goes into the file under `details`.
        arguments: the parsed command line.
        beside: figures that are not in the table, and that no target is about; goes into the file as it is.
    """
    targets = read_targets(TARGETS, name)
    print(table(name, figures, targets))
    content = {**(beside or {}), **nested(figures), "details": details}
    return _ended(name, content, misses(figures, targets), arguments)


def finish_sets(name: str, tables: dict[str, Figures], details: Figures, arguments: argparse.Namespace) -> int:
    """Do as `finish` does with figures of several sets: a table each, keyed by set in the file.

    Targets of a set that was not measured are left alone.

    Args:
        name: the benchmark.
        tables: figures by key, by set; targets are read under `<set>.<key>`.
        details: as `finish` takes them.
        arguments: the parsed command line.
    """
    wanted = read_targets(TARGETS, name)
    by_set = {
        chosen: {key.partition(".")[2]: wanted[key] for key in wanted if key.startswith(f"{chosen}.")}
        for chosen in tables
    }
    print("\n\n".join(table(chosen, figures, by_set[chosen]) for chosen, figures in tables.items()))
    missed = [f"{chosen}.{line}" for chosen in tables for line in misses(tables[chosen], by_set[chosen])]
    return _ended(name, {**tables, "details": details}, missed, arguments)


def _ended(name: str, content: Figures, missed: list[str], arguments: argparse.Namespace) -> int:
    """Write a benchmark's file and return the exit code."""
    path = make_folder(arguments.out) / f"{name}.json"
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(path)
    if not arguments.check:
        return DONE
    for line in missed:
        print(f"{name}: {line}", file=sys.stderr)
    return MISSED if missed else DONE


def nested(figures: Figures) -> Figures:
    """Return figures with those whose keys have a dot in groups."""
    made: Figures = {}
    for key, value in figures.items():
        group, dot, name = key.rpartition(".")
        (made.setdefault(group, {}) if dot else made)[name] = value
    return made


def read_targets(path: Path, name: str) -> Targets:
    """Return the targets of one benchmark by key: `at_least` or `at_most`."""
    targets: Targets = read_yaml(path).data[name]
    return targets


def table(name: str, figures: Figures, targets: Targets) -> str:
    """Return the figures, one a line, each with its target."""
    width = max(map(len, [name, *figures]))
    shown = {key: _shown(value) for key, value in figures.items()}
    across = max(map(len, shown.values()))
    lines = [f"{name:<{width}}  {'':<{across}}  target"]
    lines += [f"{key:<{width}}  {value:>{across}}  {_wanted(targets.get(key, {}))}" for key, value in shown.items()]
    return "\n".join(line.rstrip() for line in lines)


def misses(figures: Figures, targets: Targets) -> list[str]:
    """Return one line for each target that is missed, or whose figure is missing."""
    lines = []
    for key, target in targets.items():
        value = figures.get(key)
        low, high = target.get("at_least", -math.inf), target.get("at_most", math.inf)
        if value is None or not low <= value <= high:
            lines.append(f"{key}: expected {_wanted(target)}, got {value!r}")
    return lines


def share(part: float, whole: float) -> float | None:
    """Return a part of a whole to four digits; None of nothing."""
    return round(part / whole, 4) if whole else None


def models_used() -> dict[str, str | None]:
    """Return the checksums of the shipped models by card."""
    names = sorted(path.stem for path in (ROOT / "configs" / "models").glob("*.yaml"))
    cards = [load_card(name, ROOT)[0] for name in names]
    return {card.name: card.sha256 for card in cards if card.shipped}


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _wanted(target: dict[str, float]) -> str:
    return " and ".join(f"{bound.replace('_', ' ')} {value:g}" for bound, value in target.items())
