"""What docker would send to a build: the files of a folder that its .dockerignore lets through."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

Rules = Sequence[tuple[bool, re.Pattern[str]]]
"""For each line whether it lets through, and which paths it is about."""


def rules(text: str) -> Rules:
    """Return the rules of a .dockerignore.

    Ref: Docker's reference, "dockerignore file": the last line that is about a path, or about a folder above it,
    decides.
    """
    lines = [line.strip() for line in text.splitlines()]
    return [(line[0] == "!", _pattern(line.lstrip("!"))) for line in lines if line and line[0] != "#"]


def let_through(path: PurePosixPath, rules: Rules) -> bool:
    """Tell whether a file gets into the build."""
    here = [path, *path.parents][:-1]
    through = True
    for lets, pattern in rules:
        if any(pattern.fullmatch(one.as_posix()) for one in here):
            through = lets
    return through


def context(root: Path) -> list[PurePosixPath]:
    """Return the files of a folder that get into the build, sorted, relative to it."""
    wanted = rules((root / ".dockerignore").read_text("utf-8"))
    found = []
    for folder, folders, names in os.walk(root):
        if Path(folder) == root:  # environments hold very many files
            folders[:] = [name for name in folders if not name.startswith(".")]
        inside = PurePosixPath(Path(folder).relative_to(root).as_posix())
        found += [inside / name for name in names if let_through(inside / name, wanted)]
    return sorted(found)


def _pattern(line: str) -> re.Pattern[str]:
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", line.strip("/"))
    return re.compile("".join(pieces.get(part, re.escape(part)) for part in parts))
