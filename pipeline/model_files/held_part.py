"""The part of a file that is being fetched: one process at a time adds to it, and a later one goes on with it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Self

from pipeline.model_files.room import ELSEWHERE, explained, make_room
from pipeline.outputs import write_atomically, write_whole

BLOCK = 1 << 20
NOTE_BYTES = 10_000


@dataclass(frozen=True)
class Note:
    """What a part is a part of."""

    origin: str
    """Tells addresses apart without telling them, for they may hold passwords."""
    validator: str | None
    """What the server calls this version of the file."""
    bytes: int | None
    """Size of the whole."""


class HeldPart:
    """`<name>.part` beside the place of a file, held by one process until it is finished or closed.

    What a killed process leaves is the part with its note, and nobody holds it.

    Args:
        place: where the whole file will stand; its folder is made.
        waits: called when another process holds the part, before waiting for it.

    Raises:
        PipelineError: it cannot be opened; names path, cause and cure.
    """

    def __init__(self, place: Path, waits: Callable[[], None]) -> None:
        self.place = place
        self.path = place.with_name(f"{place.name}.part")
        self._note = place.with_name(f"{place.name}.part.json")
        make_room(place.parent)
        with explained(self.path):
            self._file = self._held(waits)
            self.size = os.fstat(self._file.fileno()).st_size
        self.digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def note(self) -> Note | None:
        """Return what the part is a part of; None where that is not known."""
        try:
            with self._note.open("rb") as file:
                told = json.loads(file.read(NOTE_BYTES))
            return Note(**told) if _is_note(told) else None
        except (OSError, ValueError, TypeError):
            return None

    def go_on(self) -> None:
        """Take the checksum of what is there, so that what follows is added to it."""
        with explained(self.path):
            self._file.seek(0)
            self.digest = hashlib.sha256()
            while block := self._file.read(BLOCK):
                self.digest.update(block)

    def restart(self, note: Note) -> None:
        """Begin with nothing, as a part of something else."""
        self._note.unlink(missing_ok=True)
        with explained(self.path):
            self._file.truncate(0)
            self._file.seek(0)
        self.size, self.digest = 0, hashlib.sha256()
        write_atomically(self._note, json.dumps(asdict(note)), ELSEWHERE)

    def write(self, content: bytes) -> None:
        """Add bytes.

        Raises:
            PipelineError: they cannot be written; those before them stay.
        """
        with explained(self.path):
            self._file.seek(self.size)
            write_whole(self._file, content)
        self.size += len(content)
        self.digest.update(content)

    def finish(self) -> None:
        """Put the file in its place, on the disk.

        Raises:
            PipelineError: it cannot be brought there; the part stays.
        """
        with explained(self.path):
            self._file.truncate(self.size)
            os.fsync(self._file.fileno())
            self.path.replace(self.place)
            folder = os.open(self.place.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        self._note.unlink(missing_ok=True)
        self._file.close()

    def discard(self) -> None:
        """Forget the part."""
        if not self._file.closed:
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
            self._file.close()

    def close(self) -> None:
        """Let go of the part, which stays unless nothing is in it."""
        if not self._file.closed and not os.fstat(self._file.fileno()).st_size:
            self.discard()
        self._file.close()

    def _held(self, waits: Callable[[], None]) -> FileIO:
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waits()
                    fcntl.flock(fd, fcntl.LOCK_EX)
                if _is_at(fd, self.path):
                    return FileIO(fd, "r+")
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # whoever held it finished or forgot it: begin with what stands there now


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _is_note(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and isinstance(told.get("origin"), str)
        and isinstance(told.get("validator"), str | None)
        and isinstance(told.get("bytes"), int | None)
    )
