"""Licences that keep some users from something: shown before a file is fetched, accepted once, remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.model_files.folders import fetched_folder
from pipeline.model_files.ledger import Ledger

FILE = "accepted.yaml"
HEAD = "Licences that were accepted on this machine, each in its words at that time."
VARIABLE = "GAZE_ACCEPT_LICENCES"
"""Names the cards whose licences are accepted where nobody can be asked: `gazelle-dinov3-x,scrfd-*`."""


def is_accepted(card: str, licence: str, forbids: str, root: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether a file may be fetched as far as its licence goes.

    Args:
        card: name of its card.
        licence: name of the licence.
        forbids: what it keeps from some users; nothing needs no acceptance.
        root: the checkout.
        environ: the environment variables.

    Raises:
        ConfigError: what is remembered cannot be read.
    """
    if not forbids:
        return True
    named = [name.strip() for name in environ.get(VARIABLE, "").split(",")]
    return any(fnmatchcase(card, name) for name in named) or _name(licence, forbids) in _ledger(root).read()


def accept(licence: str, forbids: str, root: Path) -> Path:
    """Remember that a licence was accepted, for all cards with the same words, and return the file that does.

    Raises:
        PipelineError: it cannot be written.
    """
    ledger = _ledger(root)
    ledger.change(lambda known: {**known, _name(licence, forbids): _words(licence, forbids)})
    return ledger.path


def _ledger(root: Path) -> Ledger:
    return Ledger(fetched_folder(root) / FILE, HEAD)


def _words(licence: str, forbids: str) -> str:
    return f"{licence}: {forbids}"


def _name(licence: str, forbids: str) -> str:
    """Return what tells words apart: a licence that says something else now must be accepted again."""
    return hashlib.sha256(_words(licence, forbids).encode()).hexdigest()[:16]
