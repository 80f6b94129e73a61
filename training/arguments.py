"""What training programs are told on the command line; defaults are those of training/recipe.yaml."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.recipe import defaults_of

_SET = {"metavar": "STYLE:FIRST+COUNT"}
_ALL: dict[str, dict[str, Any]] = {
    "stills": {**_SET, "nargs": "+", "help": "sets to learn from (default %(default)s)"},
    "crops": {**_SET, "nargs": "+", "help": "sets of head crops to learn from (default %(default)s)"},
    "held-out": {**_SET, "help": "set to measure with (default %(default)s)"},
    "calibrate": {**_SET, "help": "stills that scores are calibrated on (default %(default)s)"},
    "steps": {"type": int, "help": "default %(default)s; 0 keeps the weights as they are"},
    "rate": {"type": float, "help": "learning rate (default %(default)s)"},
    "seed": {"type": int, "help": "of weights and draws (default %(default)s)"},
    "head": {"type": Path, "help": "weights of python -m training.head (default %(default)s)"},
    "init": {"type": Path, "help": "weights of the whole network to start from"},
    "blend": {"type": Path, "help": "with --init: weights that are averaged with those; batch norms are measured anew"},
    "take-head": {"action": "store_true", "help": "with --init: begin the head branch with --head all the same"},
    "only-heads": {"action": "store_true", "help": "with --init: what tells of heads learns, all else stays"},
    "restyle": {"action": "store_true", "help": "let heads be learnt in styles that no rendered one has"},
    "out": {"type": Path, "help": "folder of checkpoints and results (default %(default)s)"},
    "workers": {"type": int, "default": 1, "help": "processes that draw batches (default %(default)s)"},
    "ship": {"action": "store_true", "help": "replace the shipped file, its record and its card"},
}
_NOT_OF = {
    "head": {"calibrate", "head", "take-head", "only-heads", "restyle", "blend", "ship"},
    "detector": {"crops"},
    "gaze": {"crops", "calibrate", "only-heads", "restyle"},
}


def program_parser(program: str, doc: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of a training program, one of `recipe.PROGRAMS`."""
    parser = argparse.ArgumentParser(prog=f"python -m training.{program}", description=doc)
    parser.set_defaults(**defaults_of(program))
    for name, how in _ALL.items():
        if name not in _NOT_OF[program]:
            parser.add_argument(f"--{name}", **how)
    return parser


def read_arguments(program: str, doc: str | None) -> argparse.Namespace:
    """Return what a training program was told; end with a message where that makes no sense."""
    parser = program_parser(program, doc)
    told = parser.parse_args()
    if getattr(told, "blend", None) and not told.init:
        parser.error("--blend: expected weights to average those with, got none; name them with --init")
    if getattr(told, "only_heads", False) and not told.init:
        parser.error("--only-heads: expected weights of all that stays, got none; name them with --init")
    return told
