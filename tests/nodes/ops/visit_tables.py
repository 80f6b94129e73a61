"""Streams of looks written as tables, and what is told of them, for tests of visits."""

from __future__ import annotations

from nodes.ops.looks import Rules
from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine

MS = 1_000_000
RULES = Rules(
    min_look_ns=300 * MS,
    max_gap_ns=500 * MS,
    min_visit_ns=300 * MS,
    update_ns=0,
    enter_score=0.5,
    keep_score=0.3,
    keep_share=0.0,
    fixation_gap_ns=75 * MS,
    min_fixation_ns=200 * MS,
)
TEA = (1, "tea")


def run(table: str, rules: Rules = RULES, step_ms: int = 100, score: float = 1.0) -> list[str]:
    """Feed one frame per character, `x` a hit, `.` none, a digit a hit with that score in tenths, a space no frame;
    return `kind start-end@known dwell`, all in ms. The stream ends with the table."""
    return [line(change) for change in changes_of(table, rules, step_ms, score)]


def changes_of(table: str, rules: Rules = RULES, step_ms: int = 100, score: float = 1.0) -> list[Change]:
    machine = VisitMachine(0)
    changes = []
    for index, mark in enumerate(table):
        if mark != " ":
            hit = {"x": score, ".": None}.get(mark, int(mark) / 10 if mark.isdigit() else None)
            hits = [] if hit is None else [(TEA, hit)]
            changes += machine.frame(index * step_ms * MS, hits, rules)
    return changes + machine.end("stream_ended")


def line(change: Change) -> str:
    times = change.start_ns, change.end_ns, change.known_ns, change.dwell_ns
    start, end, known, dwell = (round(time / MS) for time in times)
    return f"{change.kind} {start}-{end}@{known} {dwell}"
