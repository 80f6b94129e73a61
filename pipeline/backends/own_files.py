"""Files that only this user can have written. An engine is code: loading another's runs what that other wants."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipeline.errors import ConfigError, PipelineError
from pipeline.outputs import cannot_write, write_whole

ELSEWHERE = "name another folder in engine.cache_folder"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_own_folder(folder: Path) -> None:
    """Make a folder that only this user may open, with its parents, or check one that is there.

    Raises:
        ConfigError: it cannot be made, or others may write there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _check(folder, folder.stat())
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(f"{folder}: expected a folder for engines, got a file in its path; {ELSEWHERE}") from error
    except OSError as error:
        raise ConfigError(f"{folder}: {cannot_write(error, ELSEWHERE)}") from error


def check_own(path: Path) -> None:
    """Refuse what others may have written, and links.

    Raises:
        ConfigError: it is such a thing.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise ConfigError(f"{path}: expected a file, got a link; remove it")
    _check(path, status)


def read_own(path: Path, most_bytes: int) -> bytes | None:
    """Return the content of a file, or None where there is none.

    Args:
        path: the file.
        most_bytes: a larger one is refused.

    Raises:
        ConfigError: it is no file of this user's alone, too large, or cannot be read.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: expected a file to read, got: {error.strerror}; remove it") from error
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        _check(path, status)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
            raise ConfigError(f"{path}: expected a file of {most_bytes} bytes at most, got something else; remove it")
        return file.read(most_bytes)


def write_own(path: Path, *parts: bytes) -> None:
    """Write a file that only this user may open, as a whole or not at all: a crash leaves what stood there before.

    Raises:
        PipelineError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)  # of a run that was killed
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb", buffering=0) as file:
            for content in parts:
                write_whole(file, content)
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PipelineError(f"{path}: {cannot_write(error, ELSEWHERE)}") from error


def _check(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path}: expected files of the user {os.geteuid()} alone, got one of the user {status.st_uid}: an engine "
            f"is code; remove it, or {ELSEWHERE}"
        )
    if status.st_mode & _OTHERS_WRITE:
        raise ConfigError(
            f"{path}: expected what only its owner can write, got the mode {stat.S_IMODE(status.st_mode):o}: an engine "
            f"is code; if nobody else wrote there, type: chmod go-w '{path}'"
        )


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
