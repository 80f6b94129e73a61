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
DIGITS = 10
"""Digits of a generation."""
MOST = 6
"""Values shown of two events that differ."""
LEVELS = 3
"""Values within values that are told apart: `data.figures.4`, and no deeper."""
WIDEST = 160
"""Characters shown of a value."""


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
    return Log(file=file, lines=len(lines), sha256=_checksum(content))


def kept_lines(log: Log, folder: Path) -> tuple[list[bytes], bool]:
    """Return the lines that a recorded run wrote, and whether they still are what it wrote.

    Raises:
        ConfigError: the copy is gone.
    """
    copy = copy_of(log, folder)
    try:
        content = copy.read_bytes()
    except OSError as error:
        raise ConfigError(f"{copy}: cannot be read ({error.strerror}); record the run again") from error
    return content.removesuffix(b"\n").split(b"\n") if content else [], _checksum(content) == log.sha256


def copy_of(log: Log, folder: Path) -> Path:
    """Return where what a recorded run wrote is kept."""
    return folder / LOGS / log.file


def first_difference(before: list[bytes], after: list[bytes]) -> str | None:
    """Say which line of two logs is the first that differs, and in what; None when there is none."""
    for number, (old, new) in enumerate(zip_longest(before, after), start=1):
        if old != new:
            return "\n  ".join([f"line {number} is the first that differs", *_differences(old, new)])
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


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _differences(old: bytes | None, new: bytes | None) -> list[str]:
    """Say in what two lines differ: where they are the same event, value by value, those that only number it last."""
    before, after = ({} if line is None else _values(_parsed(line)) for line in (old, new))
    if "id" not in before or before["id"] != after.get("id"):
        return [f"recorded: {_shown(old)}", f"replayed: {_shown(new)}"]
    differ = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not differ:
        return ["the same values are written otherwise"]
    differ.sort(key=lambda name: name.rpartition(".")[2] in NUMBERING)
    values = [[_cut(side.get(name, "nothing")) for side in (before, after)] for name in differ[:MOST]]
    told = [f"{name}: recorded {was}, replayed {now}" for name, (was, now) in zip(differ, values, strict=False)]
    return [*told, *([f"and {len(differ) - MOST} more values"] if len(differ) > MOST else [])]


def _shown(line: bytes | None) -> str:
    if line is None:
        return "nothing, the log has ended"
    return _cut(str(_parsed(line).get("id", line.decode("utf-8", "replace"))))


def _values(value: Any, name: str = "", levels: int = LEVELS) -> dict[str, str]:
    """Return the values within a value, as JSON by dotted name; those in lists are numbered from 0."""
    inner = dict(enumerate(value)) if isinstance(value, list) else value
    if not levels or not inner or not isinstance(inner, dict):
        return {name: json.dumps(value, ensure_ascii=False)}
    below = [_values(each, f"{name}.{key}" if name else str(key), levels - 1) for key, each in inner.items()]
    return {path: text for values in below for path, text in values.items()}


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _generation(line: bytes) -> float:
    """Return the generation of an event; what tells none is of the latest."""
    head = str(_parsed(line).get("sequence")).partition(".")[0]
    return int(head) if head.isdecimal() and len(head) <= DIGITS else math.inf


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
