"""Make a place for model files, and say in their words why none can be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ConfigError, PipelineError
from pipeline.model_files.folders import OWN
from pipeline.outputs import cannot_write

ELSEWHERE = f"name another folder in {OWN}"


def make_room(folder: Path) -> None:
    """Make a folder with its parents.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(
            f"{folder}: expected a folder for model files, got a file in its path; {ELSEWHERE}"
        ) from error
    except OSError as error:
        raise ConfigError(f"{folder}: {cannot_write(error, ELSEWHERE)}") from error


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Tell why a model file cannot be written.

    Raises:
        PipelineError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise PipelineError(f"{path}: {cannot_write(error, ELSEWHERE)}") from error
