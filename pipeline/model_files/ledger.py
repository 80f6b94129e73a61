"""What is remembered beside fetched files: a small YAML file of names with a text each, changed by one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from pipeline.errors import ConfigError
from pipeline.model_files.room import ELSEWHERE, make_room
from pipeline.outputs import write_atomically
from pipeline.yaml_source import read_yaml


class Ledger:
    """Texts by name, in a file that people may read and mend.

    Args:
        path: the file, which need not exist.
        head: what it says of itself, as comment.
    """

    def __init__(self, path: Path, head: str) -> None:
        self.path = path
        self._head = head

    def read(self) -> dict[str, str]:
        """Return what is remembered.

        Raises:
            ConfigError: the file is no such list.
        """
        if not self.path.is_file():
            return {}
        document = read_yaml(self.path)
        found = document.data
        if document.problems or not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            got = "; ".join(document.problems) or "something else"
            raise ConfigError(f"{self.path}: expected a text for each name, got {got}; mend or remove the file")
        return found

    def change(self, how: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Replace what is remembered by what a function makes of it; other processes wait until that is done.

        Raises:
            PipelineError: the file is no such list, or cannot be written.
        """
        make_room(self.path.parent)
        with _alone_in(self.path.parent):
            told = yaml.safe_dump(dict(how(self.read())), allow_unicode=True, width=1000)
            write_atomically(self.path, f"# {self._head}\n{told}", ELSEWHERE)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
