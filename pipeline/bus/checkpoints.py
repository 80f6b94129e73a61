"""Bring what was committed from the file beside the log into the log, while commits go on."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

from pipeline.bus.log_faults import LogFault, fault_of
from pipeline.bus.log_file import LogFile

logger = logging.getLogger(__name__)

EVERY_BYTES = 4 * 1024 * 1024
"""Written between two checkpoints."""
WAL_BYTES = 64 * 1024 * 1024
"""Size of the file beside the log from which on a checkpoint waits for those who read, or it would grow for ever."""


class Checkpoints:
    """A thread with a connection of its own. A checkpoint that fails is tried again with the next one."""

    def __init__(self, file: LogFile, on_fault: Callable[[LogFault], None]) -> None:
        self.write_turn = threading.Lock()
        """Held while something is written, by us or by who writes messages."""
        self._file, self._on_fault = file, on_fault
        self._db = file.connect()
        self._written = 0
        self._due = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="log checkpoints", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wrote(self, count: int) -> None:
        """Count what was committed, in bytes."""
        self._written += count
        if self._written >= EVERY_BYTES:
            self._written = 0
            self._due.set()

    def end(self) -> None:
        """Return when the connection is closed."""
        self._ending = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(self._db) as db:
            while self._due.wait() and not self._ending:
                self._due.clear()
                try:
                    self._checkpoint(db)
                except sqlite3.Error as error:
                    logger.debug("checkpoint of %s: %s", self._file.path, error)
                    self._on_fault(fault_of(self._file.path, error))

    def _checkpoint(self, db: sqlite3.Connection) -> None:
        """Do most of it while commits go on; the rest, which is little, while none can.

        Then the next commit writes over the file beside the log from its beginning: to let it grow is slower.
        """
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        with self.write_turn:
            large = self._file.wal_bytes() > WAL_BYTES
            db.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if large else 'PASSIVE'})").fetchone()
