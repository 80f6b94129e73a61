"""Say what is wrong with a log in one sentence that ends with what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

from pipeline.bus.message import Message

Kind = Literal["busy", "damaged", "denied", "failing", "foreign", "full", "gone"]

KINDS: dict[int, Kind] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_READONLY: "denied",
    sqlite3.SQLITE_CANTOPEN: "denied",
    sqlite3.SQLITE_PERM: "denied",
    sqlite3.SQLITE_AUTH: "denied",
    sqlite3.SQLITE_FULL: "full",
}
PRIMARY = 0xFF
"""The part of an SQLite error code that all its finer codes share."""

WORDS: dict[Kind, tuple[str, str, str]] = {
    "busy": (
        "to be its only writer",
        "another program, perhaps another run, that holds it",
        "end that program or choose another file",
    ),
    "damaged": ("an event log", "damaged content", "keep the file that was set aside for whoever can mend it"),
    "denied": ("to read and write it", "no right to", "change the rights of file and folder or choose another file"),
    "failing": ("to read and write it", "a disk that fails", "check the disk or choose a file on another one"),
    "foreign": ("an event log of this version", "something else", "choose another file"),
    "full": ("to write", "a full disk", "free space"),
    "gone": ("the file to stay", "it removed or replaced while in use", "leave it in place while a run uses it"),
}


class LogFault(Exception):
    """A log cannot be used, or not at the moment. The text is `path: expected …, got …; what to do`."""

    def __init__(self, path: Path, kind: Kind, detail: str = "") -> None:
        expected, got, cure = WORDS[kind]
        super().__init__(f"{path}: expected {expected}, got {got}{f' ({detail})' if detail else ''}; {cure}")
        self.path, self.kind = path, kind


class OtherStory(Exception):
    """A message that the log holds is told again with other content."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.id)
        self.message = message


def fault_of(path: Path, error: sqlite3.Error | OSError) -> LogFault:
    """Return what an error means for the log in `path`."""
    if isinstance(error, OSError):
        return LogFault(path, "denied", error.strerror or str(error))
    kind = KINDS.get(getattr(error, "sqlite_errorcode", 0) & PRIMARY, "failing")
    return LogFault(path, kind, "" if kind in ("full", "busy") else str(error))
