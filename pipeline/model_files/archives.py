"""Take one file out of an archive that a stranger made: nothing is written but that file, and no more than is wanted.

Names inside are compared, never used as paths. Of tar archives every header is read, so that a second file of the same
name shows; what is not wanted is passed over, and an archive that unfolds to far more than it holds is refused.
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.errors import FetchError
from pipeline.model_files.held_part import HeldPart

SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar")
BLOCK = 1 << 20
MOST_FILES = 10_000
LONGEST_READ = 1 << 24
"""Bytes read at once; only headers that were made up ask for more."""
MOST_FOLD, SPARE = 50, 1 << 26
"""How many times as large as the archive all that is in it may be, and what is let through in any case. Weights are
hardly pressed."""

_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError,
    NotImplementedError,
)  # fmt: skip
"""What reading made-up bytes ends in."""


def is_archive(name: str) -> bool:
    """Tell whether a file is an archive by its name."""
    return name.lower().endswith(SUFFIXES)


def take_out(archive: Path, member: str, part: HeldPart, most_bytes: int) -> None:
    """Write the file of an archive into a part, which is begun anew by the caller.

    Args:
        archive: a .zip, .tar.gz or .tar file.
        member: name of the file in it, with or without its folders.
        part: takes the bytes.
        most_bytes: more is refused.

    Raises:
        FetchError: there is no such file, or more than one, it is none that may be taken, or the archive is damaged.
        PipelineError: it cannot be written.
    """
    with _readable(archive):
        if archive.name.lower().endswith(".zip"):
            _from_zip(archive, member, part, most_bytes)
        else:
            _from_tar(archive, member, part, most_bytes)


def _from_zip(archive: Path, member: str, part: HeldPart, most_bytes: int) -> None:
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        if len(entries) > MOST_FILES:
            raise FetchError(f"{archive}: expected at most {MOST_FILES} files in it, got {len(entries)}; refused")
        found = [entry for entry in entries if _is(entry.filename, member) and not entry.is_dir()]
        entry = _the_one(archive, member, found, [entry.filename for entry in entries])
        kind = stat.S_IFMT(entry.external_attr >> 16)
        _check(archive, entry.filename, kind in (0, stat.S_IFREG), entry.file_size, most_bytes)
        if entry.flag_bits & 1:
            raise FetchError(f"{archive}: expected {entry.filename!r} without a password, got it encrypted; refused")
        with opened.open(entry) as file:
            _copy(file, part)


def _from_tar(archive: Path, member: str, part: HeldPart, most_bytes: int) -> None:
    found: list[tarfile.TarInfo] = []
    names: list[str] = []
    with archive.open("rb") as raw, tarfile.open(fileobj=(plain := _unfolded(archive, raw)), mode="r:") as opened:
        while (entry := opened.next()) is not None:
            names.append(entry.name)
            if len(names) > MOST_FILES:
                raise FetchError(f"{archive}: expected at most {MOST_FILES} files in it, got more; refused")
            if not _is(entry.name, member) or entry.isdir():
                continue
            found.append(entry)
            if len(found) == 1:
                _check(archive, entry.name, entry.isreg() and not entry.issparse(), entry.size, most_bytes)
                file = opened.extractfile(entry)
                assert file is not None
                _copy(file, part)
        while plain.read(BLOCK):  # to the checksum at the end of what is pressed
            pass
    _the_one(archive, member, found, names)


def _is(name: str, member: str) -> bool:
    return name == member or name.endswith(f"/{member}")


def _the_one(archive: Path, member: str, found: list[Any], names: list[str]) -> Any:
    if len(found) == 1:
        return found[0]
    if found:
        raise FetchError(
            f"{archive}: expected one file {member!r} in it, got {len(found)}; write it with its folders in the card"
        )
    some = ", ".join(repr(name) for name in names[:20]) + (", ..." if len(names) > 20 else "")
    raise FetchError(
        f"{archive}: expected a file {member!r} in it, got {some or 'nothing'}; correct `member` in the card"
    )


def _check(archive: Path, name: str, is_file: bool, size: int, most_bytes: int) -> None:
    if not is_file:
        raise FetchError(f"{archive}: expected a file, got {name!r}, which is a link or a device; refused")
    if name.startswith("/") or ".." in name.split("/"):
        raise FetchError(f"{archive}: expected a name inside the archive, got {name!r}, which leads out; refused")
    if size > most_bytes:
        raise FetchError(f"{archive}: expected at most {most_bytes} bytes in {name!r}, got {size}; refused")


def _copy(file: IO[bytes], part: HeldPart) -> None:
    while block := file.read(BLOCK):
        part.write(block)


@contextmanager
def _readable(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise FetchError(
            f"{archive}: expected an archive that can be read, got: {told}; remove and fetch it"
        ) from error


def _unfolded(archive: Path, raw: IO[bytes]) -> Any:
    """Return the bytes of a tar file, pressed or not, up to a bound."""
    pressed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    inner: Any = gzip.GzipFile(fileobj=raw) if pressed else raw
    return _Bounded(inner, archive, archive.stat().st_size * MOST_FOLD + SPARE)


class _Bounded(io.RawIOBase):
    """A file that is read forwards up to a bound, whatever its headers say."""

    def __init__(self, inner: Any, archive: Path, bound: int) -> None:
        self._inner = inner
        self._archive = archive
        self._bound = bound

    def read(self, size: int = -1) -> bytes:
        """Return bytes; refuses to return very many at once."""
        if not 0 <= size <= LONGEST_READ:
            raise FetchError(f"{self._archive}: expected headers of a few bytes, got one of {size}; refused")
        self._within(self._inner.tell() + size)
        read: bytes = self._inner.read(size)
        return read

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._within(offset)
        place: int = self._inner.seek(offset, whence)
        return place

    def tell(self) -> int:
        """Return the place."""
        place: int = self._inner.tell()
        return place

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def _within(self, place: int) -> None:
        if place > self._bound:
            raise FetchError(
                f"{self._archive}: expected at most {self._bound} bytes in it all in all, got more; it unfolds to far "
                "more than it holds, and is refused"
            )
