"""A file of events, one a line, that goes on where it ended."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Self

import msgspec

from cli.event_text import Head
from pipeline.errors import ConfigError
from pipeline.line_log import LineLog
from pipeline.outputs import make_folder

REMEMBERED = 100
"""Last events by which the place in a log is found again."""


class EventFile:
    """Events appended to a file by one process at a time; lines are whole, whatever ends the process."""

    def __init__(self, path: Path) -> None:
        """Open the file, which is made if it is not there, and cut off half a line at its end.

        Raises:
            ConfigError: it is a folder or holds something else than events, or its folder cannot be made.
            PipelineError: it cannot be written, or another process writes it.
        """
        if path.is_dir():
            raise ConfigError(
                f"{path}: expected a file to write events to, got a folder; give the name of a file in it"
            )
        make_folder(path.parent)
        self._log = LineLog(path, "end")
        try:
            for line in self._log.first_line():  # before anything is cut off
                if line.endswith(b"\n") or not line.startswith(b'{"'):
                    _id(path, line.rstrip(b"\n"))
            self._log.mend()
            last = list(islice(self._log.backwards(), REMEMBERED))
            self.last = tuple((_id(path, line), line) for line in reversed(last))
            """Id and line of the last events, oldest first."""
        except BaseException:
            self._log.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    def append(self, event: bytes) -> None:
        """Write an event behind the others.

        Raises:
            PipelineError: it cannot be written; the file ends with the event before.
        """
        self._log.append(event + b"\n")


def _id(path: Path, line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=Head).id
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(
            f"{path}: expected an event in each line, got {line!r:.80} ({error}); give another file"
        ) from error
