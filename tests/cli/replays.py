"""What tests of replays ask: run the program in the current folder, and read what it recorded and decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import program


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of output after those about files, and lines of complaint."""
    capsys.readouterr()
    code = program.main(argv)
    told = capsys.readouterr()
    lines = told.out.splitlines()
    return (
        code,
        lines[next((n for n, line in enumerate(lines, 1) if line.endswith("summary.json")), 0) :],
        told.err.splitlines(),
    )


def change(**changes: Any) -> None:
    """Change what stands in the manifest of rec."""
    path = Path("rec/recording.json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def count(file: str = "out/two/shop/events.jsonl") -> int:
    return len(Path(file).read_bytes().splitlines())


def config(out: str, log: str = "events") -> str:
    """Return the configuration that made all events of a log."""
    lines = Path(f"out/{out}/shop/{log}.jsonl").read_text("utf-8").splitlines()
    (made,) = {json.loads(line)["data"]["config"] for line in lines}
    return str(made)


def same() -> list[str]:
    """Return what is told when a replay gives the same events and measures."""
    return [
        f"shop/events.jsonl: {count()} events, the same bytes", "shop/measures.jsonl: 2 events, the same bytes"
    ]  # fmt: skip
