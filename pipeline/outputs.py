"""Put results on disk so that a failure says which path, why, and what to do, and leaves no half-written file."""

from __future__ import annotations

import errno
import os
from io import RawIOBase
from pathlib import Path

from pipeline.errors import ConfigError, PipelineError

ELSEWHERE = "give another folder with --out"
"""How to have results written to another place."""


def make_folder(folder: Path) -> Path:
    """Make a folder with its parents and return it.

    Raises:
        ConfigError: it cannot be made, because a file stands in the way, or for want of rights or space.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        blocking = next(path for path in (folder, *folder.parents) if path.exists())
        raise ConfigError(
            f"output folder {str(folder)!r}: expected a folder, got the file {str(blocking)!r} in its path; "
            "remove the file or give another folder with --out"
        ) from error
    except OSError as error:
        raise ConfigError(f"output folder {str(folder)!r}: {cannot_write(error)}") from error
    return folder


def write_atomically(path: Path, content: str | bytes, elsewhere: str = ELSEWHERE) -> None:
    """Write a file as a whole or not at all: what stood there before stays until the new one is on disk.

    Args:
        path: the file.
        content: what it will hold; text becomes UTF-8.
        elsewhere: how to have files of this kind written to another place, for messages.

    Raises:
        PipelineError: it cannot be written; names path, cause and cure.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PipelineError(f"{path}: {cannot_write(error, elsewhere)}") from error


def write_whole(file: RawIOBase, content: bytes) -> None:
    """Write all of it to an unbuffered file, which may take less at a time.

    Raises:
        OSError: it cannot be written.
    """
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def cannot_write(error: OSError, elsewhere: str = ELSEWHERE) -> str:
    """Say in the house form why a file cannot be written and what to do about it.

    Args:
        error: what the system said.
        elsewhere: how to have files of this kind written to another place.
    """
    cause, cure = {
        errno.ENOSPC: ("a full disk", f"free space or {elsewhere}; what was written stays readable"),
        errno.EDQUOT: ("a full quota", f"free space or {elsewhere}; what was written stays readable"),
        errno.EACCES: ("no right to write there", f"change the rights or {elsewhere}"),
        errno.EPERM: ("no right to write there", f"change the rights or {elsewhere}"),
        errno.EROFS: ("a read-only file system", elsewhere),
    }.get(error.errno or 0, (f"{error.strerror or error}", f"check the path or {elsewhere}"))
    return f"expected to write, got {cause}; {cure}"
