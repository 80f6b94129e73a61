"""Whether a model file is the one that its card speaks of, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path

from pipeline.cards import ModelCard
from pipeline.model_files.folders import fetched_folder
from pipeline.model_files.pins import FILE, sha256_of

COMMAND = "python run_graph.py models"


def changed(card: ModelCard, path: Path, name: str, root: Path) -> str | None:
    """Return what is wrong with a file that is here; None where it is the right one, or nothing tells.

    Args:
        card: as `load_card` returns it.
        path: the file.
        name: how its user calls the card.
        root: the checkout.

    Raises:
        OSError: it cannot be read.
    """
    if card.sha256 is None:
        return None
    got = sha256_of(path)
    if got == card.sha256:
        return None
    again = f"remove it and type {COMMAND} pull {name}"
    if card.pinned:
        of, cure = f"pinned in {fetched_folder(root) / FILE}", f"{again}, or, if it may change, {accepting(name)}"
    else:
        of = f"of the card {card.name!r}"
        cure = again if card.url else "put the right file there"
        cure = "restore it with git checkout" if card.shipped else f"{cure}, or write its own card if you mean it"
    return f"{path}: expected the sha256 {card.sha256} {of}, got {got}; {cure}"


def accepting(name: str) -> str:
    """Return what to type to keep to another file from now on."""
    return f"{COMMAND} pull {name} --accept-change"
