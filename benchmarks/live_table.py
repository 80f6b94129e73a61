"""How loads and faults are shown: one a line."""

from __future__ import annotations

from typing import Any

from benchmarks.results import Figures

LOAD = ("offered_fps", "processed_fps", "drop_rate", "p50_ms", "p95_ms", "p99_ms")


def load_table(found: Figures) -> str:
    """Return the loads, those of large pictures last; empty without any."""
    if not found:
        return ""
    rows = [[f"{key}x", *_of(each, LOAD)] for key, each in found["load"].items()]
    rows += [[f"{key}x 1080p", *_of(each, LOAD)] for key, each in found["load_1080p"].items()]
    return _aligned([["load", *LOAD], *rows])


def fault_table(found: Figures) -> str:
    """Return the faults: seconds to recover, what is allowed, and what was said meanwhile; empty without any."""
    if not found:
        return ""
    keys = ("recovered_s", "allowed_s", "in_time", "states", "reasons")
    return _aligned([["fault", *keys], *([name, *_of(each, keys)] for name, each in found["faults"].items())])


def _of(each: Figures, keys: tuple[str, ...]) -> list[str]:
    return [_shown(each[key]) for key in keys]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
