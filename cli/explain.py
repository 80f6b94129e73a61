"""`run_graph.py explain NODE`: what a stage does, reads, makes and can be told."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Sequence
from typing import Any

from cli.catalogue import config_fields, port_lines
from nodes import resolve
from pipeline.node import Node

WIDTH = 100


def main(argv: Sequence[str]) -> int:
    """Print all there is to know about one node type.

    Raises:
        GraphError: there is no such node type; suggests one.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py explain", description=__doc__.partition(": ")[2])
    parser.add_argument("node", metavar="NODE", help="a node type, as `run_graph.py nodes` lists them")
    name = parser.parse_args(argv).node
    print(explanation(name, resolve(name)))
    return 0


def explanation(name: str, cls: type[Node[Any]]) -> str:
    """Return the text about a node type."""
    lines = [f"{name}  (nodes/{name}.py)", "", inspect.getdoc(cls) or "", "", "ports"]
    lines += [f"  {port:<16}  {what}" for port, what in port_lines(cls)]
    fields = config_fields(cls)
    lines += ["", "values" if fields else "values: none"]
    for field in fields:
        default = f"default {field.default}" if field.default else "must be given"
        live = "; may change while the graph runs" if field.live else ""
        lines.append(f"  {field.name}: {field.kind}; {default}{live}")
        lines += textwrap.wrap(field.text, WIDTH, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)
