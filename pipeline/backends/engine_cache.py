"""Engines on disk, one file for each key: written as a whole, checked when they are read, built by one process."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from pipeline.backends.engine_key import EngineKey, EngineRecord, why
from pipeline.backends.own_files import check_own, make_own_folder, read_own, write_own
from pipeline.errors import ConfigError

MAGIC = b"gazegraph engine\n"
MOST_BYTES = 1 << 34
"""No engine is larger."""
_MOST_RECORD_BYTES = 1 << 16
_LOOK_EVERY_S = 0.2
_HEAD = len(MAGIC) + hashlib.sha256().digest_size


class DamagedEngineError(Exception):
    """An engine is not what was written; says how."""


class CancelledError(Exception):
    """Nobody waits for the engine any more."""


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where engines are kept unless told otherwise: below the user's folder for caches (XDG)."""
    named = environ.get("XDG_CACHE_HOME", "")
    caches = Path(named) if named.startswith("/") else Path(environ.get("HOME") or "~").expanduser() / ".cache"
    return caches / "gazegraph" / "engines"


class EngineCache:
    """The engines in a folder.

    Args:
        folder: made for this user alone, if it is not there.

    Raises:
        ConfigError: the folder cannot be made, or others may write there.
    """

    def __init__(self, folder: Path) -> None:
        make_own_folder(folder)
        self.folder = folder

    def path(self, name: str, key: EngineKey) -> Path:
        """Return where the engine of a model and a key lies."""
        return self.folder / f"{re.sub(r'[^a-z0-9_.]+', '-', Path(name).name.lower())[:80]}-{key.digest}.engine"

    @contextmanager
    def alone(self, name: str, key: EngineKey, cancelled: threading.Event) -> Iterator[None]:
        """Keep other processes and threads from building this engine meanwhile; wait for one that does.

        Raises:
            CancelledError: while waiting.
        """
        number = os.open(self.path(name, key).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            while not _locked(number):
                if cancelled.wait(_LOOK_EVERY_S):
                    raise CancelledError(f"model {name!r}: cancelled while another process built its engine")
            yield
        finally:
            os.close(number)  # and with it the lock, which a process that dies lets go of, too

    def check(self, name: str, key: EngineKey) -> None:
        """Refuse an engine that others may have written; none is nothing wrong.

        Raises:
            ConfigError: they may.
        """
        path = self.path(name, key)
        if path.is_symlink() or path.exists():
            check_own(path)

    def read(self, name: str, key: EngineKey) -> bytes | None:
        """Return an engine, or None where there is none.

        Raises:
            DamagedEngineError: the file is cut, or changed.
            ConfigError: others may have written it.
        """
        content = read_own(self.path(name, key), MOST_BYTES)
        if content is None:
            return None
        if not content.startswith(MAGIC) or len(content) < _HEAD:
            raise DamagedEngineError(f"the engine in {self.path(name, key)} is cut or no engine")
        engine = content[_HEAD:]
        if hashlib.sha256(engine).digest() != content[len(MAGIC) : _HEAD]:
            raise DamagedEngineError(f"the engine in {self.path(name, key)} is damaged: its checksum is another one")
        return engine

    def write(self, record: EngineRecord, engine: bytes) -> Path:
        """Keep an engine, and a record of it beside it; return where.

        Raises:
            PipelineError: it cannot be written.
        """
        path = self.path(record.name, record.key)
        write_own(path, MAGIC, hashlib.sha256(engine).digest(), engine)
        self.note(record)
        return path

    def note(self, record: EngineRecord) -> None:
        """Keep the record of an engine alone.

        Raises:
            PipelineError: it cannot be written.
        """
        told = msgspec.json.format(msgspec.json.encode(record), indent=2)
        write_own(self.path(record.name, record.key).with_suffix(".json"), told + b"\n")

    def remove(self, name: str, key: EngineKey) -> None:
        """Remove an engine with its record."""
        path = self.path(name, key)
        for suffix in (".engine", ".engine.part", ".json"):
            path.with_suffix(suffix).unlink(missing_ok=True)
        shutil.rmtree(path.with_suffix(".ort"), ignore_errors=True)

    def runtime_folder(self, name: str, key: EngineKey) -> Path:
        """Return a folder in which ONNX Runtime keeps the engines of a key: of this user's files alone.

        Raises:
            ConfigError: others may have written there.
        """
        folder = self.path(name, key).with_suffix(".ort")
        make_own_folder(folder)
        for path in folder.iterdir():
            check_own(path)
        return folder

    def why(self, name: str, key: EngineKey) -> str:
        """Return why there is no engine of a key."""
        return why(name, key, self.records())

    def records(self) -> list[EngineRecord]:
        """Return the records of all engines, the newest last, without those that cannot be read: they only explain."""
        found = []
        for path in self.folder.glob("*.json"):
            try:
                content = read_own(path, _MOST_RECORD_BYTES)
                stamp = path.stat().st_mtime_ns
                found.append((stamp, msgspec.json.decode(content or b"", type=EngineRecord)))
            except (ConfigError, OSError, msgspec.DecodeError):
                continue
        return [record for _, record in sorted(found, key=lambda one: one[0])]


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
