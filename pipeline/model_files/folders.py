"""Where model files are looked for, and where those go that are fetched or prepared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

OWN = "GAZE_MODELS"
"""Names the folder for fetched and prepared files, in place of those of the checkout."""
READ_ONLY = "GAZE_REAL_MODELS"
"""Names a folder of files that somebody else keeps; nothing is ever written there."""
FETCHED, PREPARED = Path("models/fetched"), Path("models/prepared")


def fetched_folder(root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where fetched files go, and what is remembered of them; it need not exist.

    Args:
        root: the checkout.
        environ: the environment variables.
    """
    return named_folder(OWN, environ) or root / FETCHED


def prepared_folder(root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the files go that `models prepare` makes; it need not exist."""
    own = named_folder(OWN, environ)
    return own / "prepared" if own else root / PREPARED


def place_of(wanted: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the file of a card goes that is fetched: as the card says, or into the folder set for all.

    Args:
        wanted: the place that the card names.
        environ: the environment variables.
    """
    own = named_folder(OWN, environ)
    return own / wanted.name if own else wanted


def find(wanted: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the file of a card lies: as the card says, else by its name in the folders set; else where it goes.

    Args:
        wanted: the place that the card names.
        environ: the environment variables.

    Returns:
        A path that need not exist.
    """
    folders = [folder for folder in (named_folder(OWN, environ), named_folder(READ_ONLY, environ)) if folder]
    places = [wanted, *(folder / wanted.name for folder in folders)]
    return next((place for place in places if place.is_file()), place_of(wanted, environ))


def is_read_only(path: Path, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a file lies in the folder in which nothing is written."""
    kept = named_folder(READ_ONLY, environ)
    return kept is not None and path.resolve().is_relative_to(kept.resolve())


def named_folder(variable: str, environ: Mapping[str, str]) -> Path | None:
    """Return the folder that an environment variable names; None where it is not set."""
    named = environ.get(variable)
    return Path(named).expanduser() if named else None
