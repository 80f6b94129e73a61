"""Write down how a model came to be: the run beside its checkpoint, the record and the card beside the shipped file."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import torch
import yaml

from training.loop import Outcome, forget_state

logger = logging.getLogger(__name__)

RUN_FILE = "run.yaml"
MODELS, CARDS = Path("models"), Path("configs/models")


def set_up(seed: int) -> torch.device:
    """Set up a training program and return where it trains: a GPU where there is one, else one core of the CPU."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.manual_seed(seed)
    _commit()  # now: hours later another one may be checked out
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def run_facts(arguments: argparse.Namespace, outcome: Outcome) -> dict[str, Any]:
    """Collect what a run was: command, code, time and losses."""
    module = Path(sys.argv[0]).stem
    return {
        "command": " ".join([f"python -m training.{module}", *sys.argv[1:]]),
        "arguments": {name: plain(value) for name, value in sorted(vars(arguments).items())},
        "code_commit": _commit(),
        "torch": str(torch.__version__),
        "steps": outcome.steps,
        "hours": round(outcome.hours, 3),
        "last_losses": outcome.losses,
    }


def write_run(folder: Path, arguments: argparse.Namespace, outcome: Outcome, figures: dict[str, Any]) -> dict[str, Any]:
    """Write what a run was, its figures and the run it started from beside its weights; log the figures.

    Returns what was written; the run is over.
    """
    before = read_run(arguments.init) if arguments.init else None
    facts = run_facts(arguments, outcome) | {"figures": figures, "started_from": before}
    if blended := getattr(arguments, "blend", None):
        facts["blended_with"] = read_run(blended) | {"started_from": str(arguments.init)}
    write_yaml(folder / RUN_FILE, facts)
    forget_state(folder)
    for name, value in figures.items():
        logger.info("%s %s", name, value)
    return facts


def drawn(arguments: argparse.Namespace) -> str:
    """Return what a program draws its batches from, in words."""
    named = [*getattr(arguments, "crops", ()), *arguments.stills]
    return f"{' '.join(named)}, seed {arguments.seed}, from {arguments.init}"


def read_run(weights: Path) -> dict[str, Any]:
    """Read what write_run wrote beside weights."""
    facts: dict[str, Any] = yaml.safe_load((weights.parent / RUN_FILE).read_text(encoding="utf-8"))
    return facts


def write_yaml(path: Path, content: dict[str, Any], comment: str = "") -> None:
    """Write a mapping in its order, after an optional comment line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    path.write_text(f"# {comment}\n{body}" if comment else body, encoding="utf-8")


@cache
def _commit() -> str | None:
    """Return the commit of the code as it was when first asked.

    None outside a git checkout, where a finished training must not fail of it.
    """
    try:
        told = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return told.stdout.strip() or None


def plain(value: Any) -> Any:
    """Return an argument as it is written down: paths as text, tuples as lists."""
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
