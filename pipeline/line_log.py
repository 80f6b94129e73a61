"""A file that grows by whole lines, whatever ends the process, and that can be put aside and begun anew."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pipeline.errors import PipelineError
from pipeline.outputs import cannot_write

logger = logging.getLogger(__name__)

Fsync = Literal["end", "tick", "never"]
BLOCK = 1 << 16
"""Bytes read at a time, from the end towards the beginning."""


class LineLog:
    """Lines of a file that one process at a time writes; what is neither file nor new, such as a pipe, can be written.

    Parts that were put aside lie beside the file and sort by name: `events-000001-20240501T093000Z.jsonl`.

    Args:
        path: the file; made if it is not there.
        fsync: when what was written must be on the disk: after each call of `append`, at `finish`, or whenever the
            system likes.

    Raises:
        PipelineError: it cannot be opened, or another process writes it; names path, cause and cure.
    """

    def __init__(self, path: Path, fsync: Fsync) -> None:
        self.path = path
        self._fsync = fsync
        self._fd: int | None = None
        self._part = re.compile(rf"{re.escape(path.stem)}-(\d{{6,}})-[0-9TZ]+{re.escape(path.suffix)}")
        self._opened()

    def clear(self) -> None:
        """Begin with nothing: empty the file and remove its parts."""
        with self._explained():
            for part in self.parts():
                part.unlink()
            if self._is_file(self._opened()):
                os.ftruncate(self._opened(), 0)

    def mend(self) -> None:
        """Cut off half a line, as a killed process leaves it at the end."""
        with self._explained():
            if not self._is_file(self._opened()):
                return
            whole, size = _whole_lines(self.path), self.size()
            if whole < size:
                os.ftruncate(self._opened(), whole)
                logger.warning("%s: the last line was cut off; its %d bytes are removed", self.path, size - whole)

    def size(self) -> int:
        """Return the bytes in the file, without its parts."""
        return os.fstat(self._opened()).st_size

    def append(self, lines: bytes) -> None:
        """Write lines, each with its line break: all or none.

        Raises:
            PipelineError: they cannot be written; names path, cause and cure.
        """
        with self._explained():
            fd = self._opened()
            before = os.fstat(fd).st_size
            try:
                left = memoryview(lines)
                while left:
                    left = left[os.write(fd, left) :]
                if self._fsync == "tick":
                    _to_disk(fd)
            except OSError:
                with suppress(OSError):  # a device such as /dev/full cannot be cut; the first error is the one to tell
                    os.ftruncate(fd, before)
                raise

    def turn(self, label: str) -> None:
        """Put the file aside as the next part, and begin a new one.

        Args:
            label: digits, T and Z that stand in the name of the part.
        """
        with self._explained():
            if not self._is_file(self._opened()):
                return
            self.finish()
            parts = self.parts()
            number = self._number(parts[-1]) + 1 if parts else 1
            aside = self.path.with_name(f"{self.path.stem}-{number:06d}-{label}{self.path.suffix}")
            self._release()
            self.path.rename(aside)
            self._opened()
            if self._fsync != "never":
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    _to_disk(folder)
                finally:
                    os.close(folder)

    def parts(self) -> list[Path]:
        """Return what was put aside, oldest first."""
        found = [path for path in self.path.parent.iterdir() if self._part.fullmatch(path.name)]
        return sorted(found, key=self._number)

    def backwards(self) -> Iterator[bytes]:
        """Yield all lines without their breaks, the last one first, those of parts after those of the file."""
        with self._explained():
            for path in [self.path, *reversed(self.parts())]:
                if path.is_file():
                    yield from _lines_backwards(path)

    def first_line(self) -> list[bytes]:
        """Return the first line of the file; none when it is empty or no file."""
        with self._explained():
            if not self.path.is_file():
                return []
            with self.path.open("rb") as file:
                return [line for line in [file.readline()] if line]

    def finish(self) -> None:
        """Bring what was written to the disk."""
        with self._explained():
            if self._fd is not None and self._fsync != "never":
                _to_disk(self._fd)

    def close(self) -> None:
        """Finish and let go of the file."""
        try:
            self.finish()
        finally:
            self._release()

    def _opened(self) -> int:
        """Return the open file; it is opened again when the last attempt failed."""
        if self._fd is None:
            with self._explained():
                fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(fd)
                raise PipelineError(
                    f"{self.path}: expected a file for this run alone, got one that another run is writing; stop that "
                    "run or give another folder with --out"
                ) from error
            except OSError:
                logger.debug("%s: cannot be locked here", self.path)
            self._fd = fd
        return self._fd

    def _release(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _number(self, part: Path) -> int:
        match = self._part.fullmatch(part.name)
        assert match
        return int(match[1])

    @staticmethod
    def _is_file(fd: int) -> bool:
        return stat.S_ISREG(os.fstat(fd).st_mode)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PipelineError(f"{self.path}: {cannot_write(error)}") from error


def _to_disk(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # not a file that lives on a disk, such as a pipe
            raise


def _whole_lines(path: Path) -> int:
    """Return where the last line break of a file ends; 0 when there is none."""
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        while at:
            begin = max(at - BLOCK, 0)
            file.seek(begin)
            found = file.read(at - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            at = begin
    return 0


def _lines_backwards(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        rest = b""
        while at:
            begin = max(at - BLOCK, 0)
            file.seek(begin)
            lines = (file.read(at - begin) + rest).split(b"\n")
            rest, at = lines[0], begin
            yield from filter(None, reversed(lines[1:]))
        if rest:
            yield rest
