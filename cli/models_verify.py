"""`run_graph.py models verify [NAME...]`: whether model files are those of their cards, and keep their contracts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cli import program
from cli.model_states import known
from cli.program import DONE, FAILED
from pipeline.cards import names_of_all, no_file
from pipeline.errors import ModelError
from pipeline.model_files.checking import changed


def main(argv: Sequence[str]) -> int:
    """Check files and return the exit code: 1 when one is wrong, or missing where it was named.

    Raises:
        ConfigError: there is no such card, or it is wrong.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py models verify", description=__doc__.partition(": ")[2])
    parser.add_argument("names", metavar="NAME", nargs="*", help="models; default: all whose files are here")
    parser.add_argument("--open", action="store_true", help="open each as a graph would, and run it once")
    args = parser.parse_args(argv)
    names = list(dict.fromkeys(args.names)) or names_of_all(program.ROOT)
    right = wrong = away = 0
    for name in names:
        problem, told = _checked(name, args.open)
        if told == "not here" and not args.names:
            away += 1
            continue
        print(f"{name}: {problem or told}", flush=True)
        right, wrong = right + (problem is None), wrong + (problem is not None)
    print(f"{right} right, {wrong} wrong, {away} not here")
    return FAILED if wrong else DONE


def _checked(name: str, opens: bool) -> tuple[str | None, str]:
    """Return what is wrong with a file, or None, and what it was found to be."""
    one = known(name, program.ROOT)
    if not one.path.is_file():
        return no_file(one.card, one.path), "missing" if one.card.shipped else "not here"
    try:
        problem = changed(one.card, one.path, name, program.ROOT)
    except OSError as error:
        return f"{one.path}: cannot be read ({error.strerror}); change its rights", ""
    if problem:
        return problem, ""
    told = "no checksum is known" if one.card.sha256 is None else "right"
    if one.card.pinned:
        told = "as it first came"
    if not opens:
        return None, told
    from pipeline.device import open_device  # brings the runtime, which takes its time
    from pipeline.session import Session

    try:
        Session(one.card, one.path, open_device("cpu")).close()
    except ModelError as error:
        return str(error), ""
    return None, f"{told}, and opens under its contract"
