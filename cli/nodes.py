"""`run_graph.py nodes`: the stages, one line each; with --markdown, the page docs/nodes.md."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence

from cli.catalogue import config_fields, port_lines, summary
from nodes import node_types, resolve

HEAD = """\
# Nodes

What graphs are made of. A node is one file in `nodes/`; its name is the `type:` in a graph. Values stand in the
configuration under the name that the graph gives the node. A value marked *live* may change while the graph runs.

Made by `python run_graph.py nodes --markdown > docs/nodes.md`; a test keeps it true.
"""


def main(argv: Sequence[str]) -> int:
    """Print the catalogue."""
    parser = argparse.ArgumentParser(prog="run_graph.py nodes", description=__doc__.partition(": ")[2])
    parser.add_argument("--markdown", action="store_true", help="print all there is to know, as a page")
    if parser.parse_args(argv).markdown:
        print(markdown(), end="")
        return 0
    width = max(len(name) for name in node_types())
    for name in node_types():
        print(f"{name:<{width}}  {summary(resolve(name))}")
    return 0


def markdown() -> str:
    """Return docs/nodes.md."""
    return "\n".join([HEAD, *(_section(name) for name in node_types())])


def _section(name: str) -> str:
    cls = resolve(name)
    lines = [f"## {name}", "", summary(cls), "", inspect.getdoc(cls) or "", ""]
    lines += [f"* {port}: {what}" for port, what in port_lines(cls)]
    fields = config_fields(cls)
    if fields:
        lines += ["", "| value | type | default | |", "| --- | --- | --- | --- |"]
    for field in fields:
        text = f"{field.text} *live*" if field.live else field.text
        cells = [f"`{field.name}`", field.kind, f"`{field.default}`" if field.default else "must be given", text]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])
