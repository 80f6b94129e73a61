"""Looks of several tracks written as tables, with what the tracker corrects, for tests of repaired visits."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.ops.looks import Rules
from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine
from tests.nodes.ops.visit_tables import MS, RULES

STEP_MS = 100

Correction = tuple[int, int, int]
"""Taken from, since in ms, track id."""


def run(
    rows: dict[int, str], corrections: dict[int, Sequence[Correction]] | None = None, repair_ms: int = 10_000
) -> list[str]:
    """Feed one frame per character of each track's row: `t` looks at tea, `1` to `9` at that person, `.` at nothing.

    `corrections` come with the frames named, counted from 0. Returns what is told: kind, visit and times, all in ms,
    from the frame of the first correction on.
    """
    told = []
    first = min(corrections or {0: ()})
    for index, changes in enumerate(changes_of(rows, corrections or {}, repair_ms)):
        told += [line(change) for change in changes if index >= first]
    return told


def changes_of(
    rows: dict[int, str], corrections: dict[int, Sequence[Correction]], repair_ms: int = 10_000, rules: Rules = RULES
) -> list[list[Change]]:
    machine, told = VisitMachine(repair_ms * MS), []
    for index in range(max(map(len, rows.values()))):
        marks = {track_id: row[index] for track_id, row in rows.items() if index < len(row) and row[index] != "."}
        hits = [((track_id, "tea" if mark == "t" else f"person:{mark}"), 1.0) for track_id, mark in marks.items()]
        said = [(taken, since * MS, track_id) for taken, since, track_id in corrections.get(index, ())]
        told.append(machine.frame(index * STEP_MS * MS, hits, rules, said))
    return [*told, machine.end("stream_ended")]


def line(change: Change) -> str:
    name = change.visit.rpartition("/")
    start, _, again = name[2].partition("~")
    visit = f"{name[0]}/{int(start) // MS}" + (f"~{again}" if again else "")
    times = f"-{change.end_ns // MS}@{change.known_ns // MS} {change.dwell_ns // MS}"
    reason = f" {change.reason}" if change.reason else ""
    return f"{change.kind} {visit}{times}{reason}" + "".join(f" for {short(other)}" for other in change.replaces)


def short(visit: str) -> str:
    name, _, start = visit.rpartition("/")
    start, _, again = start.partition("~")
    return f"{name}/{int(start) // MS}" + (f"~{again}" if again else "")
