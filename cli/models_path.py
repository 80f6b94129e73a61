"""`run_graph.py models path NAME`: where the file of a model lies, for other programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from logging import ERROR

from cli import program
from cli.log_format import tell
from cli.program import DONE, FAILED
from pipeline.cards import load_card, no_file


def main(argv: Sequence[str]) -> int:
    """Print the path and nothing else; exit code 1 where there is no file.

    Raises:
        ConfigError: there is no such card, or it is wrong.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py models path", description=__doc__.partition(": ")[2])
    parser.add_argument("name", metavar="NAME", help="a model, as `run_graph.py models list` lists them, or a card")
    card, path = load_card(parser.parse_args(argv).name, program.ROOT)
    if not path.is_file():
        tell(no_file(card, path), ERROR)
        return FAILED
    print(path)
    return DONE
