"""`run_graph.py models list`: all models by family; with --markdown, the page docs/model_cards.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from cli import program
from cli.ctl_tables import table
from cli.model_states import Known, known, size_text
from cli.program import DONE
from pipeline.cards import names_of_all
from pipeline.errors import ConfigError
from pipeline.suggest import did_you_mean

FAMILIES = {
    "wholebody34": "bodies, heads and their parts: 34 classes with attributes and joints",
    "wholebody25": "bodies, heads and their parts: 25 classes with attributes",
    "yolox": "persons, as one of 80 kinds of things",
    "boxes": "persons or faces, as boxes",
    "yunet": "faces",
    "scrfd": "faces",
    "gazelle": "where heads look in the picture",
    "head_pose": "how heads are turned",
    "face_gaze": "where eyes look, from a face",
    "eye_gaze": "where eyes look, from both eyes and the pose of the head",
    "face_landmarks": "eyes, nose and mouth in a face",
    "appearance": "what people look like, to follow them",
    "face_recognition": "whose face it is; no stage uses it yet",
}
"""What each family finds, in the order in which they are listed; others follow."""

MOST_FIGURES = 5
"""Published figures that stand in the page; `models show` tells all."""

HEAD = """\
# Model cards

The models that can be used by name, each with a file in `configs/models/`. [models.md](models.md) tells how they are
named, found, fetched and checked; `python run_graph.py models show NAME` tells all about one. Published figures
are those of their makers, the first few.

Made by `python run_graph.py models list --markdown > docs/model_cards.md`; a test keeps it true.
"""


def main(argv: Sequence[str]) -> int:
    """Print the models.

    Raises:
        ConfigError: a card is wrong, or there is no such family.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py models list", description=__doc__.partition(": ")[2])
    parser.add_argument("--family", metavar="FAMILY", help=f"only models of a family: {', '.join(FAMILIES)}")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print them for programs")
    shape.add_argument("--markdown", action="store_true", help="print a page that says nothing of this machine")
    args = parser.parse_args(argv)
    found = _found(args.family)
    if args.json:
        print(json.dumps([_plain(one) for one in found], indent=2))
    else:
        print(_page(found) if args.markdown else _table(found))
    return DONE


def _found(family: str | None) -> list[Known]:
    """Return all models, or those of a family, families in their order."""
    order = list(FAMILIES)
    every = [known(name, program.ROOT) for name in names_of_all(program.ROOT)]
    families = sorted({one.card.family for one in every}, key=lambda name: (name not in order, *_place(name)))
    if family is not None and family not in families:
        raise ConfigError(f"--family: expected a family, got {family!r}{did_you_mean(family, families, 'families')}")
    return [one for name in families for one in every if one.card.family == name and family in (None, name)]


def _place(family: str) -> tuple[int, str]:
    order = list(FAMILIES)
    return (order.index(family) if family in order else 0, family)


def _families(found: Iterable[Known]) -> Iterable[tuple[str, list[Known]]]:
    for family, ones in groupby(found, lambda one: one.card.family):
        yield family, list(ones)


def _table(found: list[Known]) -> str:
    rows = [[f"  {one.name}", size_text(one.bytes), one.state, _licence(one)] for one in found]
    head, *lines = table(["model", "size", "state", "licence"], rows).splitlines()
    told = [head]
    for family, ones in _families(found):
        told.append(_title(family))
        told += [lines.pop(0) for _ in ones]
    return "\n".join([*told, "", "restricted: run_graph.py models show NAME tells what the licence keeps from whom"])


def _licence(one: Known) -> str:
    name = one.card.licence or "unknown"
    return f"{name}, restricted" if one.card.forbids else name


def _title(family: str) -> str:
    return f"{family}: {FAMILIES[family]}" if family in FAMILIES else family


def _page(found: list[Known]) -> str:
    lines = [HEAD]
    for family, ones in _families(found):
        lines += [f"## {_title(family)}", "", "| model | what | input | licence | published | how to get it |"]
        lines += ["| --- | --- | --- | --- | --- | --- |", *map(_row, ones), ""]
    return "\n".join(lines).rstrip("\n")


def _row(one: Known) -> str:
    card = one.card
    size = "any size" if card.input_size_wh is None else f"{card.input_size_wh[0]}×{card.input_size_wh[1]}"
    licence = f"{card.licence or 'unknown'}. {card.forbids}" if card.forbids else card.licence or "unknown"
    figures = "; ".join(map(figure_text, card.published[:MOST_FIGURES]))
    cells = [f"`{one.name}`", card.title, size, licence, figures, _how(one)]
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def figure_text(figure: Any) -> str:
    """Return a published figure with what it was measured on."""
    on = f" ({figure.on})" if figure.on else ""
    return f"{figure.measure} {figure.value:g}{on}"


def _how(one: Known) -> str:
    card = one.card
    if card.shipped:
        return "ships"
    if card.url is None:
        return card.convert or "put there by hand"
    kept = "checksum known" if card.sha256 and not card.pinned else "checksum kept from first use"
    return f"[fetched]({card.url}), {kept}"


def _plain(one: Known) -> dict[str, Any]:
    card = one.card
    return {
        "name": one.name,
        "title": card.title,
        "family": card.family,
        "state": one.state,
        "path": str(one.path) if one.path.is_file() else None,
        "bytes": one.bytes,
        "url": card.url,
        "member": card.member,
        "sha256": card.sha256,
        "licence": card.licence,
        "forbids": card.forbids,
        "input_size_wh": card.input_size_wh,
        "published": [figure.model_dump() for figure in card.published],
    }
