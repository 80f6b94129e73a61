"""Make in a folder what a Dockerfile makes in an image, without docker: `python -m tests.docker.image FILE FOLDER`.

The Dockerfile itself is what is carried out, as far as a folder can stand for an image: COPY and RUN, with the values
of ENV, and at the end the command that a container would run. The system below and its users are not there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.docker.context import context
from tests.repository import ROOT

Run = Callable[[Sequence[str], Path, dict[str, str]], None]
"""Carry out a command in a folder, with more values of the environment."""
KNOWN = {"CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR"}


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of a Dockerfile."""

    steps: tuple[tuple[str, str], ...]
    """Each with what stands behind it, in order."""

    def last(self, name: str) -> str:
        """Return what stands behind the last instruction of a name."""
        return [text for step, text in self.steps if step == name][-1]

    def words(self, name: str) -> list[str]:
        """Return the words of the last instruction of a name, which is written as a list."""
        return list(map(str, json.loads(self.last(name))))


def read(path: Path) -> Dockerfile:
    """Read a Dockerfile.

    Raises:
        ValueError: an instruction that nothing is known of here.
    """
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    steps = tuple((line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip())
    if unknown := {name for name, _ in steps} - KNOWN:
        raise ValueError(f"{path}: expected {', '.join(sorted(KNOWN))}, got {', '.join(sorted(unknown))}")
    return Dockerfile(steps)


def run(command: Sequence[str], folder: Path, values: dict[str, str]) -> None:
    """Carry out a command.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run(command, cwd=folder, env=os.environ | values, check=True)


def make(dockerfile: Dockerfile, folder: Path, run: Run = run) -> dict[str, str]:
    """Carry out what makes the image; return the values of the environment that it has then.

    Raises:
        ValueError: a COPY from one path to another: here everything keeps its path.
    """
    files, values = context(ROOT), {"PYTHON": sys.executable}
    for name, text in dockerfile.steps:
        if name == "COPY":
            source, target = text.split()
            if source != target:
                raise ValueError(f"COPY {text}: expected one path, twice")
            _copy(PurePosixPath(source), files, folder)
        elif name == "RUN":
            run(["/bin/sh", "-c", text], folder, values)
        elif name == "ENV":
            values |= dict(pair.split("=", 1) for pair in text.split())
    return values


def _copy(source: PurePosixPath, files: Sequence[PurePosixPath], folder: Path) -> None:
    chosen = [file for file in files if source in (file, *file.parents)]
    if not chosen:
        raise ValueError(f"COPY {source}: expected a file that .dockerignore lets through, got none")
    for file in chosen:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, folder / file)


def main(argv: Sequence[str]) -> None:
    """Make an image in a new folder, and run in it what a container would."""
    dockerfile, folder = read(Path(argv[0])), Path(argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    values = make(dockerfile, folder)
    run([*dockerfile.words("ENTRYPOINT"), *dockerfile.words("CMD")], folder, values)


if __name__ == "__main__":
    main(sys.argv[1:])
