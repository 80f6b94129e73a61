"""A file that grows beside its place and takes it when it is finished, so that half a file never stands there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.outputs import cannot_write, write_whole


class PartFile:
    """Grows as `<name>.part`; what stood in its place stays there until `finish()`.

    What a killed run leaves is the part, whole up to its last `write()`.

    Args:
        path: the place; the folder must exist.

    Raises:
        PipelineError: the part cannot be opened; names path, cause and cure.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._end = 0
        with self._explained():
            self._file = FileIO(self._part, "w")  # unbuffered: a failure is known at once

    def write(self, content: bytes) -> None:
        """Add bytes; those of a call that failed are overwritten by the next, or cut off.

        Raises:
            PipelineError: they cannot be written.
        """
        with self._explained():
            self._file.seek(self._end)
            write_whole(self._file, content)
        self._end += len(content)

    def finish(self) -> None:
        """Put the file in its place; may be tried again after it failed.

        Raises:
            PipelineError: it cannot be brought to the disk; the part stays.
        """
        with self._explained():
            self._file.truncate(self._end)
            os.fsync(self._file.fileno())
            self._part.replace(self.path)
        self.close()

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._file.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PipelineError(f"{self.path}: {cannot_write(error)}") from error
