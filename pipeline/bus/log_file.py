"""The file of a durable log: opened by one program at a time, checked, moved aside when it cannot go on."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from pipeline.bus.log_faults import LogFault, fault_of

APPLICATION_ID = 0x67617A65
"""Tells an event log from other SQLite files: `gaze` in ASCII."""
VERSION = 1
"""Of the tables below."""
BUSY_S = 0.5
"""How long a write waits for another program that has the file locked."""
BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a file; moved with it."""

# No index but the position: with others, each commit would write several pages anew, and a fifth of the speed is left.
TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE log (id TEXT NOT NULL);
CREATE TABLE series (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, generation INTEGER NOT NULL, contenttype TEXT NOT NULL,
    mark INTEGER NOT NULL
);
CREATE TABLE messages (
    position INTEGER PRIMARY KEY, recorded_ns INTEGER NOT NULL, series INTEGER NOT NULL, sequence INTEGER NOT NULL,
    topic TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, holds INTEGER NOT NULL,
    previous_1 INTEGER NOT NULL, previous_2 INTEGER NOT NULL, previous_3 INTEGER NOT NULL, data BLOB NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
INSERT INTO log VALUES ('{{id}}');
COMMIT;
"""


class LogFile:
    """The open file. No other program that keeps to this lock can open it meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open or make a log.

        Raises:
            LogFault: it cannot be used; nothing was changed.
        """
        self.path = path
        self._lock = _locked(path)
        try:
            self.writer = self.connect("rwc")
            self.id = self._begin()
            self._inode = path.stat().st_ino
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise fault_of(path, error) from error
            raise

    def connect(self, mode: str = "rw") -> sqlite3.Connection:
        """Return another connection; who uses it from several threads takes turns, and closes it before `close()`."""
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        made = sqlite3.connect(address, BUSY_S, isolation_level=None, check_same_thread=False, uri=True)
        made.execute("PRAGMA synchronous = FULL")
        made.execute("PRAGMA wal_autocheckpoint = 0")
        return made

    def check_in_place(self) -> None:
        """Make sure that what is written goes where the next run will look for it.

        Raises:
            LogFault: the file was removed or replaced.
        """
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                return
        raise LogFault(self.path, "gone")

    def wal_bytes(self) -> int:
        """Return how much waits beside the file to be brought into it."""
        with suppress(OSError):
            return os.stat(f"{self.path}-wal").st_size
        return 0

    def close(self) -> None:
        """Let go of the file; what waits beside it is brought into it."""
        if hasattr(self, "writer"):
            with suppress(sqlite3.Error):
                self.writer.close()
        os.close(self._lock)

    def _begin(self) -> str:
        db = self.writer
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            _wal(db)
            made = secrets.token_hex(16)
            db.executescript(TABLES.format(id=made))
            _sync_folder(self.path.parent)
            return made
        if application != APPLICATION_ID:
            raise LogFault(self.path, "foreign", "a database of another program")
        if version != VERSION:
            raise LogFault(self.path, "foreign", f"version {version}, this program knows {VERSION}")
        _wal(db)
        db.execute("BEGIN IMMEDIATE")
        db.execute(f"PRAGMA user_version = {VERSION}")  # what cannot be written fails here, not with a message
        db.execute("ROLLBACK")
        return str(db.execute("SELECT id FROM log").fetchone()[0])


def set_aside(path: Path) -> Path:
    """Rename a log that nobody has open to the first free of `events-1.db`, `events-2.db`, … and return that.

    Raises:
        OSError: it cannot be renamed.
    """
    number = 1
    while (aside := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    for end in ("", *BESIDE):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{end}", f"{aside}{end}")
    _sync_folder(path.parent)
    return aside


def _locked(path: Path) -> int:
    """Lock a file beside the log: SQLite's own locks on the log would go if we opened and closed it ourselves."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise fault_of(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise LogFault(path, "busy") from error
    except OSError as error:
        os.close(lock)
        raise fault_of(path, error) from error
    return lock


def _wal(db: sqlite3.Connection) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"journal mode stays {mode}")


def _sync_folder(folder: Path) -> None:
    """Bring new names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
