"""Checksums of files whose cards have none: that of the first one that came is kept to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.model_files.folders import fetched_folder
from pipeline.model_files.ledger import Ledger

FILE = "pins.yaml"
HEAD = "Checksums of model files whose makers tell none: what each address gave the first time is kept to."
BLOCK = 1 << 20


def pinned(url: str, member: str | None, root: Path) -> str | None:
    """Return the checksum that a file is held to since it first came; None where it never came.

    Args:
        url: where the file, or an archive that it is in, can be had.
        member: its name in the archive.
        root: the checkout.

    Raises:
        ConfigError: what is remembered cannot be read.
    """
    ledger = _ledger(root)
    found = ledger.read().get(_name(url, member))
    if found is not None and (len(found) != 64 or not set(found) <= set("0123456789abcdef")):
        raise ConfigError(f"{ledger.path}: expected a sha256 for {_name(url, member)}, got {found!r}; remove the line")
    return found


def pin(url: str, member: str | None, sha256: str, root: Path) -> Path:
    """Keep to a checksum from now on, and return the file that remembers it.

    Raises:
        PipelineError: it cannot be written.
    """
    ledger = _ledger(root)
    ledger.change(lambda known: {**known, _name(url, member): sha256})
    return ledger.path


def sha256_of(path: Path) -> str:
    """Return the checksum of a file, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _ledger(root: Path) -> Ledger:
    return Ledger(fetched_folder(root) / FILE, HEAD)


def _name(url: str, member: str | None) -> str:
    return f"{url}#{member}" if member else url
