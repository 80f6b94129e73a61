"""The event logs of a run: keep a copy beside a recording, and compare those of a replay with it."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

from cli.manifest import Log
from pipeline.errors import ConfigError, PipelineError
from pipeline.line_log import LineLog
from pipeline.outputs import cannot_write, make_folder

LOGS = "logs"
NUMBERING = ("config", "sequence")
"""What changes in every event when a value is changed or one event comes or goes: not what an event tells."""


def lines_of(file: Path, since: int = 0) -> list[bytes]:
    """Return the lines of a log and of its parts that were put aside, oldest first.

    Args:
        file: the log; one that was not written has no lines.
        since: generation with which the run began; what stands before its first event is of earlier runs, and left out.

    Raises:
        PipelineError: it cannot be read, or another run is writing it.
    """
    if not file.is_file():
        return []
    log = LineLog(file, "never")
    try:
        lines = list(takewhile(lambda line: _generation(line) >= since, log.backwards()))
    finally:
        log.close()
    return lines[::-1]


def keep(file: str, lines: list[bytes], folder: Path) -> Log:
    """Write a copy of what a run wrote to `<folder>/logs/`.

    Args:
        file: `<stream>/<name>` of the log.
        lines: without line breaks.
        folder: of the recorded run.

    Raises:
        PipelineError: it cannot be written.
    """
    content = b"".join(line + b"\n" for line in lines)
    copy = folder / LOGS / file
    make_folder(copy.parent)
    try:
        copy.write_bytes(content)
    except OSError as error:
        raise PipelineError(f"{copy}: {cannot_write(error)}") from error
    return Log(file=file, lines=len(lines), sha256=hashlib.sha256(content).hexdigest())


def kept_lines(log: Log, folder: Path) -> list[bytes]:
    """Return the lines that a recorded run wrote.

    Raises:
        ConfigError: the copy is gone or was changed.
    """
    copy = folder / LOGS / log.file
    try:
        content = copy.read_bytes()
    except OSError as error:
        raise ConfigError(f"{copy}: cannot be read ({error.strerror}); record the run again") from error
    if hashlib.sha256(content).hexdigest() != log.sha256:
        raise ConfigError(f"{copy}: expected the log as it was recorded, got a changed one; record the run again")
    return content.split(b"\n")[:-1]


def first_difference(before: list[bytes], after: list[bytes]) -> str | None:
    """Show the first line that differs in two logs; None when there is none."""
    for number, (old, new) in enumerate(zip_longest(before, after), start=1):
        if old != new:
            return f"line {number} differs\n  recorded: {_shown(old)}\n  replayed: {_shown(new)}"
    return None


def told(before: list[bytes], after: list[bytes]) -> str:
    """Say in a line how many events there are and were, and how many of them tell something else."""
    if before == after:
        return f"{events(after)}, the same bytes"
    old, new = dict(map(_meaning, before)), dict(map(_meaning, after))
    same = sum(old[id] == new[id] for id in old.keys() & new.keys())
    changed = len(old.keys() & new.keys()) - same
    come, gone = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    return f"{events(after)}, before {len(before)}: {same} tell the same, {changed} changed, {come} new, {gone} gone"


def events(lines: list[bytes]) -> str:
    """Return how many events these are, in words."""
    return f"{len(lines)} event" if len(lines) == 1 else f"{len(lines)} events"


def _shown(line: bytes | None) -> str:
    return "nothing, the log has ended" if line is None else line.decode("utf-8", "replace")


def _generation(line: bytes) -> float:
    """Return the generation of an event; what tells none is of the latest."""
    head = str(_parsed(line).get("sequence")).partition(".")[0]
    return int(head) if head.isdecimal() else math.inf


def _meaning(line: bytes) -> tuple[str, str]:
    """Return the id of an event, and what it tells, without what numbers it; what is no event stands for itself."""
    event = _parsed(line)
    data = event.get("data")
    for part in (event, data if isinstance(data, dict) else {}):
        for name in NUMBERING:
            part.pop(name, None)
    return str(event.get("id", line)), json.dumps(event, sort_keys=True)


def _parsed(line: bytes) -> dict[str, Any]:
    """Return an event; empty for what is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
